/* What IAM knows of the account as a whole: its alias, its numbers. */
#include "identity/iam/iam.h"
#include "identity/store/mfa_device.h"
#include "identity/store/user_key.h"

#define ALIAS STR("alias")
#define TOKEN_VERSION STR("token-version")

gh_err iam_CreateAccountAlias(struct call *call, const struct iam_CreateAccountAlias_in *in,
                              struct iam_CreateAccountAlias_out *out)
{
    (void)out;
    struct str holder;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = account_holding(call->db, &tx, call->arena, ALIAS, in->account_alias, &holder);
    if (!err && holder.ptr && !str_eq(holder, call->account)) /* aliases are unique among all accounts */
        err = gh_fail(call->arena, &iam_EntityAlreadyExistsException, "The account alias %.*s already exists.",
                      STR_FMT(in->account_alias));
    if (!err) /* "replaces the old one" */
        account_put(&tx, call->account, ALIAS, in->account_alias);
    return iam_finish(&tx, err);
}

gh_err iam_DeleteAccountAlias(struct call *call, const struct iam_DeleteAccountAlias_in *in,
                              struct iam_DeleteAccountAlias_out *out)
{
    (void)out;
    struct str alias;
    gh_err err = account_get(call->db, call->arena, call->account, ALIAS, &alias);
    if (!err && !(alias.ptr && str_eq(alias, in->account_alias)))
        err = gh_fail(call->arena, &iam_NoSuchEntityException, "The account alias %.*s cannot be found.",
                      STR_FMT(in->account_alias));
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    account_drop(&tx, call->account, ALIAS);
    return iam_finish(&tx, NULL);
}

gh_err iam_ListAccountAliases(struct call *call, const struct iam_ListAccountAliases_in *in,
                              struct iam_ListAccountAliases_out *out)
{
    struct str alias;
    struct iam_page page; /* of the one alias that an account may have */
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = account_get(call->db, call->arena, call->account, ALIAS, &alias);
    if (err)
        return err;
    bool shown = alias.ptr && (!page.after.ptr || str_cmp(alias, page.after) > 0);
    out->account_aliases = (struct iam_accountAliasListType){ true, shown, ARENA_ARRAY(call->arena, struct str, 1) };
    out->account_aliases.items[0] = alias;
    out->is_truncated = some_bool(false);
    return NULL;
}

gh_err iam_GetAccountSummary(struct call *call, const struct iam_GetAccountSummary_in *in,
                             struct iam_GetAccountSummary_out *out)
{
    (void)in;
    static const enum entity_kind kinds[] = { ENTITY_USER, ENTITY_GROUP, ENTITY_ROLE, ENTITY_POLICY,
                                             ENTITY_PROFILE, ENTITY_CERTIFICATE, ENTITY_OIDC, ENTITY_SAML };
    int64_t counts[COUNT(kinds)];
    int64_t devices = 0, in_use = 0, versions = 0;
    struct str tokens;
    struct access_keys keys;
    struct mfa_devices root_devices;
    struct user_keys root_certificates;
    gh_err err = access_key_list(call->db, NULL, call->sealer, call->arena, call->account, &keys);
    if (!err)
        err = mfa_device_count(call->db, NULL, call->arena, call->account, &devices, &in_use);
    if (!err)
        err = mfa_device_list(call->db, NULL, call->arena, call->account, &root_devices);
    if (!err)
        err = signing_certificate_list(call->db, NULL, call->arena, call->account, &root_certificates);
    if (!err)
        err = version_count(call->db, call->arena, call->account, &versions);
    if (!err)
        err = account_get(call->db, call->arena, call->account, TOKEN_VERSION, &tokens);
    for (size_t i = 0; !err && i < COUNT(kinds); i++)
        err = entity_count(call->db, NULL, call->arena, call->account, kinds[i], &counts[i]);
    if (err)
        return err;
    const struct {
        const char *name;
        int64_t value;
    } rows[] = {
        { "Users", counts[0] },            { "UsersQuota", 5000 },
        { "Groups", counts[1] },           { "GroupsQuota", 300 },
        { "Roles", counts[2] },            { "RolesQuota", 1000 },
        { "Policies", counts[3] },         { "PoliciesQuota", 1500 },
        { "InstanceProfiles", counts[4] }, { "InstanceProfilesQuota", 1000 },
        { "GroupsPerUserQuota", 10 },      { "PolicySizeQuota", 6144 },
        { "VersionsPerPolicyQuota", 5 },   { "UserPolicySizeQuota", 2048 },
        { "GroupPolicySizeQuota", 5120 },  { "RolePolicySizeQuota", 10240 },
        { "AssumeRolePolicySizeQuota", 2048 }, { "AttachedPoliciesPerUserQuota", 10 },
        { "AttachedPoliciesPerGroupQuota", 10 }, { "AttachedPoliciesPerRoleQuota", 10 },
        { "AccessKeysPerUserQuota", 2 },   { "AccountAccessKeysPresent", keys.n > 0 },
        { "MFADevices", devices },         { "MFADevicesInUse", in_use },
        { "AccountMFAEnabled", root_devices.n > 0 }, { "AccountPasswordPresent", 0 },
        { "ServerCertificates", counts[5] }, { "ServerCertificatesQuota", 20 },
        { "SigningCertificatesPerUserQuota", 2 },
        { "AccountSigningCertificatesPresent", root_certificates.n > 0 },
        { "PolicyVersionsInUse", versions }, { "PolicyVersionsInUseQuota", 10000 },
        { "Providers", counts[6] + counts[7] },
        { "GlobalEndpointTokenVersion", tokens.ptr && str_is(tokens, "v2Token") ? 2 : 1 },
    };
    out->summary_map = (struct iam_summaryMapType){ true, COUNT(rows),
                                                    ARENA_ARRAY(call->arena, struct iam_summaryMapType_entry, COUNT(rows)) };
    for (size_t i = 0; i < COUNT(rows); i++)
        out->summary_map.items[i] = (struct iam_summaryMapType_entry){ str_of(rows[i].name), some_i64(rows[i].value) };
    return NULL;
}

/* v1Token is AWS's default. Here both are good in every region, and no longer than the other; what was chosen shows in
 * the summary. */
gh_err iam_SetSecurityTokenServicePreferences(struct call *call, const struct iam_SetSecurityTokenServicePreferences_in *in,
                                              struct iam_SetSecurityTokenServicePreferences_out *out)
{
    (void)out;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    account_put(&tx, call->account, TOKEN_VERSION, in->global_endpoint_token_version);
    return iam_finish(&tx, NULL);
}
