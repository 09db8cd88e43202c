#include "identity/iam/reports/explain.h"

#include "identity/iam/iam.h"
#include "identity/iam/reports/source.h"
#include "policy/order.h"
#include "policy/set.h"

struct explanation {
    struct call *call;
    struct policy_order order;
    struct entity entity;
    struct credential credential;
    struct identity_target target;
};

static gh_err may_simulate(struct call *call, struct str arn)
{
    struct policy_request request = { .action = STR("iam:SimulatePrincipalPolicy"), .resource = arn };
    struct policy_decision decision;
    if (!call->credential || identity_allows(call->module, call->arena, call->credential, &request, &decision))
        return NULL;
    return gh_fail(call->arena, &IAM_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &decision)));
}

/* "…:assumed-role/r/s": the role is r, the session s. */
static gh_err find_principal(struct explanation *e)
{
    struct call *call = e->call;
    struct str arn = e->order.request.principal_arn, session = STR("explain"), kind, name;
    struct str rest = str_from(arn, (size_t)(str_find_str(arn, STR("assumed-role/")) > 0 ? str_find_str(arn, STR("assumed-role/")) : 0));
    gh_err err;
    str_split(&rest, '/', &kind);
    if (str_is(kind, "assumed-role") && str_split(&rest, '/', &name)) {
        session = rest.ptr && rest.len ? rest : session;
        err = iam_find(call, NULL, ENTITY_ROLE, name, &e->entity);
    } else {
        err = simulated_source(call, arn, &e->entity);
    }
    if (err)
        return err;
    if (e->entity.kind == ENTITY_GROUP)
        return gh_fail(call->arena, &iam_InvalidInputException, "A group makes no requests: name a user or a role.");
    if (!identity_credential_of(call->module, call->arena, &e->entity, session, &e->credential))
        return iam_no_such(call, e->entity.kind, e->entity.name);
    return may_simulate(call, e->entity.arn);
}

/* Policies that are tried stand beside the principal's own. */
static gh_err add_tried(struct explanation *e)
{
    const struct policy_set *tried = e->order.layers.identity;
    struct policy_set *all;
    const struct policy_set *boundary;
    struct str why;
    if (!tried)
        return NULL;
    gh_err err = principals_compile(e->call->db, e->call->arena, &e->entity, &all, &boundary);
    for (size_t i = 0; !err && i < tried->n; i++)
        policy_set_add(all, POLICY_IDENTITY, tried->policies[i]->name, tried->policies[i]->text, e->call->arena, &why);
    e->credential.policies.identity = all;
    return err;
}

static void let_go(void *set)
{
    policy_set_free(set);
}

/* A role that is to be assumed says itself who may. */
static gh_err find_trust(struct explanation *e)
{
    struct call *call = e->call;
    struct str arn = e->order.request.resource, why;
    struct entity role;
    bool found = false;
    if (e->target.policy || !str_starts_nocase(e->order.request.action, STR("sts:AssumeRole")) ||
        str_find_str(arn, str_printf(call->arena, ":iam::%.*s:role/", STR_FMT(call->account))) < 0)
        return NULL;
    gh_err err = entity_principal(call->db, NULL, call->arena, call->account, arn, &role, &found);
    if (err || !found)
        return err;
    struct policy_set *set = policy_set_new();
    arena_defer(call->arena, let_go, set);
    policy_set_add(set, POLICY_TRUST, role.name, role.trust, call->arena, &why);
    e->target.policy = set;
    e->target.trust = true;
    return NULL;
}

static gh_err gather(struct explanation *e, struct policy_layers *layers)
{
    struct call *call = e->call;
    const struct policy_layers given = e->order.layers;
    struct policy_request *request = &e->order.request;
    bool outsider = given.party == PARTY_OUTSIDER;
    gh_err err = NULL;
    if (given.party == PARTY_ROOT) {
        e->credential.root = true;
        e->credential.principal = (struct principal){ .kind = PRINCIPAL_ROOT, .account = call->account,
                                                      .arn = request->principal_arn, .id = call->account };
        err = may_simulate(call, request->principal_arn);
    } else if (!outsider) {
        err = find_principal(e);
        err = err ? err : add_tried(e);
    }
    e->target.account = e->order.resource_account.len ? e->order.resource_account : call->account;
    e->target.policy = given.resource;
    e->target.trust = given.trust;
    err = err ? err : find_trust(e);
    if (err)
        return err;
    if (!outsider)
        identity_complete(call->module, call->arena, &e->credential, request);
    identity_layers(call->module, call->arena, outsider ? NULL : &e->credential, &e->target, request, layers);
    layers->boundary = given.boundary ? given.boundary : layers->boundary;
    layers->session = given.session ? given.session : layers->session;
    layers->service_control = given.service_control ? given.service_control : layers->service_control;
    layers->resource_control = given.resource_control ? given.resource_control : layers->resource_control;
    return NULL;
}

gh_err explain_run(struct call *call, void *ctx, struct str *json)
{
    const struct str *body = ctx;
    struct explanation *e = ARENA_NEW(call->arena, struct explanation);
    struct policy_layers *layers = ARENA_NEW(call->arena, struct policy_layers);
    struct policy_why why;
    struct str fault;
    const json_t *order = json_parse(call->arena, *body, &fault);
    e->call = call;
    if (!order || !policy_order_read(call->arena, order, &e->order, &fault))
        return gh_fail(call->arena, &iam_InvalidInputException, "%.*s", STR_FMT(fault));
    /* Somebody of another account is known by the policies that the question brings. */
    bool ours = e->order.has_principal && (e->order.layers.party == PARTY_OUTSIDER ||
                                           str_eq(e->order.request.account, call->account));
    if (ours) {
        gh_err err = gather(e, layers);
        if (err)
            return err;
    } else {
        policy_order_complete(call->arena, &e->order);
        *layers = e->order.layers;
    }
    policy_why(call->arena, layers, &e->order.request, &why);
    json_t *out = policy_why_json(call->arena, &why);
    json_set_str(out, "text", policy_why_text(call->arena, &why));
    *json = json_print(call->arena, out);
    return NULL;
}
