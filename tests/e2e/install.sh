#!/bin/sh
# The tests' npm packages, exactly as the lock file says; does nothing when they are there.
set -eu
cd "$(dirname "$0")"
[ node_modules/.package-lock.json -nt package-lock.json ] && exit 0
npm ci --no-audit --no-fund
touch node_modules/.package-lock.json
