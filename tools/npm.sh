#!/bin/sh
# npm.sh DIR: installs what DIR/package-lock.json names: for tests and
# GraphiQL only.
set -eu
cd "$(dirname "$0")/../$1"
mkdir -p ../../build
if ! npm ci --no-audit --no-fund --silent > ../../build/npm.log 2>&1; then
    tail -n 5 ../../build/npm.log >&2
    echo "kappa: npm can't install what $1 needs (no network?)" >&2
    exit 1
fi
