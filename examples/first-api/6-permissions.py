#!/usr/bin/env python3
"""An IAM user with a key and an inline policy: signed calls are allowed and denied as it says."""
import json
import os
import pathlib
import urllib.error
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions

here = pathlib.Path(__file__).parent
file = pathlib.Path(os.environ.get("STORY", here / "story.env"))
story = dict(line.split("=", 1) for line in file.read_text().splitlines())
endpoint = os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
region, account, api = "us-east-1", "000000000000", story["API_ID"]


def client(service, key="test", secret="test"):
    return boto3.client(service, endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret)


def get(path, key, secret):
    """A signed GET of the API's stage."""
    request = botocore.awsrequest.AWSRequest("GET", f"{endpoint}/_aws/execute-api/{api}/prod{path}")
    botocore.auth.SigV4Auth(botocore.credentials.Credentials(key, secret), "execute-api", region).add_auth(request)
    try:
        with urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers))) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.load(answer)


def refused(call, **parameters):
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        print(f"  {error}")
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise SystemExit(f"{call} was allowed")


print("\n# bob may look at users and call /signed; he may not make users")
root = client("iam")
root.create_user(UserName="bob")
root.put_user_policy(UserName="bob", PolicyName="bob", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iam:GetUser", "iam:ListUsers"], "Resource": "*"},
    {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"arn:aws:execute-api:{region}:{account}:{api}/prod/GET/signed"},
    {"Effect": "Deny", "Action": "iam:DeleteUser", "Resource": "*"},
]}))
made = root.create_access_key(UserName="bob")["AccessKey"]
bob = made["AccessKeyId"], made["SecretAccessKey"]
me = f"arn:aws:iam::{account}:user/bob"

print("\n# management calls")
assert client("sts", *bob).get_caller_identity()["Arn"] == me
assert client("iam", *bob).get_user()["User"]["UserName"] == "bob"
print("bob sees himself")
assert refused(client("iam", *bob).create_user, UserName="eve") == (403, "AccessDenied", (
    f"User: {me} is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::{account}:user/eve "
    "because no identity-based policy allows the iam:CreateUser action"))
assert refused(client("iam", *bob).delete_user, UserName="bob") == (403, "AccessDenied", (
    f"User: {me} is not authorized to perform: iam:DeleteUser on resource: arn:aws:iam::{account}:user/bob "
    "with an explicit deny in an identity-based policy"))
status, code, message = refused(client("cognito-idp", *bob).list_user_pools, MaxResults=1)
assert (status, code) == (400, "AccessDeniedException"), (status, code)
assert message.startswith(f"User: {me} is not authorized to perform: cognito-idp:ListUserPools on resource: "), message

print("\n# the API")
answer = get("/signed", *bob)
print(" ", answer)
assert answer == (200, {"user": me}), answer
root.put_user_policy(UserName="bob", PolicyName="bob", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}))
status, body = get("/signed", *bob)
print(" ", status, body)
assert status == 403 and body["Message"].startswith(f"User: {me} is not authorized to perform: execute-api:Invoke on resource: "), body
status, body = get("/signed", bob[0], "not the secret")
print(" ", status, body)
assert status == 403 and body["message"].startswith("The request signature we calculated does not match"), body
assert refused(client("iam", bob[0], "not the secret").list_users)[:2] == (403, "SignatureDoesNotMatch")

with file.open("a") as more:
    more.write(f"BOB_KEY={bob[0]}\nBOB_SECRET={bob[1]}\n")
