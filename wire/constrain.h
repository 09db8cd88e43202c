/* Constraints of the models, with AWS's sentences:
 * "1 validation error detected: Value 'x' at 'poolName' failed to satisfy constraint: Member must
 * have length less than or equal to 128". */
#pragma once

#include "wire/registry.h"

/* NULL: all is well. Otherwise service->validation. */
gh_err constrain_check(struct arena *arena, const struct service *service, const struct operation *operation,
                       const void *in);
/* What a handler's answer lacks: required members, values of enums. Absent: it fits. AWS's own answers
 * stray from their lengths and patterns, so those do not count. */
struct str constrain_reply(struct arena *arena, const struct operation *operation, const void *out);
/* NULL: nothing is asked for that the service refuses. Otherwise service->refusal, naming the member. */
gh_err constrain_refused(struct arena *arena, const struct registered *registered,
                         const struct operation *operation, const void *in);
