/* What API Gateway says of one execution, in its own words.
 *
 * "In execution logging, API Gateway manages the CloudWatch Logs. The logged data includes errors or
 * execution traces, such as request or response parameter values or payloads, data used by Lambda
 * authorizers, whether API keys are required, whether usage plans are enabled, and so on. API Gateway
 * redacts authorization headers, API key values, and similar sensitive request parameters."
 *
 * It looks on: the runner tells it when a step has run, and it reads off the request what there is to
 * say. Lines go to the server's log under "API-Gateway-Execution-Logs_API/STAGE" when a method's
 * settings ask for them (loggingLevel, dataTraceEnabled), or into the answer of TestInvokeMethod. */
#pragma once

#include "gateway/pipeline.h"

struct gw_request;

struct execution_log {
    enum logging_level level;
    bool data;                  /* parameters, headers and bodies too */
    struct strbuf *test;        /* TestInvokeMethod's text; NULL: to the server's log */
    bool started, sent, received;
    struct str authorizer_answer; /* what a Lambda authorizer said, as it came */
    const struct invocation *authorizer;
};

/* When the method wants a log. */
void execution_log_begin(struct gw_request *r);
void execution_log_step(struct gw_request *r, const struct gw_step *step, enum gw_next next);
/* One line of TestInvoke's text: "Tue Nov 21 01:02:03 UTC 2023 : text". */
void execution_log_line(struct strbuf *out, int64_t wall_us, struct str text);
