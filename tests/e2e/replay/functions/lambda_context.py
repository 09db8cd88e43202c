def handler(event, context):
    return {name: getattr(context, name) for name in (
        "aws_request_id", "function_name", "function_version", "invoked_function_arn",
        "log_group_name", "log_stream_name", "memory_limit_in_mb")} | {
        "remaining_time_in_millis": context.get_remaining_time_in_millis(),
        "client_context": getattr(context, "client_context", None) and context.client_context.custom}
