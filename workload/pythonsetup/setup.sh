#!/bin/sh
# Start task of the pool: makes the Python environment of all tasks, $AZ_BATCH_NODE_SHARED_DIR/recur-env,
# from this node's own Python and the modules that lie beside this file. Nothing is downloaded.
#
# Run as: sh setup.sh  (a package that was zipped on Windows has no executable bits)
#
# A node runs it again after each reboot, perhaps after a first time that was cut short: each time
# builds a new environment aside and puts it in place by one rename of a symbolic link, so that
# there is never half an environment, and two at once do each other no harm.
set -eu

fail() {
    echo "setup.sh: $1" >&2
    exit 1
}

shared=${AZ_BATCH_NODE_SHARED_DIR:-}
[ -n "$shared" ] || fail "AZ_BATCH_NODE_SHARED_DIR is not set: this is a start task of Azure Batch"
[ -d "$shared" ] && [ -w "$shared" ] || fail "cannot write to $shared"
package=$(cd "$(dirname "$0")" && pwd)

command -v python3 >/dev/null || fail "python3 is not installed: choose an image that has it"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "python3 is $(python3 -V 2>&1), but 3.11 or newer is needed"
python3 -c 'import venv' 2>/dev/null ||
    fail "python3 has no module venv: choose an image with the whole standard library"

# The start task is an administrator and tasks are not: they may run this environment but not change
# it, so that no task can leave something behind for the next one.
umask 022
build=$(mktemp -d "$shared/recur-env.XXXXXXXX")
trap 'rm -rf "$build" "$build.link"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$build"

# Stock Ubuntu has no ensurepip, so the environment has no pip and the package brings the modules.
python3 -m venv --without-pip "$build"
modules=$("$build/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cp -R "$package/modules/." "$modules/"
chmod -R u=rwX,go=rX "$modules"
"$build/bin/python" -c 'import recur_run' || fail "the environment cannot import recur_run"

previous=$(readlink "$shared/recur-env" || true)
ln -s "$(basename "$build")" "$build.link"
# os.replace is rename(2): unlike ln -sf it never leaves a moment without an environment.
python3 -c 'import os, sys; os.replace(sys.argv[1], sys.argv[2])' "$build.link" "$shared/recur-env"
trap - EXIT
[ -z "$previous" ] || rm -rf "${shared:?}/$previous"

echo "setup.sh: $(python3 -V) is ready in $shared/recur-env"
