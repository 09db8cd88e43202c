import os


def handler(event, context):
    print(f"RequestId log message {context.aws_request_id}")
    return context.aws_request_id
