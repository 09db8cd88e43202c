/* Answers in the three protocols' forms. */
#pragma once

#include "wire/operation.h"

/* A result. */
void reply_success(struct arena *arena, const struct service *service, const struct operation *operation,
                   const void *out, struct str request_id, struct wire_reply *reply);
/* A refusal: status, code and message as the protocol has them. */
void reply_error(struct arena *arena, const struct service *service, gh_err err, struct str request_id,
                 struct wire_reply *reply);
