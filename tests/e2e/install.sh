#!/bin/sh
# The tests' npm packages, exactly as the lock file says; does nothing when they are there.
# The example's scripts and the bench share them.
set -eu
cd "$(dirname "$0")"
[ -e ../../examples/first-api/node_modules ] || ln -s ../../tests/e2e/node_modules ../../examples/first-api/node_modules
[ -e ../../bench/node_modules ] || ln -s ../tests/e2e/node_modules ../../bench/node_modules
[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
npm ci --no-audit --no-fund
touch node_modules/.package-lock.json
