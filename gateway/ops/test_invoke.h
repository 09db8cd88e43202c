/* What operations that try a draft out share. */
#pragma once

#include "gateway/ops/ops.h"
#include "gateway/test_invoke.h"

/* Runs `request` (method_path is set here) through one method of the draft. */
gh_err test_invoke_in_draft(struct call *call, struct str api_id, const json_t *api, const struct method_ref *at,
                            struct test_request *request, struct test_result *out);
/* What no client could send either is refused. */
gh_err test_invoke_check(struct call *call, const struct test_request *request);
