#!/bin/bash
# A user pool with the AWS CLI: sign up, confirm with the code that was "mailed", sign in with the
# password, refresh, look at oneself, sign out everywhere.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
idp() { aws cognito-idp "$@" --output text; }

say "a pool that signs people up by their mail address, and a client for its app"
pool=$(idp create-user-pool --pool-name story --auto-verified-attributes email --query UserPool.Id)
client=$(idp create-user-pool-client --user-pool-id "$pool" --client-name app --query UserPoolClient.ClientId \
    --explicit-auth-flows ALLOW_USER_SRP_AUTH ALLOW_USER_PASSWORD_AUTH ALLOW_REFRESH_TOKEN_AUTH)
echo "pool $pool, client $client"

say "ada signs up; the code arrives in the outbox"
idp sign-up --client-id "$client" --username ada --password 'Engine-1843!' \
    --user-attributes Name=email,Value=ada@example.org --query UserConfirmed
code=$(curl -s "$AWS_ENDPOINT_URL/_gatehouse/outbox?to=ada@example.org" | sed 's/.*"code": *"\([0-9]*\)".*/\1/')
echo "the code is $code"

say "before she confirms, nobody lets her in"
early=$(idp initiate-auth --client-id "$client" --auth-flow USER_PASSWORD_AUTH \
    --auth-parameters USERNAME=ada,PASSWORD=Engine-1843! 2>&1 || true)
has "refused" "UserNotConfirmedException" "$early"
wrong=$(idp confirm-sign-up --client-id "$client" --username ada --confirmation-code 000000x 2>&1 || true)
has "a wrong code" "CodeMismatchException" "$wrong"
idp confirm-sign-up --client-id "$client" --username ada --confirmation-code "$code"

say "she signs in with her password"
wrong=$(idp initiate-auth --client-id "$client" --auth-flow USER_PASSWORD_AUTH \
    --auth-parameters USERNAME=ada,PASSWORD=Engine-1844! 2>&1 || true)
has "a wrong password" "NotAuthorizedException" "$wrong"
read -r access id refresh <<< "$(idp initiate-auth --client-id "$client" --auth-flow USER_PASSWORD_AUTH \
    --auth-parameters USERNAME=ada,PASSWORD=Engine-1843! \
    --query 'AuthenticationResult.[AccessToken,IdToken,RefreshToken]')"
same "who am I" "ada@example.org" \
    "$(idp get-user --access-token "$access" --query 'UserAttributes[?Name==`email`].Value')"

say "the refresh token makes new ones"
fresh=$(idp initiate-auth --client-id "$client" --auth-flow REFRESH_TOKEN_AUTH \
    --auth-parameters "REFRESH_TOKEN=$refresh" --query AuthenticationResult.AccessToken)
same "they work" "ada" "$(idp get-user --access-token "$fresh" --query Username)"

say "signed out everywhere, all of them are dead"
idp global-sign-out --access-token "$fresh"
for token in "$access" "$fresh"; do
    has "an access token" "NotAuthorizedException" "$(idp get-user --access-token "$token" 2>&1 || true)"
done
has "the refresh token" "NotAuthorizedException" "$(idp initiate-auth --client-id "$client" \
    --auth-flow REFRESH_TOKEN_AUTH --auth-parameters "REFRESH_TOKEN=$refresh" 2>&1 || true)"
remember POOL_ID "$pool"
remember CLIENT_ID "$client"
