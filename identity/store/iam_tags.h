/* Tags at rest: a JSON array of pairs. */
#pragma once

#include "core/json.h"
#include "gen/iam.h"

json_t *iam_tags_json(const struct iam_tagListType *tags); /* new reference; NULL: none */
void iam_tags_parse(struct arena *arena, const json_t *pairs, struct iam_tagListType *out); /* views of `pairs` */
