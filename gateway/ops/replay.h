/* A recorded request, tried on the draft: what would a deployment change for it? */
#pragma once

#include "wire/call.h"

struct replay_request {
    struct str api_id, stage;
    const struct str *body; /* {"trace":"…"}: trace id or request id; read when it runs */
};
/* *json: {"method","path","recorded":{"status","body"},"draft":{"status","headers":{},"body","log"},"same":bool}.
 * "same": status and body are equal; a body that was not kept counts as equal. */
gh_err replay_on_draft(struct call *call, void *request, struct str *json);
