#!/bin/bash
# The newcomer's minute: an API in front of a backend, then sign-in in front of the API.
# No id is copied by hand, no file is written.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

say "gatehouse api new hello --to $BACKEND"
url=$(gatehouse api new hello --to "$BACKEND")
echo "$url"
has "it answers" '"method":"GET"' "$(curl -s "$url")"
has "and every path under it" '"path":"/a/b?c=d"' "$(curl -s "${url}a/b?c=d")"

say "gatehouse pool new shop --protect hello"
gatehouse pool new shop --protect hello
answer=$(curl -si "$url")
has "without a token" "401" "$(head -1 <<< "$answer")"
has "a browser may read the refusal" "access-control-allow-origin" "${answer,,}"
trace=$(tr -d '\r' <<< "$answer" | sed -n 's/^[Xx]-[Gg]atehouse-[Tt]race: //p')

say "gatehouse why $trace"
why=$(gatehouse why "$trace")
echo "$why"
has "it names the step that refused" "authorize" "$why"

say "gatehouse token shop test"
token=$(gatehouse token shop test)
same "with the token" 200 "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: $token" "$url")"

say 'eval "$(gatehouse env)" points the AWS CLI here'
same "aws sts get-caller-identity" "arn:aws:iam::000000000000:root" "$(aws sts get-caller-identity --query Arn --output text)"
same "aws apigateway get-rest-apis" "hello" "$(aws apigateway get-rest-apis --query 'items[0].name' --output text)"
remember HELLO_URL "$url"
