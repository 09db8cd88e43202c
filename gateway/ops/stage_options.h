/* Reading and setting the options beyond AWS of a stage (gateway/options.h). */
#pragma once

#include "wire/call.h"

struct stage_options_request {
    struct str api_id, stage;
    const struct str *body; /* of a change: a JSON object of options, read when it runs */
    bool replace;           /* what is not named is taken away */
};
/* As operations of apigateway: GetStage's errors, UpdateStage's checks. *json: all that is set. */
gh_err stage_options_get(struct call *call, void *request, struct str *json);
gh_err stage_options_put(struct call *call, void *request, struct str *json);
