/* SAML assertions that were used up. */
#pragma once

#include "wire/call.h"

/* *fresh false: it was there before. What nobody would take any more (until_s is over) is forgotten. */
gh_err saml_spent_add(struct call *call, struct str issuer, struct str id, int64_t until_s, bool *fresh);
