/* The API's own policy: "changes take effect when you deploy". */
#include "gateway/compile/compile.h"

#include "policy/eval.h"

static void let_go(void *set)
{
    policy_set_free(set);
}

bool compile_policy(struct compiler *c)
{
    struct snapshot *s = c->snapshot;
    struct str text = json_str(c->api, "policy"), why, *names;
    json_t *types = json_object_get(json_object_get(c->api, "endpointConfiguration"), "types");
    s->private_only = str_is(json_value_str(json_array_get(types, 0)), "PRIVATE");
    s->default_endpoint_off = json_flag(c->api, "disableExecuteApiEndpoint", false);
    if (!text.len)
        return !s->private_only ||
               compile_fail(c, "Private REST API doesn't have a resource policy attached to it");
    struct policy_set *set = policy_set_new();
    arena_defer(c->arena, let_go, set);
    c->place = STR("policy");
    if (!policy_set_add(set, POLICY_RESOURCE, STR("of the API"), text, c->scratch, &why))
        return compile_fail(c, "%.*s", STR_FMT(why));
    c->place = STR_NONE;
    s->policy = set;
    s->policy_wants_keys = policy_set_keys(set, c->scratch, &names) > 0;
    return true;
}
