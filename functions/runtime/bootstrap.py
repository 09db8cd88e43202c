"""The Python side of the Runtime API: loads the handler, asks for events, answers them."""

import decimal
import http.client
import importlib
import json
import logging
import os
import sys
import time
import traceback

API = "/2018-06-01/runtime/"
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
current_id = ""  # of the invocation that runs


def call(method, suffix, body=None, headers=None):
    headers = dict(headers or {})
    if body is not None:
        headers["Content-Type"] = "application/json"
    connection.request(method, API + suffix, body=body, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


class LambdaContext:
    def __init__(self, headers):
        env = os.environ
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = env["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = env.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env.get("AWS_LAMBDA_LOG_STREAM_NAME")
        client = headers.get("Lambda-Runtime-Client-Context")
        self.client_context = Given(json.loads(client)) if client else None
        identity = json.loads(headers.get("Lambda-Runtime-Cognito-Identity") or "{}")
        self.identity = Given({
            "cognito_identity_id": identity.get("cognitoIdentityId"),
            "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId"),
        })
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(self._deadline_ms - int(time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class Given:
    """Members of a JSON object as attributes."""

    def __init__(self, members):
        self.__dict__.update(members)


class RequestIdFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current_id
        return True


def set_up_logging():
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"))
    handler.formatter.converter = time.gmtime
    handler.addFilter(RequestIdFilter())
    logging.getLogger().addHandler(handler)


class Fault(Exception):
    """An error that Lambda names itself."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def load_handler(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", "Bad handler '%s': %s" % (name, error))
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module_name, error))
    except SyntaxError as error:
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module_name, error))
    if not hasattr(module, function_name):
        raise Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (function_name, module_name))
    return getattr(module, function_name)


def describe(error):
    if isinstance(error, Fault):
        return {"errorMessage": str(error), "errorType": error.kind, "requestId": current_id, "stackTrace": []}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": current_id,
        "stackTrace": traceback.format_list(frames),
    }


def report(suffix, error):
    shown = describe(error)
    text = "[ERROR] %s: %s\n" % (shown["errorType"], shown["errorMessage"])
    if shown["stackTrace"]:
        text += "Traceback (most recent call last):\n" + "".join(shown["stackTrace"])
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()
    call("POST", suffix, json.dumps(shown), {"Lambda-Runtime-Function-Error-Type": shown["errorType"]})


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def answer(handler, event, context):
    result = handler(json.loads(event), context)
    try:
        return json.dumps(result, default=plain).encode()
    except (TypeError, ValueError) as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error)


def main():
    global current_id
    sys.stdout.reconfigure(line_buffering=True)
    sys.path.insert(0, os.environ.get("LAMBDA_TASK_ROOT", "/var/task"))
    set_up_logging()
    try:
        handler = load_handler(os.environ.get("_HANDLER", ""))
    except BaseException as error:
        report("init/error", error)
        sys.exit(1)
    while True:
        status, headers, event = call("GET", "invocation/next")
        if status != 200:
            sys.exit(1)
        context = LambdaContext(headers)
        current_id = context.aws_request_id
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id") or ""
        try:
            body = answer(handler, event, context)
        except Exception as error:
            report("invocation/%s/error" % current_id, error)
            continue
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        call("POST", "invocation/%s/response" % current_id, body)


main()
