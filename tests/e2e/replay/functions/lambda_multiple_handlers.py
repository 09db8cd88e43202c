def handler(event, context):
    return "result1"


def handler_two(event, context):
    return "result2"
