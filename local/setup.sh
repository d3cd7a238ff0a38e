#!/bin/sh
# Installs everything that the other commands need, into .venv and two folders node_modules.
# Run by `make setup`; does nothing when what is installed is what the lock files ask for.
set -eu
cd "$(dirname "$0")/.."

PYTHON_LOCK=requirements-dev.txt
PYTHON_STAMP=.venv/installed.cksum
PROJECT="pyproject.toml orchestrator/__init__.py" # the commands, and the version
PROJECT_STAMP=.venv/project.cksum
NODE_STAMP=node_modules/.installed.cksum

say() { echo "setup: $*"; }

fail() {
    for line in "$@"; do echo "setup: $line" >&2; done
    exit 1
}

is_python() { # is it a Python 3.13 that can make virtual environments?
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 13))' \
        >/dev/null 2>&1
}

# Asked in turn: what PATH finds (a version manager's shim may fail there when another version is
# selected), what pyenv and uv keep in their own folders, and where Homebrew and python.org install.
find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3.13 \
        "${UV_PYTHON_INSTALL_DIR:-${XDG_DATA_HOME:-$HOME/.local/share}/uv/python}"/cpython-3.13*/bin/python3.13 \
        /opt/homebrew/bin/python3.13 /usr/local/bin/python3.13; do
        if is_python "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

checksum() { cat "$@" | cksum; }

installed() { # stamp, files: was what these files ask for installed, to the end?
    stamp=$1
    shift
    [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(checksum "$@")" ]
}

install_python_packages() {
    if ! is_python .venv/bin/python; then
        python=$(find_python) || fail \
            "Python 3.13 was not found, or it has no venv module. Get it by one of these:" \
            "  uv python install 3.13                         (https://docs.astral.sh/uv)" \
            "  pyenv install 3.13                             (https://github.com/pyenv/pyenv)" \
            "  apt install python3.13 python3.13-venv         (Ubuntu 25.04, Debian 13)" \
            "  brew install python@3.13                       (macOS)" \
            "or name one: PYTHON=/path/to/python3.13 make setup"
        say "making .venv with $("$python" --version) ($python)"
        "$python" -m venv --clear .venv
    fi
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
    say "installing the Python packages of $PYTHON_LOCK into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r "$PYTHON_LOCK" || fail "pip failed: see above"
    checksum "$PYTHON_LOCK" >"$PYTHON_STAMP"
    rm -f "$PROJECT_STAMP"
}

# Editable: the commands run the files of this checkout. The build backend is one of the packages
# installed above, so that this needs no network.
install_project() {
    say "installing the commands recur and batch-emulator into .venv"
    rm -f .venv/bin/recur # in an older checkout a link to a script that is gone
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-index \
        --no-build-isolation --editable . || fail "pip failed: see above"
    checksum $PROJECT >"$PROJECT_STAMP"
}

install_node_packages() { # folder, what it holds
    installed "$1/$NODE_STAMP" "$1/package-lock.json" && return
    check_node
    say "installing $2 into $1/node_modules"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ||
        fail "npm failed: see above"
    checksum "$1/package-lock.json" >"$1/$NODE_STAMP"
}

check_node() {
    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=0
    if [ "$major" -lt 20 ] || ! command -v npm >/dev/null 2>&1; then
        fail "Node 20 or later with npm was not found on the PATH. Get it by one of these:" \
            "  https://nodejs.org                             (every system)" \
            "  apt install nodejs npm                         (Ubuntu 25.04, Debian 13)" \
            "  brew install node                              (macOS)"
    fi
}

installed "$PYTHON_STAMP" "$PYTHON_LOCK" && [ -x .venv/bin/python ] || install_python_packages
installed "$PROJECT_STAMP" $PROJECT && [ -x .venv/bin/recur ] || install_project
install_node_packages local/azurite "Azurite"
install_node_packages tests/alerts/kusto "Microsoft's parser of alert queries"
