/* Taking single answers out of a stage's cache, which AWS leaves to clients and to flushing. */
#pragma once

#include "wire/call.h"

struct stage_purge_request {
    struct str api_id, stage;
    const struct str *body; /* {"tag":"…"} or {"key":"…"}, read when it runs */
};
/* As an operation of apigateway beside FlushStageCache. *json: {"purged":n}. */
gh_err stage_cache_purge(struct call *call, void *request, struct str *json);
