# What the recording's function did; line numbers stand in the recorded stack traces.
def handler(event, context):
    status = event.get("statusCode")
    if status == "200":
        return "Pass"
    if status == "400":
        raise Exception("Error: Raising four hundred from within the Lambda function")
    if status == "500":
        raise Exception("Error: Raising five hundred from within the Lambda function")
