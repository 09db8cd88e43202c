#pragma once

#include "functions/ops/common.h"

/* $LATEST for a change; a qualifier other than it is refused. */
gh_err latest_of(struct call *call, struct tx *tx, const struct named *named, struct version_row *out);
/* Makes the next version of `latest`, or gives the last one when nothing has changed since.
 * `function` is changed (next_version), the caller saves it. `out` may be `latest`. */
gh_err version_publish(struct call *call, struct tx *tx, struct function_row *function, const struct version_row *latest,
                       struct str description, struct version_row *out);
/* One version, unless an alias points to it. */
gh_err version_delete_checked(struct call *call, struct tx *tx, const struct named *named);
/* What the answers of updates show before they settle. */
void show_creating(struct call *call, struct lambda_FunctionConfiguration *shown);
void show_updating(struct call *call, struct lambda_FunctionConfiguration *shown);
