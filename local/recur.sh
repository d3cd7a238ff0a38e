#!/bin/sh
# The command `recur` of this checkout, from any folder; `make setup` links it as .venv/bin/recur.
set -eu
root=$(dirname "$(readlink -f "$0")")/..
if [ ! -x "$root/.venv/bin/python" ]; then
    echo "recur: not installed: run \`make setup\` in $root" >&2
    exit 2
fi
# Neither the current folder nor a variable may decide which packages are imported.
exec "$root/.venv/bin/python" -P -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
sys.argv[0] = "recur"
from recur.app import main
main()
' "$root" "$@"
