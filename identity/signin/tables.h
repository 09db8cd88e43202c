/* What can begin a sign-in, what can be asked in it, what can still be due: tables.c.
 * For identity/signin only. */
#pragma once

#include "identity/signin/sign_in.h"

const struct sign_in_flow *flow_named(struct str name);           /* NULL: none */
const struct sign_in_challenge *challenge_named(struct str name); /* NULL: none */
bool challenge_is_guessed(const char *name); /* guess.c */
extern const struct sign_in_gate sign_in_gates[];
extern const size_t n_sign_in_gates;

/* sign_in.c, for the operations */
gh_err sign_in_initiate(struct sign_in *s, struct str flow_name);
gh_err sign_in_respond(struct sign_in *s, struct str challenge);
