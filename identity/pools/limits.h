/* Requests a second that an account allows itself, by API category: GetProvisionedLimit, UpdateProvisionedLimit, and the
 * limits at work. In memory, any thread; loaded at start. */
#pragma once

#include "identity/state.h"

struct call_limits;

struct call_limits *call_limits_open(struct identity *identity, bool aws, struct arena *arena, struct str *why);
void call_limits_close(struct call_limits *limits);

/* Counts this call against its operation's category, once. Errors: TooManyRequestsException, "Rate exceeded". */
gh_err call_limits_take(struct call *call, struct str account, struct str region);
/* "UserAuthentication" */
const char *call_category(struct str operation);
