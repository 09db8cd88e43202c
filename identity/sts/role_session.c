#include "identity/sts/role_session.h"

#include "core/http_msg.h"
#include "identity/access/enforcement.h"

enum { DEFAULT_S = 3600, CHAINED_S = 3600 };

static void let_go(void *set)
{
    policy_set_free(set);
}

/* "… is invalid": not six parts, or one that must be there is empty. */
static gh_err parse_arn(struct call *call, struct str arn, struct str *account, struct str *name)
{
    struct str rest = arn, part[6] = { STR_NONE };
    size_t n = 0;
    while (n < 5 && str_split(&rest, ':', &part[n]))
        n++;
    part[5] = rest;
    if (n < 5 || !rest.ptr || !str_is(part[0], "arn") || !part[1].len || !part[2].len || !part[5].len)
        return gh_fail(call->arena, &STS_VALIDATION_ERROR, "%.*s is invalid", STR_FMT(arn));
    if (!str_is(part[2], "iam") || !str_starts(part[5], STR("role/")))
        return gh_fail(call->arena, &STS_VALIDATION_ERROR, "Request ARN is invalid");
    *account = part[4];
    *name = str_from(part[5], (size_t)(str_find_last(part[5], '/') + 1));
    return NULL;
}

gh_err sts_role_account(struct call *call, struct str role_arn, struct str *account)
{
    struct str name;
    return parse_arn(call, role_arn, account, &name);
}

/* "Non-existing role, wrong account and refusal give the same AccessDenied." Who is nobody of ours learns no more than
 * that it may not. */
static gh_err refuse(const struct role_request *r, const char *action)
{
    if (!r->caller)
        return gh_fail(r->call->arena, &STS_ACCESS_DENIED, "Not authorized to perform %s", action);
    return gh_fail(r->call->arena, &STS_ACCESS_DENIED, "User: %.*s is not authorized to perform: %s on resource: %.*s",
                   STR_FMT(r->caller->principal.arn), action, STR_FMT(r->role_arn));
}

static gh_err find_role(struct role_request *r)
{
    struct call *call = r->call;
    struct str account, name, why;
    bool found = false;
    gh_err err = parse_arn(call, r->role_arn, &account, &name);
    if (!err)
        err = entity_load(call->db, NULL, call->arena, account, ENTITY_ROLE, name, &r->role, &found);
    if (err)
        return err;
    if (!found || !str_eq(r->role.arn, r->role_arn))
        return refuse(r, r->action);
    r->trust = policy_set_new();
    arena_defer(call->arena, let_go, r->trust);
    return policy_set_add(r->trust, POLICY_TRUST, r->role.name, r->role.trust, call->arena, &why)
               ? NULL
               : refuse(r, r->action);
}

/* --- tags --- */

static bool has_key(const struct str *keys, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(keys[i], key))
            return true;
    return false;
}

/* A transitive key must be one of the passed tags, and none that the calling session handed on. */
static gh_err check_passed(struct role_request *r)
{
    const struct credential *caller = r->caller;
    for (size_t i = 0; i < r->passed.n; i++)
        if (caller && has_key(caller->transitive, caller->n_transitive, r->passed.items[i].key))
            return gh_fail(r->call->arena, &STS_INVALID_PARAMETER,
                           "One of the specified transitive tag keys can't be set because it conflicts with a "
                           "transitive tag key from the calling session.");
    for (size_t i = 0; i < r->n_passed_transitive; i++) {
        bool passed = false;
        for (size_t t = 0; t < r->passed.n; t++)
            passed |= str_eq_nocase(r->passed.items[t].key, r->passed_transitive[i]);
        if (!passed)
            return gh_fail(r->call->arena, &STS_INVALID_PARAMETER,
                           "The specified transitive tag key must be included in the requested tags.");
    }
    return NULL;
}

/* "Transitive tags persist through the whole chain." */
static void collect_tags(struct role_request *r)
{
    struct arena *arena = r->call->arena;
    const struct credential none = { 0 }, *caller = r->caller ? r->caller : &none;
    struct tag *tags = ARENA_ARRAY(arena, struct tag, r->passed.n + caller->n_tags);
    struct str *keys = ARENA_ARRAY(arena, struct str, r->n_passed_transitive + caller->n_transitive);
    size_t n = 0, n_keys = 0;
    for (size_t i = 0; i < r->passed.n; i++)
        tags[n++] = r->passed.items[i];
    for (size_t i = 0; i < r->n_passed_transitive; i++)
        keys[n_keys++] = r->passed_transitive[i];
    for (size_t i = 0; i < caller->n_tags; i++)
        if (has_key(caller->transitive, caller->n_transitive, caller->tags[i].key))
            tags[n++] = caller->tags[i];
    for (size_t i = 0; i < caller->n_transitive; i++)
        keys[n_keys++] = caller->transitive[i];
    r->tags = (struct tags){ n, tags };
    r->transitive = keys;
    r->n_transitive = n_keys;
}

gh_err role_session_prepare(struct role_request *r)
{
    gh_err err = find_role(r);
    if (!err)
        err = sts_check_tags(r->call, r->passed);
    if (!err)
        err = check_passed(r);
    if (!err)
        err = sts_check_policy(r->call, r->policy);
    if (!err)
        err = sts_check_policy_arns(r->call, r->role.account, r->policy_arns, r->n_policy_arns);
    if (err)
        return err;
    collect_tags(r);
    if (!r->source_identity.ptr && r->caller)
        r->source_identity = r->caller->source_identity;
    return NULL;
}

/* --- permission --- */

static struct policy_context context_of(struct role_request *r)
{
    struct call *call = r->call;
    struct policy_context context = policy_context_in(call->arena);
    policy_context_add_request(&context, call->now_us / 1000000, call->source_ip, call->user_agent,
                               http_header_get(call->headers, "referer"), str_starts(call->base_url, STR("https:")),
                               call->region);
    policy_context_add_keys(&context, r->keys, r->n_keys);
    policy_context_add(&context, "sts:RoleSessionName", r->session_name);
    policy_context_add(&context, "sts:SourceIdentity", r->source_identity);
    if (!r->caller)
        policy_context_add(&context, "aws:FederatedProvider", r->provider);
    if (r->mfa) { /* before the keys of the caller's own session: this is newer */
        policy_context_add(&context, "aws:MultiFactorAuthPresent", STR("true"));
        policy_context_add(&context, "aws:MultiFactorAuthAge", STR("0"));
    }
    struct str *keys = ARENA_ARRAY(call->arena, struct str, r->tags.n);
    for (size_t i = 0; i < r->tags.n; i++) {
        keys[i] = r->tags.items[i].key;
        policy_context_add_tagged(&context, "aws:RequestTag/", keys[i], r->tags.items[i].value);
    }
    if (r->tags.n)
        policy_context_add_list(&context, "aws:TagKeys", keys, r->tags.n);
    if (r->n_transitive)
        policy_context_add_list(&context, "sts:TransitiveTagKeys", r->transitive, r->n_transitive);
    for (size_t i = 0; i < r->role.tags.n; i++)
        policy_context_add_tagged(&context, "aws:ResourceTag/", r->role.tags.items[i]->key, r->role.tags.items[i]->value);
    return context;
}

/* Is the caller the very user or role that the trust policy meant when it was written? Names that the
 * store does not list (another account's) go by their words. */
static bool is_the_named(const struct role_request *r)
{
    struct str arn = r->caller->role_arn.ptr ? r->caller->role_arn : r->caller->principal.arn;
    struct str rest = r->role.named, line;
    while (str_split(&rest, '\n', &line)) {
        struct str id = line, name;
        str_split(&id, ' ', &name);
        if (str_eq(name, arn))
            return str_eq(id, r->caller->owner);
    }
    return true;
}

static gh_err deny(struct role_request *r, const struct policy_request *request, const struct policy_decision *decision)
{
    return gh_fail(r->call->arena, &STS_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(r->call->arena, request, decision)));
}

/* Both sides for one action. "Same account: a trust policy naming the caller's user or role ARN is
 * enough; naming the account requires the action in the caller's identity policy too." */
static gh_err authorise_principal(struct role_request *r, const char *action)
{
    struct call *call = r->call;
    struct policy_context context = context_of(r);
    struct policy_request request = { .action = str_of(action), .resource = r->role.arn, .keys = context.keys,
                                      .n_keys = context.n };
    const struct identity_target role = { .policy = r->trust, .account = r->role.account, .trust = true };
    struct policy_decision decision;
    bool allowed = identity_decide(call->module, call->arena, r->caller, &role, &request, &decision);
    if (allowed || !str_is(decision.policy_type, "role trust policy")) /* trust is enforced, whatever else is not */
        allowed = enforcement_settle(call->module, call->arena, r->caller, &request, &decision, allowed);
    if (allowed && (decision.to_account || is_the_named(r)))
        return NULL;
    bool untrusted = decision.effect == POLICY_IMPLICIT_DENY && str_is(decision.policy_type, "role trust policy");
    return allowed || untrusted ? refuse(r, action) : deny(r, &request, &decision);
}

/* Nobody of ours has policies: the trust policy alone says. */
static gh_err authorise_federated(struct role_request *r, const char *action)
{
    struct policy_context context = context_of(r);
    struct policy_request request = { .federated = r->federated, .action = str_of(action), .resource = r->role.arn,
                                      .keys = context.keys, .n_keys = context.n };
    const struct identity_target role = { .policy = r->trust, .account = r->role.account, .trust = true };
    struct policy_decision decision;
    return identity_decide(r->call->module, r->call->arena, NULL, &role, &request, &decision) ? NULL : refuse(r, action);
}

static gh_err authorise(struct role_request *r)
{
    gh_err (*ask)(struct role_request *, const char *) = r->caller ? authorise_principal : authorise_federated;
    if (r->caller && r->caller->source_identity.ptr && !str_eq(r->caller->source_identity, r->source_identity))
        return refuse(r, "sts:SetSourceIdentity"); /* "once set … it cannot be changed" */
    gh_err err = ask(r, r->action);
    if (!err && r->tags.n)
        err = ask(r, "sts:TagSession");
    if (!err && r->source_identity.ptr)
        err = ask(r, "sts:SetSourceIdentity");
    return err;
}

/* --- the session --- */

static gh_err duration(struct role_request *r, int64_t now_s, int64_t *out)
{
    *out = r->duration_s.set ? r->duration_s.value : DEFAULT_S;
    if (r->caller && r->caller->principal.kind == PRINCIPAL_ROLE_SESSION && *out > CHAINED_S)
        return gh_fail(r->call->arena, &STS_VALIDATION_ERROR,
                       "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
                       "chaining.");
    if (*out > r->role.max_session_s)
        return gh_fail(r->call->arena, &STS_VALIDATION_ERROR,
                       "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    if (r->not_after_s && now_s + *out > r->not_after_s)
        *out = r->not_after_s - now_s;
    return NULL;
}

/* When a second factor was proved: now, or before the calling session was made. */
static int64_t proved_s(const struct role_request *r, int64_t now_s)
{
    return r->mfa ? now_s : r->caller ? r->caller->mfa_s : 0;
}

gh_err role_session_grant(struct role_request *r, struct session *out)
{
    struct call *call = r->call;
    int64_t now_s = call->now_us / 1000000, valid_s;
    gh_err err = authorise(r);
    if (!err)
        err = duration(r, now_s, &valid_s);
    if (err)
        return err;
    *out = (struct session){
        .kind = SESSION_ROLE,
        .account = r->role.account,
        .owner = r->role.id,
        .name = r->session_name,
        .issued_s = now_s,
        .expires_s = now_s + valid_s,
        .mfa_s = proved_s(r, now_s),
        .policy = r->policy,
        .policy_arns = r->policy_arns,
        .n_policy_arns = r->n_policy_arns,
        .tags = r->tags,
        .transitive = r->transitive,
        .n_transitive = r->n_transitive,
        .source_identity = r->source_identity,
        .provider = r->provider, /* "that session was issued using a third-party IdP": not the next of a chain */
        .keys = r->kept,
        .n_keys = r->n_kept,
        .token_size = r->token_size,
    };
    err = sts_check_packed(call, out);
    if (err)
        return err;
    session_issue(call->env, call->sealer, call->arena, out);
    out->role_id = str_printf(call->arena, "%.*s:%.*s", STR_FMT(r->role.id), STR_FMT(r->session_name));
    out->arn = str_printf(call->arena, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s", STR_FMT(r->role.account),
                          STR_FMT(r->role.name), STR_FMT(r->session_name));
    return NULL;
}

struct sts_AssumedRoleUser *role_session_user(struct call *call, const struct session *session)
{
    struct sts_AssumedRoleUser *user = ARENA_NEW(call->arena, struct sts_AssumedRoleUser);
    *user = (struct sts_AssumedRoleUser){ .assumed_role_id = session->role_id, .arn = session->arn };
    return user;
}

struct opt_i64 role_session_packed(const struct role_request *r, const struct session *session)
{
    return r->policy.ptr || r->n_policy_arns || r->passed.n ? some_i64(sts_packed_size(session)) : (struct opt_i64){ 0 };
}
