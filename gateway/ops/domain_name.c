/* Custom domain names. */
#include "gateway/ops/domain_rules.h"
#include "gateway/ops/patch.h"
#include "gateway/domain/publish.h"

enum { MAX_DOMAINS = 120 };

static gh_err store_new(struct call *call, json_t *domain);
static json_t *new_document(struct call *call, const struct apigw_CreateDomainName_in *in);
static gh_err patch_certificate(struct patch *patch);
static gh_err patch_type(struct patch *patch);
static gh_err patch_inner(struct patch *patch);

static const struct patch_row rows[] = {
    { "/certificateName", PATCH_CHANGE, patch_certificate },
    { "/certificateArn", PATCH_CHANGE, patch_certificate },
    { "/regionalCertificateName", PATCH_CHANGE, patch_certificate },
    { "/regionalCertificateArn", PATCH_CHANGE, patch_certificate },
    { "/ownershipVerificationCertificateArn", PATCH_CHANGE, patch_text },
    { "/endpointConfiguration/types", PATCH_ADD | PATCH_REMOVE, patch_type },
    { "/endpointConfiguration/types/*", PATCH_REPLACE, patch_type },
    { "/endpointConfiguration/ipAddressType", PATCH_REPLACE, patch_inner },
    { "/endpointAccessMode", PATCH_REPLACE, patch_text },
    { "/managementPolicy", PATCH_REPLACE, patch_text },
    { "/policy", PATCH_REPLACE, patch_text },
    { "/routingMode", PATCH_REPLACE, patch_text },
    { "/securityPolicy", PATCH_REPLACE, patch_text },
    { "/mutualTlsAuthentication/truststoreUri", PATCH_CHANGE, patch_inner },
    { "/mutualTlsAuthentication/truststoreVersion", PATCH_CHANGE, patch_inner },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_plain, NULL };

gh_err apigw_CreateDomainName(struct call *call, const struct apigw_CreateDomainName_in *in,
                              struct apigw_CreateDomainName_out *out)
{
    json_t *domain = new_document(call, in);
    gh_err err = domain_check_name(call, json_str(domain, "domainName"));
    if (!err && in->endpoint_configuration && in->endpoint_configuration->types.n > 1)
        err = ops_bad_request(call, "Cannot create a domain name with multiple Endpoint Types.");
    if (!err)
        err = domain_check(call, domain);
    if (!err)
        err = gateway_check_domain(call->module, call, domain);
    if (err)
        return err;
    domain_derive(call, domain);
    err = store_new(call, domain);
    if (!err)
        err = gateway_publish_domains(call->module, call);
    return err ? err : ops_answer(call, domain, out);
}

gh_err apigw_GetDomainName(struct call *call, const struct apigw_GetDomainName_in *in,
                           struct apigw_GetDomainName_out *out)
{
    json_t *domain;
    gh_err err = domain_find_named(call, NULL, in->domain_name, in->domain_name_id, &domain);
    return err ? err : ops_answer(call, domain, out);
}

/* "resourceOwner: The owner of the domain name access association." Domains are shown to their own
 * account; those of others are reached by ARN. */
gh_err apigw_GetDomainNames(struct call *call, const struct apigw_GetDomainNames_in *in,
                            struct apigw_GetDomainNames_out *out)
{
    struct docs docs = { 0 };
    gh_err err = NULL;
    if (str_is(in->resource_owner, "OTHER_ACCOUNTS"))
        err = domain_list_shared(call, &docs);
    else
        err = domain_list(call->db, NULL, call->arena, call->account, call->region, &docs);
    return err ? err : ops_answer_page(call, &docs, "domainName", in->position, in->limit, out);
}

gh_err apigw_UpdateDomainName(struct call *call, const struct apigw_UpdateDomainName_in *in,
                              struct apigw_UpdateDomainName_out *out)
{
    struct domain_draft draft;
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    json_t *domain = draft.domain;
    if (!err)
        err = patch_apply(&rules, call->arena, domain, &in->patch_operations, call);
    if (!err)
        err = domain_check(call, domain);
    if (!err)
        err = gateway_check_domain(call->module, call, domain);
    if (!err) {
        domain_derive(call, domain);
        domain_save(&draft.tx, domain);
    }
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, domain, out);
}

gh_err apigw_DeleteDomainName(struct call *call, const struct apigw_DeleteDomainName_in *in,
                              struct apigw_DeleteDomainName_out *out)
{
    struct domain_draft draft;
    (void)out;
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    if (!err)
        domain_delete(&draft.tx, draft.id);
    return domain_close(&draft, err);
}

static gh_err store_new(struct call *call, json_t *domain)
{
    struct tx tx;
    struct docs mine;
    json_t *other = NULL;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = domain_named(call->db, &tx, call->arena, json_str(domain, "domainName"), &other);
    if (!err && other)
        err = ops_bad_request(call, "The domain name you provided already exists.");
    if (!err)
        err = domain_list(call->db, &tx, call->arena, call->account, call->region, &mine);
    if (!err)
        err = ops_check_tags(call, json_object_get(domain, "tags"));
    if (!err && mine.n >= MAX_DOMAINS)
        err = gh_fail(call->arena, &apigw_LimitExceededException,
                      "Unable to complete operation due to limit exceeded: %d custom domain names", MAX_DOMAINS);
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    domain_save(&tx, domain);
    return tx_commit(&tx);
}

static json_t *new_document(struct call *call, const struct apigw_CreateDomainName_in *in)
{
    static const char *const members[] = {
        "certificateName", "certificateArn", "regionalCertificateName", "regionalCertificateArn",
        "endpointConfiguration", "securityPolicy", "endpointAccessMode", "mutualTlsAuthentication",
        "ownershipVerificationCertificateArn", "policy", "routingMode", "tags",
    };
    json_t *domain = json_own(call->arena, json_object());
    json_set_str(domain, "id", ops_id(call, 10));
    json_set_str(domain, "account", call->account);
    json_set_str(domain, "region", call->region);
    json_set_str(domain, "domainName", str_lower(call->arena, in->domain_name));
    json_set_i64(domain, "certificateUploadDate", call->now_us / 1000000);
    json_object_update(domain, ops_given(call, in, members, COUNT(members)));
    json_t *endpoint = child_object(domain, "endpointConfiguration");
    if (!json_array_size(json_object_get(endpoint, "types"))) {
        json_t *types = json_array();
        json_array_append_new(types, json_of(STR("EDGE")));
        json_object_set_new(endpoint, "types", types);
    }
    bool private_ = domain_has_type(domain, "PRIVATE");
    if (!json_str(endpoint, "ipAddressType").len)
        json_set_str(endpoint, "ipAddressType", private_ ? STR("dualstack") : STR("ipv4"));
    if (!json_str(domain, "securityPolicy").len)
        json_set_str(domain, "securityPolicy", STR("TLS_1_2"));
    if (!json_str(domain, "routingMode").len)
        json_set_str(domain, "routingMode", STR("BASE_PATH_MAPPING_ONLY"));
    if (private_)
        json_set_str(domain, "domainNameId", json_str(domain, "id"));
    return domain;
}

/* --- update --- */

static gh_err patch_certificate(struct patch *patch)
{
    const struct call *call = patch->ctx;
    json_set_i64(patch->target, "certificateUploadDate", call->now_us / 1000000);
    return patch_text(patch);
}

/* add and remove name the type by value, replace by its place or by the type that goes. */
static gh_err patch_type(struct patch *patch)
{
    json_t *types = json_object_get(json_object_get(patch->target, "endpointConfiguration"), "types"), *one;
    int64_t place = -1;
    struct str gone = patch->op == PATCH_REPLACE ? patch->key : patch->op == PATCH_REMOVE ? patch->value : STR_NONE;
    size_t i, at = json_array_size(types);
    if (patch->op == PATCH_REPLACE)
        str_i64(patch->key, &place);
    json_array_foreach(types, i, one)
        if ((gone.ptr && str_eq(json_value_str(one), gone)) || (int64_t)i == place)
            at = i;
    if (gone.ptr && at == json_array_size(types))
        return gh_fail(patch->arena, &apigw_BadRequestException, "Invalid patch path %.*s", STR_FMT(patch->path));
    if (gone.ptr)
        json_array_remove(types, at);
    if (patch->op == PATCH_REMOVE)
        return NULL;
    json_array_foreach(types, i, one)
        if (str_eq(json_value_str(one), patch->value))
            return NULL;
    json_array_append_new(types, json_of(patch->value.ptr ? patch->value : STR("")));
    return NULL;
}

/* "/object/member" */
static gh_err patch_inner(struct patch *patch)
{
    const char *object = str_c(patch->arena, patch->member);
    struct str member = str_from(patch->path, patch->member.len + 2);
    json_t *inner = child_object(patch->target, object);
    if (patch->op == PATCH_REMOVE || !patch->value.len)
        json_object_deln(inner, member.ptr, member.len);
    else
        json_set_str(inner, str_c(patch->arena, member), patch->value);
    /* "To disable mutual TLS, remove the truststore" */
    if (str_is(patch->member, "mutualTlsAuthentication") && !json_str(inner, "truststoreUri").len)
        json_object_del(patch->target, object);
    return NULL;
}
