/* A pool's users by any of their attributes: what AWS's ListUsers has no filter for.
 *
 * Conditions are an object {"field.operator": "value"}, all of which must hold:
 *   field      an attribute of the schema (custom:level), or username, sub, status (CONFIRMED, …), enabled, created,
 *              modified, group
 *   operator   is (also when left out), not, contains, prefix, suffix, lt, le, gt, ge, exists (true or false)
 *   value      text compares without regard to ASCII case; Number attributes as numbers; created, modified and
 *              DateTime attributes as instants (2026-11-21, 2026-11-21T09:00:00Z)
 * At most 16. The narrowest index among them is used; without one every user is looked at, about a million in some
 * seconds. */
#pragma once

#include "identity/store/user_search.h"
#include "identity/users/user.h"

enum { SEARCH_CONDITIONS = 16 };

struct condition;
struct search {
    const struct pool *pool;
    struct condition *conditions;
    size_t n;
    struct user_query query; /* with the cursor in it */
};
/* InvalidParameterException names what is wrong. An empty object: all users. */
gh_err search_read(struct call *call, const struct pool *pool, const json_t *where, struct search *out);
bool search_matches(struct call *call, struct arena *scratch, const struct search *search, const struct user *user);
/* Where one stopped, as text, to go on after it. Absent: from the start. */
struct str search_place(struct arena *arena, struct str index_value, struct str key);
void search_place_read(struct str place, struct user_query *query);

/* Those that match, until `see` says false; user and strings are gone after it. */
gh_err search_each(struct call *call, const struct search *search,
                   bool (*see)(void *ctx, const struct user *user, struct str index_value), void *ctx);
