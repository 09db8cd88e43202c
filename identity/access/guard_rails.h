/* Guard rails: service control policies, which limit what an account's principals may do, its root user
 * included, and resource control policies, which limit what may be done to its resources by whomever. They
 * never grant. Kept as documents of the account, compiled in memory.
 *
 * As in AWS Organizations FullAWSAccess stands among an account's service control policies from the start,
 * and may be detached when another allows what shall be allowed; RCPFullAWSAccess stays. With these alone
 * nothing is asked. Neither kind touches service-linked roles, nor organizations: actions, by which guard
 * rails are changed: AWS's come from the management account, "SCPs don't affect users or roles in" it. */
#pragma once

#include "identity/identity.h"

struct guard_rails;

/* NULL: *why. */
struct guard_rails *guard_rails_open(struct db *db, struct arena *arena, struct str *why);
void guard_rails_close(struct guard_rails *rails);
/* After a commit: compiles the account's documents anew. */
void guard_rails_reload(struct guard_rails *rails, struct arena *arena, struct str account);
/* References are held until the arena is freed. NULL: none. Any thread. */
void guard_rails_of(struct guard_rails *rails, struct arena *arena, struct str account,
                    const struct policy_set **service, const struct policy_set **resource);
bool guard_rails_any(const struct guard_rails *rails); /* of any account */

/* Management, for /_gatehouse/guard-rails/. kind: "service" or "resource"; name: [A-Za-z0-9+=,.@_-], at most 128.
 * Errors: as AWS Organizations has them: InvalidInputException, MalformedPolicyDocumentException,
 * PolicyNotFoundException, ConstraintViolationException (five of a kind at most, one service policy at least). */
struct guard_rail_order {
    struct str kind, name;
    const struct str *body; /* PUT */
};
gh_err guard_rails_list(struct call *call, void *ctx, struct str *json); /* {"service": [{"name","document"}], "resource": […]} */
gh_err guard_rails_get(struct call *call, void *order, struct str *json);
gh_err guard_rails_put(struct call *call, void *order, struct str *json);
gh_err guard_rails_delete(struct call *call, void *order, struct str *json);
