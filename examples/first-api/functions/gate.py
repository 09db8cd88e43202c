"""An authorizer: lets in who says "open sesame", for the method that was asked."""


def handler(event, context):
    words = {"open sesame": "Allow", "let me in": "Deny"}
    if event["authorizationToken"] not in words:
        raise Exception("Unauthorized")  # these very words mean 401
    return {
        "principalId": "ali",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": words[event["authorizationToken"]], "Resource": event["methodArn"]}],
        },
        "context": {"cave": "open"},
    }
