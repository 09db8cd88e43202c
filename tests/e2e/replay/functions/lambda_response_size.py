def handler(event, context):
    return "a" * int(event["bytes"])
