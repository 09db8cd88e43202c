#!/bin/bash
# kill -9 in the middle of work, start again: nothing that was acknowledged is gone.
# Wants the server's process id and the words after `gatehouse` that start it: 7-power-cut.sh PID dev --data …
set -euo pipefail
. "$(dirname "$0")/lib.sh"
pid=$1
shift

say "users are being made, one after another, while the power fails"
acknowledged=$(mktemp)
(
    for n in $(seq 1 100000); do
        curl -sf "$AWS_ENDPOINT_URL/" -H 'Content-Type: application/x-amz-json-1.1' \
            -H 'X-Amz-Target: AWSCognitoIdentityProviderService.SignUp' \
            -d "{\"ClientId\":\"$CLIENT_ID\",\"Username\":\"user$n\",\"Password\":\"Engine-1843!\",\"UserAttributes\":[{\"Name\":\"email\",\"Value\":\"u$n@example.org\"}]}" \
            > /dev/null || break
        echo "user$n" >> "$acknowledged"
    done
) &
until [ "$(wc -l < "$acknowledged")" -ge 20 ]; do kill -0 $!; done
kill -9 "$pid"
wait $! || true
while kill -0 "$pid" 2> /dev/null; do :; done
echo "$(wc -l < "$acknowledged") sign-ups were acknowledged"

say "gatehouse $*"
coproc server { exec "$GATEHOUSE" "$@" --ready-fd 3 3>&1 > /dev/null 2>&1; }
remember SERVER_PID "$server_PID"
read -r -n 1 -u "${server[0]}" _
echo "ready again"

say "everybody is there"
aws cognito-idp list-users --user-pool-id "$POOL_ID" --query 'Users[].Username' --output text | tr '\t' '\n' | sort > "$acknowledged.there"
same "lost" "" "$(sort "$acknowledged" | comm -23 - "$acknowledged.there")"
same "tokens still work at the API" 200 "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: $ID_TOKEN" \
    "$AWS_ENDPOINT_URL/_aws/execute-api/$API_ID/prod/me")"
same "ada is who she was" "CONFIRMED" \
    "$(aws cognito-idp admin-get-user --user-pool-id "$POOL_ID" --username ada --query UserStatus --output text)"
echo '{}' > "$acknowledged"
same "functions run" "200" "$(aws lambda invoke --function-name hello --payload "fileb://$acknowledged" /dev/null --query StatusCode --output text)"
rm -f "$acknowledged" "$acknowledged.there"
