def handler(event, context):
    if event.get("statusCode") == "200":
        return "Pass"
    raise Exception({"400": "Error: Raising 400 from within the Lambda function",
                     "500": "Error: Raising 500 from within the Lambda function"}.get(event.get("statusCode"), "Error"))
