#!/bin/bash
# The whole story, in order, against a Gatehouse of its own on a free port.
set -euo pipefail
cd "$(dirname "$0")"
export GATEHOUSE=${GATEHOUSE:-$PWD/../../build/release/gatehouse} STORY=$(mktemp)
data=$(mktemp -d)
export AWS_ENDPOINT_URL=http://127.0.0.1:${PORT:-4599}
[ -e node_modules ] || npm install --no-audit --no-fund

coproc backend { exec node backend.mjs 0; }
read -r -u "${backend[0]}" BACKEND
export BACKEND
start=(dev --data "$data/data" --listen "${AWS_ENDPOINT_URL#http://}")
coproc server { exec "$GATEHOUSE" "${start[@]}" --ready-fd 3 3>&1 > /dev/null 2> "$data/log"; }
read -r -n 1 -u "${server[0]}" _
trap 'kill "$backend_PID" "$server_PID" $(sed -n s/^SERVER_PID=//p "$STORY") 2> /dev/null || true; rm -rf "$data" "$STORY"' EXIT

./1-minute.sh
./2-sign-up.sh
node 3-sign-in.mjs
python3 4-functions.py
node 5-rest-api.mjs
python3 6-permissions.py
./7-power-cut.sh "$server_PID" "${start[@]}"
echo
echo 'The whole story worked.'
