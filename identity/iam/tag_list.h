/* What tagging means for any list of tags, whatever they hang on. */
#pragma once

#include "identity/iam/iam.h"

/* "If a tag with the key already exists, its value is overwritten." Keys are compared without regard to case.
 * Errors: InvalidInput (aws:, doubles), LimitExceeded (more than 50). */
gh_err tag_list_merge(struct call *call, struct iam_tagListType *have, const struct iam_tagListType *more);
/* Keys that are not there are passed over. */
void tag_list_remove(struct iam_tagListType *have, const struct iam_tagKeyListType *keys);
/* A page of them, sorted by key. */
gh_err tag_list_page(struct call *call, const struct iam_tagListType *have, struct str marker,
                     struct opt_i64 max_items, struct iam_tagListType *out, struct opt_bool *truncated,
                     struct str *next);
