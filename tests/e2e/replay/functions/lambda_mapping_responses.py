import json


def handler(event, context):
    failed = event.get("body", event).get("httpStatus") == "400"
    return {"statusCode": 200, "body": "customerror" if failed else "noerror"}
