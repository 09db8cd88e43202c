#include "identity/sts/sts.h"

#include "core/json.h"
#include "identity/iam/credentials/mfa_device.h"
#include "wire/audit.h"

const struct gh_kind STS_VALIDATION_ERROR = { "ValidationError", 400, false, NULL };
const struct gh_kind STS_ACCESS_DENIED = { "AccessDenied", 403, false, NULL };
const struct gh_kind STS_INVALID_PARAMETER = { "InvalidParameterValue", 400, false, NULL };

enum { TOKEN_BYTES = 4096, PACKED_BYTES = 4096 };

struct sts_Credentials *sts_credentials(struct call *call, const struct session *session)
{
    struct sts_Credentials *out = ARENA_NEW(call->arena, struct sts_Credentials);
    out->session_token = session->token;
    out->access_key_id = session->key_id;
    out->secret_access_key = session->secret;
    out->expiration = (struct opt_time){ true, (double)session->expires_s };
    return out;
}

void sts_audit_federated(struct call *call, const char *type, struct str principal_id, struct str user, struct str provider,
                         struct str account)
{
    json_t *identity = json_object();
    json_set_str(identity, "type", str_of(type));
    json_set_str(identity, "principalId", principal_id);
    json_set_str(identity, "userName", user);
    json_set_str(identity, "identityProvider", provider);
    audit_identity(call, identity);
    audit_account(call, account);
}

void sts_token_size(const struct session *session, struct opt_i64 *bytes, struct opt_i64 *percent)
{
    if (!session->token_size)
        return;
    *bytes = some_i64((int64_t)session->token.len);
    *percent = some_i64(((int64_t)session->token.len * 100 + TOKEN_BYTES - 1) / TOKEN_BYTES);
}

struct tags sts_tags(struct call *call, const struct sts_tagListType *tags)
{
    struct tag *items = ARENA_ARRAY(call->arena, struct tag, tags->n);
    for (size_t i = 0; i < tags->n; i++)
        items[i] = (struct tag){ tags->items[i]->key, tags->items[i]->value };
    return (struct tags){ tags->n, items };
}

const struct str *sts_policy_arns(struct call *call, const struct sts_policyDescriptorListType *arns)
{
    struct str *items = ARENA_ARRAY(call->arena, struct str, arns->n);
    for (size_t i = 0; i < arns->n; i++)
        items[i] = arns->items[i]->arn;
    return items;
}

gh_err sts_check_tags(struct call *call, struct tags tags)
{
    for (size_t i = 0; i < tags.n; i++) {
        if (str_starts_nocase(tags.items[i].key, STR("aws:")))
            return gh_fail(call->arena, &STS_INVALID_PARAMETER,
                           "System tags cannot be modified: tag keys must not begin with aws:");
        for (size_t j = 0; j < i; j++)
            if (str_eq_nocase(tags.items[i].key, tags.items[j].key))
                return gh_fail(call->arena, &STS_INVALID_PARAMETER,
                               "Duplicate tag keys found. Please note that Tag keys are case insensitive.");
    }
    return NULL;
}

gh_err sts_check_policy(struct call *call, struct str policy)
{
    struct str why;
    if (!policy.ptr || policy_check(call->arena, POLICY_IDENTITY, policy, &why))
        return NULL;
    return gh_fail(call->arena, &sts_MalformedPolicyDocumentException, "%.*s", STR_FMT(why));
}

/* "The policies must exist in the same account as the role." */
gh_err sts_check_policy_arns(struct call *call, struct str account, const struct str *arns, size_t n)
{
    struct str own = str_printf(call->arena, "arn:aws:iam::%.*s:policy/", STR_FMT(account)), document;
    for (size_t i = 0; i < n; i++) {
        if (!arns[i].ptr)
            return gh_fail(call->arena, &STS_VALIDATION_ERROR, "PolicyArns: each member must have an arn");
        bool mine = str_starts(arns[i], own) || str_starts(arns[i], STR("arn:aws:iam::aws:policy/"));
        gh_err err = mine ? managed_document(call->db, NULL, call->arena, arns[i], &document) : NULL;
        if (err)
            return err;
        if (!mine || !document.ptr)
            return gh_fail(call->arena, &STS_VALIDATION_ERROR, "Policy %.*s does not exist or is not attachable.",
                           STR_FMT(arns[i]));
    }
    return NULL;
}

gh_err sts_check_mfa(struct call *call, struct str serial_number, struct str token_code, bool *given)
{
    *given = false;
    if (!serial_number.ptr && !token_code.ptr)
        return NULL;
    if (!serial_number.ptr || !token_code.ptr)
        return gh_fail(call->arena, &STS_ACCESS_DENIED,
                       "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.");
    gh_err err = mfa_device_check(call, sts_caller(call)->owner, serial_number, token_code);
    *given = !err;
    return err;
}

static size_t tag_bytes(const struct session *session)
{
    size_t bytes = 0;
    for (size_t i = 0; i < session->tags.n; i++)
        bytes += session->tags.items[i].key.len + session->tags.items[i].value.len;
    return bytes;
}

static size_t policy_bytes(const struct session *session)
{
    size_t bytes = session->policy.len;
    for (size_t i = 0; i < session->n_policy_arns; i++)
        bytes += session->policy_arns[i].len;
    return bytes;
}

static int64_t percent(size_t bytes)
{
    return (int64_t)((bytes * 100 + PACKED_BYTES - 1) / PACKED_BYTES);
}

int64_t sts_packed_size(const struct session *session)
{
    return percent(policy_bytes(session) + tag_bytes(session));
}

gh_err sts_check_packed(struct call *call, const struct session *session)
{
    size_t tags = tag_bytes(session);
    if (percent(tags) > 100)
        return gh_fail(call->arena, &sts_PackedPolicyTooLargeException,
                       "Packed size of session tags consumes %lld%% of allotted space.", (long long)percent(tags));
    int64_t all = sts_packed_size(session);
    if (all <= 100)
        return NULL;
    return gh_fail(call->arena, &sts_PackedPolicyTooLargeException,
                   "Packed policy consumes %lld%% of allotted space, please use smaller policy.", (long long)all);
}
