"""``python -m recur``: the same as ``recur``."""

from recur.app import main

if __name__ == "__main__":
    main()
