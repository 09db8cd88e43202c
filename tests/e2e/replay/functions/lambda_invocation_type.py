import os


def handler(event, context):
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE")
