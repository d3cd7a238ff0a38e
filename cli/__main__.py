"""``python -m cli``: the same as ``recur``."""

from cli.app import main

if __name__ == "__main__":
    main()
