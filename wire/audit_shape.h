/* A structure as a record shows it: requestParameters, responseElements. */
#pragma once

#include "core/str.h"
#include "wire/model.h"

/* Appends the members that are set, between braces: names begin in lower case, what the model calls sensitive and what
 * we know to be secret is HIDDEN_DUE_TO_SECURITY_REASONS, times are as CloudTrail prints them, bytes are left out.
 * False: nothing is set, nothing was appended. */
bool audit_shape_print(struct strbuf *out, const struct service *service, const struct operation *operation, const struct shape *shape,
                       const void *value);
