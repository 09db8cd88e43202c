/* What a service gets that acts in a role: AssumeRole by lambda.amazonaws.com and its like. */
#include "identity/identity.h"
#include "identity/sts/session.h"
#include "identity/state.h"
#include "identity/store/iam_entity.h"

enum { VALID_S = 3600 };

static void let_go(void *set)
{
    policy_set_free(set);
}

/* "arn:aws:iam::ACCOUNT:role/path/NAME" */
static bool parse_role(struct str arn, struct str *account, struct str *name)
{
    struct str part[6], rest = arn;
    for (size_t n = 0; n < 5; n++)
        if (!str_split(&rest, ':', &part[n]))
            return false;
    if (!rest.ptr || !str_is(part[2], "iam") || !str_starts(rest, STR("role/")))
        return false;
    *account = part[4];
    *name = str_from(rest, (size_t)(str_find_last(rest, '/') + 1));
    return true;
}

bool identity_service_role(struct identity *identity, struct arena *arena, struct str role_arn, struct str service,
                           struct str session_name, struct str *key_id, struct str *secret, struct str *token)
{
    struct str account, name, why;
    struct entity role;
    struct policy_decision decision;
    struct policy_set *trust = policy_set_new();
    bool found = false;
    arena_defer(arena, let_go, trust);
    if (!parse_role(role_arn, &account, &name) ||
        entity_load(identity->db, NULL, arena, account, ENTITY_ROLE, name, &role, &found) || !found ||
        !str_eq(role.arn, role_arn) || !policy_set_add(trust, POLICY_TRUST, role.name, role.trust, arena, &why))
        return false;
    struct policy_context context = policy_context_in(arena);
    policy_context_add(&context, "aws:SourceAccount", account);
    const struct policy_request request = { .service = service, .action = STR("sts:AssumeRole"), .resource = role.arn,
                                            .keys = context.keys, .n_keys = context.n };
    if (policy_set_decide(arena, trust, "role trust policy", &request, &decision) != POLICY_ALLOW)
        return false;
    int64_t now_s = env_now_s(identity->env);
    struct session session = { .kind = SESSION_ROLE, .account = account, .owner = role.id, .name = session_name,
                               .issued_s = now_s, .expires_s = now_s + VALID_S };
    *token = session_issue(identity->env, identity->sealer, arena, &session);
    *key_id = session.key_id;
    *secret = session.secret;
    return true;
}
