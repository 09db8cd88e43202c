/* PreTokenGeneration: a pool's function says what tokens say. What may be changed and what may not is decided here, from
 * the event's answer to the claims; nothing else (pre_token_run asks the function). */
#pragma once

#include "identity/tokens/claims.h"

/* Tokens on their way; NULL: there is no such one. */
struct drafts {
    json_t *id, *access;
};

/* What the function is told. version: "V1_0", "V2_0", "V3_0". A new reference. */
json_t *pre_token_groups(const struct token_facts *facts);
/* The answer's `response` into the claims. Claims that cannot be changed stay as they are. False: it is no such answer
 * (*drafts may be half changed). */
bool pre_token_apply(struct arena *arena, struct str version, const json_t *response, struct str client_id,
                     struct drafts *drafts);

/* Asks the pool's function, if it has one that is asked about such tokens, and applies its answer. Job threads: it waits.
 *   source    "TokenGeneration_Authentication"
 *   metadata  the request's ClientMetadata, or NULL
 * Errors: those of trigger_run; InvalidLambdaResponseException. */
gh_err pre_token_run(struct call *call, const struct token_facts *facts, const char *source, const json_t *metadata,
                     struct drafts *drafts);
