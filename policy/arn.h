/* ARNs, and patterns of them: arn:partition:service:region:account:resource. */
#pragma once

#include "policy/template.h"

enum { ARN_PARTS = 6 };
struct arn {
    struct str part[ARN_PARTS]; /* "arn", partition, service, region, account, resource */
};
/* Splits at the first five colons. False with fewer: then the missing parts are absent. */
bool arn_split(struct str text, struct arn *out);
bool arn_is_account(struct str text); /* twelve digits */

/* Part by part; wild cards do not cross the first five colons. */
struct arn_pattern {
    const struct template *part; /* ARN_PARTS of them; NULL: everything */
    bool everything;             /* "*" */
    bool loose;                  /* no ARN: one template for the whole text, in part[5] */
};
/* variables_everywhere: conditions; else only after the fifth colon, as in Resource. */
struct arn_pattern arn_pattern_compile(struct arena *arena, struct str text, bool variables,
                                       bool variables_everywhere);
bool arn_pattern_match(struct arena *arena, const struct arn_pattern *pattern, const struct policy_request *request,
                       struct str whole, const struct arn *split);
