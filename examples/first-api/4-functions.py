#!/usr/bin/env python3
"""Functions from zip files with boto3: Node, Python, and a compiled program as `bootstrap`."""
import io
import json
import os
import pathlib
import subprocess
import tempfile
import zipfile

import boto3

here = pathlib.Path(__file__).parent
endpoint = os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
client = dict(endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
iam, functions = boto3.client("iam", **client), boto3.client("lambda", **client)


def package(name, content, mode=0o644):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, content)
    return buffer.getvalue()


def create(name, runtime, handler, code, role):
    made = functions.create_function(FunctionName=name, Runtime=runtime, Handler=handler, Role=role, Code={"ZipFile": code})
    functions.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    print(f"{name}: {made['Runtime']}, {made['CodeSize']} bytes, {made['FunctionArn']}")
    return made["FunctionArn"]


def invoke(name, event):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    return answer.get("FunctionError"), json.load(answer["Payload"])


print("\n# a role that functions may assume")
trust = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
role = iam.create_role(RoleName="story-function", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]

print("\n# three functions, three runtimes")
hello = create("hello", "nodejs20.x", "hello.handler", package("hello.mjs", (here / "functions/hello.mjs").read_text()), role)
gate = create("gate", "python3.12", "gate.handler", package("gate.py", (here / "functions/gate.py").read_text()), role)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run(["cc", "-O2", "-static", "-o", f"{folder}/bootstrap", str(here / "functions/bootstrap.c")], check=True,
                   stderr=subprocess.DEVNULL)  # the linker warns of getaddrinfo in static programs
    compiled = pathlib.Path(folder, "bootstrap").read_bytes()
create("compiled", "provided.al2023", "bootstrap", package("bootstrap", compiled, 0o755), role)

print("\n# invoked")
error, answer = invoke("hello", {"queryStringParameters": {"name": "Ada"}})
print("hello:", answer)
assert error is None and json.loads(answer["body"])["hello"] == "Ada", answer
error, answer = invoke("gate", {"authorizationToken": "open sesame", "methodArn": "arn:aws:execute-api:us-east-1:000000000000:x/y/GET/"})
print("gate:", answer["policyDocument"]["Statement"][0]["Effect"])
assert error is None and answer["principalId"] == "ali", answer
error, answer = invoke("compiled", {"a": [1, 2]})
print("compiled:", answer)
assert error is None and answer == {"from": "C", "event": {"a": [1, 2]}}, answer

print("\n# an error of the function's is an answer, not a failure of the call")
error, answer = invoke("gate", {"authorizationToken": "?"})
print("gate:", error, answer["errorMessage"])
assert (error, answer["errorMessage"], answer["errorType"]) == ("Unhandled", "Unauthorized", "Exception"), answer
error, answer = invoke("hello", {"crash": True})
print("hello:", error, answer)
assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError", answer
error, answer = invoke("hello", {})
assert error is None, answer
print("hello works again after its process has died")

with open(os.environ.get("STORY", str(here / "story.env")), "a") as story:
    story.write(f"HELLO_ARN={hello}\nGATE_ARN={gate}\n")
