/* What came of soft enforcement: the denials of an account, and the least policy that a principal's traffic needs. */
#pragma once

#include "identity/access/enforcement.h"

/* Handlers beside AWS's operations (wire/operation.h: struct wire_errand), on job threads; ctx: the query.
 *
 * principal=ARN, user/NAME, role/NAME or a name: of denials it may be missing.
 * {"enforcement": "soft", "denials": [{principal, action, resource, passedTo, wouldBe, refused, reason, last}], "more"} */
gh_err identity_denials(struct call *call, void *query, struct str *json);
/* wildcards=true: what differs in its last part only becomes a wild card.
 * {"principal", "policy": {…}, "uses": n, "complete": all of its use is still known, "notes": […]} */
gh_err identity_suggest(struct call *call, void *query, struct str *json);
