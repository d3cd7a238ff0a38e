#!/bin/sh
# Installs what a requirements file asks for into an environment of its own; run by `make peers`.
set -eu
environment=$1 requirements=$2
.venv/bin/uv venv --quiet --allow-existing --python .venv/bin/python "$environment"
.venv/bin/uv pip install --quiet --python "$environment" -r "$requirements"
