/* AssumeRole: the caller's policies and the role's trust policy put together. */
#include "identity/sts/sts.h"

#include "core/http_msg.h"
#include "identity/store/iam_entity.h"

struct assume {
    struct call *call;
    const struct sts_AssumeRole_in *in;
    struct entity role;
    struct tags tags;               /* passed and inherited */
    struct str *transitive;
    size_t n_transitive;
    struct str source_identity;
    struct policy_set *trust;
};

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

/* "Non-existing role, wrong account and refusal give the same AccessDenied." */
static gh_err refuse(struct assume *a, const char *action)
{
    return gh_fail(a->call->arena, &STS_ACCESS_DENIED, "User: %.*s is not authorized to perform: %s on resource: %.*s",
                   STR_FMT(a->call->principal->arn), action, STR_FMT(a->in->role_arn));
}

static gh_err find_role(struct assume *a)
{
    struct call *call = a->call;
    struct str account, name, why;
    bool found = false;
    gh_err err = parse_arn(call, a->in->role_arn, &account, &name);
    if (!err)
        err = entity_load(call->db, NULL, call->arena, account, ENTITY_ROLE, name, &a->role, &found);
    if (err)
        return err;
    if (!found || !str_eq(a->role.arn, a->in->role_arn))
        return refuse(a, "sts:AssumeRole");
    if (!policy_set_add(a->trust, POLICY_TRUST, a->role.name, a->role.trust, call->arena, &why))
        return refuse(a, "sts:AssumeRole");
    return NULL;
}

/* --- tags --- */

static bool has_key(const struct str *keys, size_t n, struct str key)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(keys[i], key))
            return true;
    return false;
}

static gh_err collect_tags(struct assume *a)
{
    struct call *call = a->call;
    const struct sts_AssumeRole_in *in = a->in;
    const struct credential *caller = sts_caller(call);
    gh_err err = sts_check_tags(call, &in->tags);
    if (err)
        return err;
    struct tag *tags = ARENA_ARRAY(call->arena, struct tag, in->tags.n + caller->n_tags);
    a->transitive = ARENA_ARRAY(call->arena, struct str, in->transitive_tag_keys.n + caller->n_transitive);
    for (size_t i = 0; i < in->tags.n; i++) {
        if (has_key(caller->transitive, caller->n_transitive, in->tags.items[i]->key))
            return gh_fail(call->arena, &STS_INVALID_PARAMETER,
                           "One of the specified transitive tag keys can't be set because it conflicts with a "
                           "transitive tag key from the calling session.");
        tags[a->tags.n++] = (struct tag){ in->tags.items[i]->key, in->tags.items[i]->value };
    }
    for (size_t i = 0; i < in->transitive_tag_keys.n; i++) {
        struct str key = in->transitive_tag_keys.items[i];
        bool passed = false;
        for (size_t t = 0; t < in->tags.n; t++)
            passed |= str_eq_nocase(in->tags.items[t]->key, key);
        if (!passed)
            return gh_fail(call->arena, &STS_INVALID_PARAMETER,
                           "The specified transitive tag key must be included in the requested tags.");
        a->transitive[a->n_transitive++] = key;
    }
    /* "Transitive tags persist through the whole chain." */
    for (size_t i = 0; i < caller->n_tags; i++)
        if (has_key(caller->transitive, caller->n_transitive, caller->tags[i].key))
            tags[a->tags.n++] = caller->tags[i];
    for (size_t i = 0; i < caller->n_transitive; i++)
        a->transitive[a->n_transitive++] = caller->transitive[i];
    a->tags.items = tags;
    return NULL;
}

/* --- permission --- */

static struct policy_context context_of(struct assume *a)
{
    struct call *call = a->call;
    struct policy_context context = policy_context_in(call->arena);
    policy_context_add_request(&context, call->now_us / 1000000, call->source_ip, call->user_agent,
                               http_header_get(call->headers, "referer"), str_starts(call->base_url, STR("https:")),
                               call->region);
    policy_context_add(&context, "sts:ExternalId", a->in->external_id);
    policy_context_add(&context, "sts:RoleSessionName", a->in->role_session_name);
    policy_context_add(&context, "sts:SourceIdentity", a->source_identity);
    struct str *keys = ARENA_ARRAY(call->arena, struct str, a->tags.n);
    for (size_t i = 0; i < a->tags.n; i++) {
        keys[i] = a->tags.items[i].key;
        policy_context_add_tagged(&context, "aws:RequestTag/", keys[i], a->tags.items[i].value);
    }
    if (a->tags.n)
        policy_context_add_list(&context, "aws:TagKeys", keys, a->tags.n);
    if (a->n_transitive)
        policy_context_add_list(&context, "sts:TransitiveTagKeys", a->transitive, a->n_transitive);
    for (size_t i = 0; i < a->role.tags.n; i++)
        policy_context_add_tagged(&context, "aws:ResourceTag/", a->role.tags.items[i]->key, a->role.tags.items[i]->value);
    return context;
}

/* Is the caller the very user or role that the trust policy meant when it was written? Names that the
 * store does not list (another account's) go by their words. */
static bool is_the_named(const struct assume *a)
{
    const struct credential *caller = sts_caller(a->call);
    struct str arn = caller->role_arn.ptr ? caller->role_arn : caller->principal.arn;
    struct str rest = a->role.named, line;
    while (str_split(&rest, '\n', &line)) {
        struct str id = line, name;
        str_split(&id, ' ', &name);
        if (str_eq(name, arn))
            return str_eq(id, caller->owner);
    }
    return true;
}

/* Both sides for one action. "Same account: a trust policy naming the caller's user or role ARN is
 * enough; naming the account requires the action in the caller's identity policy too." */
static gh_err authorise(struct assume *a, const char *action)
{
    struct call *call = a->call;
    struct policy_context context = context_of(a);
    struct policy_request request = { .action = str_of(action), .resource = a->role.arn, .keys = context.keys,
                                      .n_keys = context.n };
    struct policy_decision own, trust;
    identity_allows(call->module, call->arena, sts_caller(call), &request, &own);
    policy_set_decide(call->arena, a->trust, "role trust policy", &request, &trust);
    if (own.effect == POLICY_EXPLICIT_DENY)
        return gh_fail(call->arena, &STS_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &own)));
    if (trust.effect == POLICY_EXPLICIT_DENY)
        return gh_fail(call->arena, &STS_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &trust)));
    if (trust.effect != POLICY_ALLOW || (!trust.to_account && !is_the_named(a)))
        return refuse(a, action);
    bool by_name = str_eq(a->role.account, call->account) && !trust.to_account &&
                   str_is(own.policy_type, "identity-based policy");
    if (own.effect == POLICY_ALLOW || by_name)
        return NULL;
    return gh_fail(call->arena, &STS_ACCESS_DENIED, "%.*s", STR_FMT(policy_denial(call->arena, &request, &own)));
}

static gh_err authorise_all(struct assume *a)
{
    const struct credential *caller = sts_caller(a->call);
    /* Root with a key that was issued; the key nobody made, in dev mode, may assume roles. */
    if (caller->root && caller->secret.ptr)
        return gh_fail(a->call->arena, &STS_ACCESS_DENIED, "Roles may not be assumed by root accounts.");
    if (caller->source_identity.ptr && a->in->source_identity.ptr &&
        !str_eq(caller->source_identity, a->in->source_identity))
        return refuse(a, "sts:SetSourceIdentity"); /* "once set … it cannot be changed" */
    gh_err err = authorise(a, "sts:AssumeRole");
    if (!err && a->tags.n)
        err = authorise(a, "sts:TagSession");
    if (!err && a->source_identity.ptr)
        err = authorise(a, "sts:SetSourceIdentity");
    return err;
}

static gh_err duration(struct assume *a, int64_t *out)
{
    struct opt_i64 wanted = a->in->duration_seconds;
    *out = wanted.set ? wanted.value : 3600;
    if (sts_caller(a->call)->principal.kind == PRINCIPAL_ROLE_SESSION && *out > 3600)
        return gh_fail(a->call->arena, &STS_VALIDATION_ERROR,
                       "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
                       "chaining.");
    if (*out > a->role.max_session_s)
        return gh_fail(a->call->arena, &STS_VALIDATION_ERROR,
                       "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
    return NULL;
}

static void answer(struct assume *a, int64_t duration_s, struct sts_AssumeRole_out *out)
{
    struct call *call = a->call;
    const struct sts_AssumeRole_in *in = a->in;
    int64_t now_s = call->now_us / 1000000;
    struct session session = {
        .kind = SESSION_ROLE, .account = a->role.account, .owner = a->role.id, .name = in->role_session_name,
        .issued_s = now_s, .expires_s = now_s + duration_s, .mfa = sts_caller(call)->mfa, .policy = in->policy,
        .tags = a->tags, .transitive = a->transitive, .n_transitive = a->n_transitive,
        .source_identity = a->source_identity,
    };
    sts_copy_policy_arns(call, &in->policy_arns, &session);
    out->credentials = sts_issue(call, &session);
    out->assumed_role_user = ARENA_NEW(call->arena, struct sts_AssumedRoleUser);
    out->assumed_role_user->assumed_role_id = str_printf(call->arena, "%.*s:%.*s", STR_FMT(a->role.id),
                                                         STR_FMT(in->role_session_name));
    out->assumed_role_user->arn = str_printf(call->arena, "arn:aws:sts::%.*s:assumed-role/%.*s/%.*s",
                                             STR_FMT(a->role.account), STR_FMT(a->role.name),
                                             STR_FMT(in->role_session_name));
    out->source_identity = a->source_identity;
    if (in->policy.ptr || in->policy_arns.n || in->tags.n)
        out->packed_policy_size = some_i64(sts_packed_size(&session));
}

static void let_go(void *set)
{
    policy_set_free(set);
}

gh_err sts_AssumeRole(struct call *call, const struct sts_AssumeRole_in *in, struct sts_AssumeRole_out *out)
{
    struct assume a = { .call = call, .in = in, .trust = policy_set_new() };
    int64_t duration_s;
    arena_defer(call->arena, let_go, a.trust);
    a.source_identity = in->source_identity.ptr ? in->source_identity : sts_caller(call)->source_identity;
    gh_err err = find_role(&a);
    if (!err)
        err = collect_tags(&a);
    if (!err)
        err = sts_check_policy(call, in->policy);
    if (!err)
        err = sts_check_mfa(call, in->serial_number, in->token_code);
    if (!err)
        err = authorise_all(&a);
    if (!err)
        err = duration(&a, &duration_s);
    if (!err)
        answer(&a, duration_s, out);
    return err;
}
