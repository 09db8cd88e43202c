/* What ID and access tokens say, member by member as Cognito's do: from facts to JSON, nothing else. */
#pragma once

#include "identity/store/group.h"
#include "identity/tokens/token.h"

#define SCOPE_OF_SIGN_IN STR("aws.cognito.signin.user.admin")

struct token_facts {
    const struct client *client;
    const struct user *user;       /* NULL: a machine's token; the client is its own subject */
    const struct session *session; /* NULL with user */
    const struct group_row *groups;
    size_t n_groups;
    struct str issuer, jti;
    struct str scope;    /* of an access token: names with spaces between */
    json_t *audience;    /* `aud` other than Cognito's: a string or an array of strings; or NULL */
    json_t *act;         /* RFC 8693, or NULL */
    int64_t now_s;
    int64_t most_s;      /* `exp` is never later; 0: as late as the client says */
    bool of_oauth;       /* "version": 2 */
};
/* "id" or "access". Owned by the arena. */
json_t *token_claims(struct arena *arena, const struct token_facts *facts, enum key_use use);

/* Roles of groups, in order of precedence, without repetition: a new reference. */
json_t *group_names(const struct group_row *groups, size_t n);
json_t *group_roles(const struct group_row *groups, size_t n);
/* "If there is only one allowed role, cognito:preferred_role is set to that role. If there are multiple roles and no single
 * role has the best precedence, this claim isn't set." Absent: not set. */
struct str preferred_role(const struct group_row *groups, size_t n);
