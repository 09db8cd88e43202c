/* AssumeRoleWithWebIdentity, and what identity pools ask in its name. */
#include "identity/sts/assume.h"

#include "core/json.h"
#include "identity/federation/web_identity.h"
#include "identity/sts/role_session.h"

gh_err sts_web_identity_session(struct call *call, const struct web_session_order *order, struct session *out)
{
    struct role_request r = {
        .call = call,
        .action = "sts:AssumeRoleWithWebIdentity",
        .role_arn = order->role_arn,
        .session_name = order->session_name,
        .federated = order->federated,
        .provider = order->provider.ptr ? order->provider : order->federated,
        .keys = order->keys,
        .n_keys = order->n_keys,
        .kept = order->kept,
        .n_kept = order->n_kept,
        .policy = order->policy,
        .policy_arns = order->policy_arns,
        .n_policy_arns = order->n_policy_arns,
        .passed = order->tags,
        .passed_transitive = order->transitive,
        .n_passed_transitive = order->n_transitive,
        .source_identity = order->source_identity,
        .duration_s = order->duration_s,
        .not_after_s = order->not_after_s,
        .token_size = order->token_size,
    };
    gh_err err = role_session_prepare(&r);
    return err ? err : role_session_grant(&r, out);
}

/* --- the operation --- */

/* Claims that become keys of the trust policy; those of a session are fewer. */
static const char *const session_claims[] = { "sub", "aud", "amr", "azp" };

struct key_list {
    struct call *call;
    struct policy_key *items;
    size_t n;
};

static void add_key(struct key_list *keys, struct str host, const char *name, const struct str *values, size_t n)
{
    keys->items[keys->n++] = (struct policy_key){ str_printf(keys->call->arena, "%.*s:%s", STR_FMT(host), name), values, n };
}

/* The values of a claim that a policy can compare; 0: none. */
static size_t claim_values(struct call *call, const json_t *claim, const struct str **out)
{
    size_t n = 0, i;
    const json_t *one;
    struct str *values = ARENA_ARRAY(call->arena, struct str, json_array_size(claim) + 1);
    if (json_is_string(claim))
        values[n++] = json_value_str(claim);
    else if (json_is_boolean(claim))
        values[n++] = json_is_true(claim) ? STR("true") : STR("false");
    else if (json_is_integer(claim))
        values[n++] = str_printf(call->arena, "%lld", (long long)json_integer_value(claim));
    json_array_foreach(claim, i, one)
        if (json_is_string(one))
            values[n++] = json_value_str(one);
    *out = values;
    return n;
}

/* "With azp present :aud is azp and :oaud is aud." */
static void identity_keys(struct call *call, const struct web_identity *who, struct key_list *all, struct key_list *kept)
{
    struct str *audience = ARENA_NEW(call->arena, struct str);
    *audience = who->audience;
    bool other = json_str(who->claims, "azp").len > 0;
    const char *name;
    json_t *value;
    *all = (struct key_list){ call, ARENA_ARRAY(call->arena, struct policy_key, json_object_size(who->claims) + 2), 0 };
    *kept = (struct key_list){ call, ARENA_ARRAY(call->arena, struct policy_key, COUNT(session_claims)), 0 };
    json_object_foreach(who->claims, name, value) {
        const struct str *values;
        size_t n = strcmp(name, "aud") == 0 ? 0 : claim_values(call, value, &values);
        if (n)
            add_key(all, who->host, name, values, n);
    }
    if (other)
        add_key(all, who->host, "oaud", who->audiences, who->n_audiences);
    add_key(all, who->host, "aud", other ? audience : who->audiences, other ? 1 : who->n_audiences);
    for (size_t i = 0; i < all->n; i++) {
        struct str claim = str_from(all->items[i].name, who->host.len + 1);
        for (size_t k = 0; k < COUNT(session_claims); k++)
            if (str_is(claim, session_claims[k]))
                kept->items[kept->n++] = all->items[i];
    }
}

static gh_err bad_tags(struct call *call)
{
    return gh_fail(call->arena, &sts_InvalidIdentityTokenException,
                   "The tags of the web identity token are malformed: https://aws.amazon.com/tags must hold "
                   "principal_tags, each a list of one value, and transitive_tag_keys");
}

/* {"principal_tags": {"Project": ["Automation"]}, "transitive_tag_keys": ["Project"]} */
static gh_err read_nested(struct call *call, const json_t *claim, struct web_session_order *order)
{
    json_t *tags = json_object_get(claim, "principal_tags"), *keys = json_object_get(claim, "transitive_tag_keys"), *value;
    struct tag *items = ARENA_ARRAY(call->arena, struct tag, json_object_size(tags));
    struct str *transitive = ARENA_ARRAY(call->arena, struct str, json_array_size(keys));
    const char *name;
    size_t i, n = 0;
    if (!json_is_object(claim) || (tags && !json_is_object(tags)) || (keys && !json_is_array(keys)))
        return bad_tags(call);
    json_object_foreach(tags, name, value) {
        const json_t *one = json_is_array(value) && json_array_size(value) == 1 ? json_array_get(value, 0) : value;
        if (!json_is_string(one))
            return bad_tags(call);
        items[n++] = (struct tag){ str_of(name), json_value_str(one) };
    }
    json_array_foreach(keys, i, value) {
        if (!json_is_string(value))
            return bad_tags(call);
        transitive[order->n_transitive++] = json_value_str(value);
    }
    order->tags = (struct tags){ n, items };
    order->transitive = transitive;
    return NULL;
}

/* The flattened form: "https://aws.amazon.com/tags/principal_tags/Project": "Automation". */
static gh_err read_flat(struct call *call, const json_t *claims, struct web_session_order *order)
{
    static const char prefix[] = "https://aws.amazon.com/tags/principal_tags/";
    json_t *nested = json_own(call->arena, json_object()), *tags = json_object(), *value, *keys;
    const char *name;
    json_object_set_new(nested, "principal_tags", tags);
    json_object_foreach((json_t *)(uintptr_t)claims, name, value)
        if (str_starts(str_of(name), STR(prefix)))
            json_object_set(tags, name + sizeof prefix - 1, value);
    keys = json_object_get(claims, "https://aws.amazon.com/tags/transitive_tag_keys");
    if (keys)
        json_object_set(nested, "transitive_tag_keys", keys);
    return read_nested(call, nested, order);
}

static bool one_of_ours(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_+=,.@-", c)))
            return false;
    }
    return name.len >= 2 && name.len <= 64;
}

static gh_err read_source_identity(struct call *call, const json_t *claims, struct web_session_order *order)
{
    const json_t *value = json_object_get(claims, "https://aws.amazon.com/source_identity");
    if (!value)
        return NULL;
    order->source_identity = json_value_str(value);
    if (one_of_ours(order->source_identity) && !str_starts_nocase(order->source_identity, STR("aws:")))
        return NULL;
    return gh_fail(call->arena, &sts_InvalidIdentityTokenException,
                   "Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"");
}

/* The audience must be one of the record's; a login without a record leaves that to the trust policy. */
static gh_err read_provider(struct call *call, struct web_identity *who, struct web_session_order *order)
{
    if (who->well_known) {
        order->federated = who->host;
        return NULL;
    }
    if (!who->provider_arn.ptr)
        return gh_fail(call->arena, &sts_InvalidIdentityTokenException,
                       "No OpenIDConnect provider found in your account for %.*s", STR_FMT(who->issuer));
    order->federated = who->provider_arn;
    return web_identity_meant_for(who, who->client_ids, who->n_client_ids)
               ? NULL
               : gh_fail(call->arena, &sts_InvalidIdentityTokenException, "Incorrect token audience");
}

static gh_err read_token(struct call *call, const struct sts_AssumeRoleWithWebIdentity_in *in,
                         struct web_identity *who, struct web_session_order *order)
{
    struct str account;
    struct key_list all, kept;
    gh_err err = sts_role_account(call, in->role_arn, &account);
    if (!err)
        err = web_identity_verify(call, account, in->web_identity_token, who);
    if (err)
        return err;
    struct str provider = who->provider_arn.ptr ? who->provider_arn : who->host; /* also of who is refused from here on */
    sts_audit_federated(call, "WebIdentityUser",
                        str_printf(call->arena, "%.*s:%.*s:%.*s", STR_FMT(provider), STR_FMT(who->audience), STR_FMT(who->subject)),
                        who->subject, provider, account);
    err = read_provider(call, who, order);
    if (err)
        return err;
    const json_t *nested = json_object_get(who->claims, "https://aws.amazon.com/tags");
    err = nested ? read_nested(call, nested, order) : read_flat(call, who->claims, order);
    if (!err)
        err = read_source_identity(call, who->claims, order);
    identity_keys(call, who, &all, &kept);
    order->keys = all.items;
    order->n_keys = all.n;
    order->kept = kept.items;
    order->n_kept = kept.n;
    return err;
}

gh_err sts_AssumeRoleWithWebIdentity(struct call *call, const struct sts_AssumeRoleWithWebIdentity_in *in,
                                     struct sts_AssumeRoleWithWebIdentity_out *out)
{
    struct web_identity who;
    struct session session;
    struct web_session_order order = {
        .role_arn = in->role_arn,
        .session_name = in->role_session_name,
        .policy = in->policy,
        .policy_arns = sts_policy_arns(call, &in->policy_arns),
        .n_policy_arns = in->policy_arns.n,
        .duration_s = in->duration_seconds,
        .token_size = in->minimum_session_token_size.value,
    };
    gh_err err = read_token(call, in, &who, &order);
    if (!err)
        err = sts_web_identity_session(call, &order, &session);
    if (err)
        return err;
    out->credentials = sts_credentials(call, &session);
    out->assumed_role_user = role_session_user(call, &session);
    out->subject_from_web_identity_token = who.subject;
    out->provider = who.well_known ? who.host : who.issuer;
    out->audience = who.audience;
    out->source_identity = session.source_identity;
    if (order.policy.ptr || order.n_policy_arns || order.tags.n)
        out->packed_policy_size = some_i64(sts_packed_size(&session));
    sts_token_size(&session, &out->session_token_size, &out->session_token_utilization);
    return NULL;
}
