/* May the principal of a credential do it: everything that has a say is gathered here, and decided in
 * policy/eval.c. */
#include "core/time.h"
#include "identity/access/guard_rails.h"
#include "identity/iam/credentials/password_rules.h"
#include "identity/access/enforcement.h"
#include "identity/iam/reports/last_access.h"
#include "identity/iam/resource.h"
#include "identity/state.h"
#include "identity/tag.h"

static void add_principal_keys(struct policy_context *context, const struct credential *credential, int64_t now_s)
{
    static const char *const types[] = {
        [PRINCIPAL_ANONYMOUS] = "Anonymous", [PRINCIPAL_ROOT] = "Account", [PRINCIPAL_USER] = "User",
        [PRINCIPAL_ROLE_SESSION] = "AssumedRole", [PRINCIPAL_FEDERATED] = "FederatedUser",
    };
    const struct principal *principal = &credential->principal;
    policy_context_add(context, "aws:PrincipalArn", credential->role_arn.ptr ? credential->role_arn : principal->arn);
    policy_context_add(context, "aws:PrincipalAccount", principal->account);
    policy_context_add(context, "aws:PrincipalType", str_of(types[principal->kind]));
    policy_context_add(context, "aws:PrincipalIsAWSService", STR("false"));
    policy_context_add(context, "aws:userid", principal->id);
    if (principal->kind == PRINCIPAL_USER)
        policy_context_add(context, "aws:username", principal->name);
    for (size_t i = 0; i < credential->n_tags; i++)
        policy_context_add_tagged(context, "aws:PrincipalTag/", credential->tags[i].key, credential->tags[i].value);
    policy_context_add(context, "aws:SourceIdentity", credential->source_identity);
    policy_context_add(context, "aws:FederatedProvider", credential->federated_provider);
    if (credential->temporary) { /* "absent for long-term keys" */
        policy_context_add(context, "aws:MultiFactorAuthPresent", credential->mfa ? STR("true") : STR("false"));
        policy_context_add(context, "aws:TokenIssueTime",
                           time_iso8601(context->arena, (int64_t)principal->token_issued_s));
        if (credential->mfa_s)
            policy_context_add(context, "aws:MultiFactorAuthAge",
                               str_printf(context->arena, "%lld", (long long)(now_s - credential->mfa_s)));
        policy_context_add_keys(context, credential->keys, credential->n_keys);
    }
}

/* A role's trust policy may let somebody in whom no policy of their own allows it: AssumeRole itself
 * puts both together (identity/sts/assume.c). An explicit deny ends it here. */
static bool decided_by_trust(struct str action, const struct policy_decision *decision)
{
    return decision->effect == POLICY_IMPLICIT_DENY && str_eq_nocase(action, STR("sts:AssumeRole"));
}

/* "No permissions are required to perform this operation": always allowed, even against a deny. */
static bool needs_no_permission(struct str action)
{
    return str_eq_nocase(action, STR("sts:GetCallerIdentity")) || str_eq_nocase(action, STR("sts:GetSessionToken"));
}

static bool is_of_assume_role(struct str action)
{
    return str_eq_nocase(action, STR("sts:AssumeRole")) || str_eq_nocase(action, STR("sts:TagSession")) ||
           str_eq_nocase(action, STR("sts:SetSourceIdentity"));
}

/* "GetFederationToken: you cannot call any IAM operations; no STS operations but GetCallerIdentity.
 * GetSessionToken: no IAM operations unless MFA was given; no STS operations but AssumeRole and
 * GetCallerIdentity." */
static bool beyond_session(const struct credential *credential, struct str action)
{
    bool federated = credential->principal.kind == PRINCIPAL_FEDERATED;
    bool lent = credential->temporary && !federated && credential->principal.kind != PRINCIPAL_ROLE_SESSION;
    if (str_starts_nocase(action, STR("iam:")))
        return federated || (lent && !credential->mfa);
    if (str_starts_nocase(action, STR("sts:")))
        return federated || (lent && !is_of_assume_role(action));
    return false;
}

/* "Service last accessed data includes all attempts, not only the successful ones"; PassRole, which is asked in
 * the middle of another operation, is not among them. */
static void note_access(struct identity *identity, const struct credential *credential,
                        const struct policy_request *request)
{
    const struct policy_key *region = policy_context_find(request->keys, request->n_keys, STR("aws:RequestedRegion"));
    if (!str_eq_nocase(request->action, STR("iam:PassRole")))
        last_access_note(identity, credential->owner, credential->principal.access_key_id,
                         region && region->n ? region->values[0] : identity->region, request->action,
                         env_now_s(identity->env));
}

/* Whose resource it is. ARNs of API Gateway name no account, and there is no foreign one to be named. */
static struct str account_of(struct str arn, struct str own)
{
    struct str rest = arn, part = STR_NONE;
    for (int i = 0; i < 5; i++)
        if (!str_split(&rest, ':', &part))
            return own;
    return part.len == 12 ? part : own;
}

void identity_complete(struct identity *identity, struct arena *arena, const struct credential *credential,
                       struct policy_request *request)
{
    request->principal_arn = credential->principal.arn;
    request->account = credential->principal.account;
    request->role_arn = credential->role_arn.ptr ? credential->role_arn : credential->maker_arn;

    struct policy_context context = policy_context_in(arena);
    policy_context_add_keys(&context, request->keys, request->n_keys);
    add_principal_keys(&context, credential, env_now_s(identity->env));
    policy_context_add(&context, "aws:ResourceAccount", account_of(request->resource, credential->principal.account));
    iam_resource(identity->db, arena, request, &context);
    request->keys = context.keys;
    request->n_keys = context.n;
}

/* "SCPs do not affect any service-linked role"; and what changes guard rails is not stopped by them. */
static bool is_beyond_guard_rails(const struct credential *credential, const struct policy_request *request)
{
    return str_starts_nocase(request->action, STR("organizations:")) ||
           (credential && str_find_str(credential->role_arn, STR(":role/aws-service-role/")) >= 0);
}

static void add_guard_rails(struct identity *identity, struct arena *arena, const struct credential *credential,
                            struct str resource_account, const struct policy_request *request, struct policy_layers *out)
{
    const struct policy_set *other;
    out->service_control = out->resource_control = NULL;
    if (!identity_has_guard_rails(identity) || is_beyond_guard_rails(credential, request))
        return;
    if (credential)
        guard_rails_of(identity->guard_rails, arena, credential->principal.account, &out->service_control, &other);
    if (!str_is(request->resource, "*") && resource_account.ptr) /* an action without resource is done to none */
        guard_rails_of(identity->guard_rails, arena, resource_account, &other, &out->resource_control);
}

bool identity_has_guard_rails(const struct identity *identity)
{
    return identity && guard_rails_any(identity->guard_rails); /* a gateway may stand alone, in its tests */
}

void identity_layers(struct identity *identity, struct arena *arena, const struct credential *credential,
                     const struct identity_target *target, const struct policy_request *request,
                     struct policy_layers *out)
{
    struct str account = target->account.ptr ? target->account : credential ? credential->principal.account : STR_NONE;
    *out = credential ? credential->policies : (struct policy_layers){ .party = PARTY_OUTSIDER };
    out->resource = target->policy;
    out->trust = target->trust;
    add_guard_rails(identity, arena, credential, account, request, out);
    if (!credential)
        return;
    out->party = credential->root ? PARTY_ROOT : PARTY_PRINCIPAL;
    out->cross_account = !str_eq(credential->principal.account, account);
}

/* What is said before any policy is asked. */
static bool said_before(const struct credential *credential, const struct policy_request *request,
                        struct policy_decision *decision)
{
    bool beyond = credential && beyond_session(credential, request->action);
    *decision = (struct policy_decision){ .effect = POLICY_ALLOW, .statement = -1,
                                          .policy_type = STR("the operation needs no permission") };
    if (needs_no_permission(request->action))
        return true;
    if (beyond) {
        decision->effect = POLICY_IMPLICIT_DENY;
        decision->policy_type = STR("session policy");
    }
    return beyond;
}

bool identity_decide(struct identity *identity, struct arena *arena, const struct credential *credential,
                     const struct identity_target *target, struct policy_request *request,
                     struct policy_decision *decision)
{
    struct policy_layers layers;
    if (credential) {
        identity_complete(identity, arena, credential, request);
        note_access(identity, credential, request);
    }
    if (said_before(credential, request, decision))
        return decision->effect == POLICY_ALLOW;
    identity_layers(identity, arena, credential, target, request, &layers);
    return policy_decide(arena, &layers, request, decision) == POLICY_ALLOW;
}

void identity_why(struct identity *identity, struct arena *arena, const struct credential *credential,
                  const struct identity_target *target, const struct policy_request *request, struct policy_why *out)
{
    struct policy_layers *layers = ARENA_NEW(arena, struct policy_layers);
    struct policy_decision decision;
    if (!said_before(credential, request, &decision)) {
        identity_layers(identity, arena, credential, target, request, layers);
        policy_why(arena, layers, request, out);
        return;
    }
    *out = (struct policy_why){ .request = request, .decision = decision };
    out->sentence = policy_reason(arena, request, &decision);
    if (decision.effect == POLICY_ALLOW)
        return;
    out->denial = policy_denial(arena, request, &decision);
    out->sentence = str_concat(arena, out->sentence,
                               STR(": sessions of GetFederationToken may not call iam or sts, and those of GetSessionToken "
                                   "only sts:AssumeRole, and iam when MFA was given"));
}

static void let_set_go(void *set)
{
    policy_set_free(set);
}

/* AllowUsersToChangePassword: every user of the account may change his own password and see what is asked of it, as if
 * he had this policy, too: denies, boundaries, session policies and guard rails still have their say. */
static bool allowed_by_account(struct identity *identity, struct arena *arena, const struct credential *credential,
                               const struct policy_request *request, struct policy_decision *decision)
{
    static const char document[] = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":["
                                   "\"iam:ChangePassword\",\"iam:GetAccountPasswordPolicy\"],\"Resource\":\"*\"}]}";
    const struct identity_target own = { 0 };
    struct password_rules rules;
    struct policy_layers layers;
    struct str why;
    if (decision->effect != POLICY_IMPLICIT_DENY || credential->principal.kind != PRINCIPAL_USER ||
        !(str_eq_nocase(request->action, STR("iam:ChangePassword")) ||
          str_eq_nocase(request->action, STR("iam:GetAccountPasswordPolicy"))) ||
        beyond_session(credential, request->action) ||
        password_rules_load(identity->db, arena, credential->principal.account, &rules) || !rules.allow_change)
        return false;
    struct policy_set *set = policy_set_new();
    arena_defer(arena, let_set_go, set);
    identity_layers(identity, arena, credential, &own, request, &layers);
    layers.identity = set;
    return policy_set_add(set, POLICY_IDENTITY, STR("AccountPasswordPolicy"), STR(document), arena, &why) &&
           policy_decide(arena, &layers, request, decision) == POLICY_ALLOW;
}

/* What a kind of session never may is no matter of policies: --enforce=soft does not lift that. */
static bool settle(struct identity *identity, struct arena *arena, const struct credential *credential,
                   const struct policy_request *request, const struct policy_decision *decision, bool allowed)
{
    if (needs_no_permission(request->action) || (credential && beyond_session(credential, request->action)))
        return allowed;
    return enforcement_settle(identity, arena, credential, request, decision, allowed);
}

bool identity_allows(struct identity *identity, struct arena *arena, const struct credential *credential,
                     struct policy_request *request, struct policy_decision *decision)
{
    const struct identity_target own = { 0 };
    bool allowed = identity_decide(identity, arena, credential, &own, request, decision) ||
                   allowed_by_account(identity, arena, credential, request, decision);
    return (!allowed && decided_by_trust(request->action, decision)) ||
           settle(identity, arena, credential, request, decision, allowed);
}

bool identity_allows_on(struct identity *identity, struct arena *arena, const struct credential *credential,
                        const struct policy_set *resource, struct str resource_account,
                        struct policy_request *request, struct policy_decision *decision)
{
    const struct identity_target target = { .policy = resource, .account = resource_account };
    bool allowed = identity_decide(identity, arena, credential, &target, request, decision);
    return settle(identity, arena, credential, request, decision, allowed);
}

bool identity_looks_at(struct identity *identity, struct arena *arena, const struct credential *credential, struct str begin)
{
    if (!credential)
        return false;
    const struct policy_set *service, *resource;
    guard_rails_of(identity->guard_rails, arena, credential->principal.account, &service, &resource);
    const struct policy_set *const sets[] = { credential->policies.identity, credential->policies.boundary,
                                              credential->policies.session, service, resource };
    for (size_t i = 0; i < COUNT(sets); i++) {
        struct str *names;
        size_t n = sets[i] ? policy_set_keys(sets[i], arena, &names) : 0;
        for (size_t k = 0; k < n; k++)
            if (str_starts_nocase(names[k], begin))
                return true;
    }
    return false;
}
