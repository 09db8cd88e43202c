/* Access associations: by which VPC endpoints a private custom domain can be reached. */
#include "gateway/ops/domain_rules.h"
#include "policy/eval.h"

static gh_err domain_by_arn(struct call *call, struct tx *tx, struct str arn, json_t **out);
static bool is_shared_with(struct call *call, const json_t *domain);
static gh_err find(struct call *call, struct tx *tx, struct str arn, json_t **out);

gh_err apigw_CreateDomainNameAccessAssociation(struct call *call,
                                               const struct apigw_CreateDomainNameAccessAssociation_in *in,
                                               struct apigw_CreateDomainNameAccessAssociation_out *out)
{
    static const char *const members[] = { "domainNameArn", "accessAssociationSourceType", "accessAssociationSource",
                                           "tags" };
    struct domain_draft draft = { .call = call };
    json_t *doc = ops_given(call, in, members, COUNT(members)), *other = NULL;
    if (!str_starts(in->access_association_source, STR("vpce-")))
        return ops_bad_request(call, "Invalid access association source: %.*s. It must be the ID of a VPC endpoint.",
                               STR_FMT(in->access_association_source));
    tx_begin(&draft.tx, call->db, call->arena);
    gh_err err = domain_by_arn(call, &draft.tx, in->domain_name_arn, &draft.domain);
    if (!err && !str_eq(json_str(draft.domain, "account"), call->account) && !is_shared_with(call, draft.domain))
        err = ops_not_found(call, "Invalid domain name identifier specified");
    struct str arn = str_printf(call->arena,
                                "arn:%.*s:apigateway:%.*s:%.*s:/domainnameaccessassociations/domainname/%.*s+%.*s/"
                                "vpcesource/%.*s", STR_FMT(call->partition), STR_FMT(call->region),
                                STR_FMT(call->account), STR_FMT(json_str(draft.domain, "domainName")),
                                STR_FMT(json_str(draft.domain, "domainNameId")),
                                STR_FMT(in->access_association_source));
    if (!err)
        err = association_load(call->db, &draft.tx, call->arena, arn, &other);
    if (!err && other && !json_flag(other, "rejected", false))
        err = ops_conflict(call, "The domain name access association already exists.");
    if (!err) {
        json_set_str(doc, "domainNameAccessAssociationArn", arn);
        json_set_str(doc, "account", call->account);
        association_save(&draft.tx, call->account, call->region, json_str(draft.domain, "id"), doc);
    }
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, doc, out);
}

/* SELF: associations of one's own endpoints; OTHER_ACCOUNTS: of others' with one's own domains. */
gh_err apigw_GetDomainNameAccessAssociations(struct call *call,
                                             const struct apigw_GetDomainNameAccessAssociations_in *in,
                                             struct apigw_GetDomainNameAccessAssociations_out *out)
{
    struct docs docs = { 0 }, domains = { 0 };
    gh_err err = NULL;
    if (!str_is(in->resource_owner, "OTHER_ACCOUNTS"))
        err = association_list(call->db, call->arena, call->account, call->region, &docs);
    else
        err = domain_list(call->db, NULL, call->arena, call->account, call->region, &domains);
    for (size_t i = 0; !err && i < domains.n; i++) {
        struct docs some;
        err = association_list_of(call->db, NULL, call->arena, json_str(domains.items[i], "id"), &some);
        json_t **all = ARENA_ARRAY(call->arena, json_t *, docs.n + some.n + 1);
        for (size_t k = 0; k < docs.n; k++)
            all[k] = docs.items[k];
        docs.items = all;
        for (size_t k = 0; !err && k < some.n; k++)
            if (!str_eq(json_str(some.items[k], "account"), call->account) && !json_flag(some.items[k], "rejected", false))
                docs.items[docs.n++] = some.items[k];
    }
    return err ? err
               : ops_answer_page(call, &docs, "domainNameAccessAssociationArn", in->position, in->limit, out);
}

gh_err apigw_DeleteDomainNameAccessAssociation(struct call *call,
                                               const struct apigw_DeleteDomainNameAccessAssociation_in *in,
                                               struct apigw_DeleteDomainNameAccessAssociation_out *out)
{
    struct domain_draft draft = { .call = call };
    json_t *doc;
    (void)out;
    tx_begin(&draft.tx, call->db, call->arena);
    gh_err err = find(call, &draft.tx, in->domain_name_access_association_arn, &doc);
    if (!err && !str_eq(json_str(doc, "account"), call->account))
        err = ops_not_found(call, "Invalid domain name access association identifier specified");
    if (!err)
        association_delete(&draft.tx, in->domain_name_access_association_arn);
    return domain_close(&draft, err);
}

/* "To reject a domain name access association with an access association source in another AWS account,
 * use this operation. To remove a domain name access association with an access association source in
 * your own account, use the DeleteDomainNameAccessAssociation operation." */
gh_err apigw_RejectDomainNameAccessAssociation(struct call *call,
                                               const struct apigw_RejectDomainNameAccessAssociation_in *in,
                                               struct apigw_RejectDomainNameAccessAssociation_out *out)
{
    struct domain_draft draft = { .call = call };
    json_t *doc = NULL;
    (void)out;
    tx_begin(&draft.tx, call->db, call->arena);
    gh_err err = domain_by_arn(call, &draft.tx, in->domain_name_arn, &draft.domain);
    if (!err && !str_eq(json_str(draft.domain, "account"), call->account))
        err = ops_not_found(call, "Invalid domain name identifier specified");
    if (!err)
        err = find(call, &draft.tx, in->domain_name_access_association_arn, &doc);
    if (!err && !str_eq(json_str(doc, "domainNameArn"), in->domain_name_arn))
        err = ops_not_found(call, "Invalid domain name access association identifier specified");
    if (!err && str_eq(json_str(doc, "account"), call->account))
        err = ops_bad_request(call, "The access association source is in your own account: use "
                                    "DeleteDomainNameAccessAssociation.");
    if (!err) {
        json_set_flag(doc, "rejected", true);
        association_save(&draft.tx, json_str(doc, "account"), call->region, json_str(draft.domain, "id"), doc);
    }
    return domain_close(&draft, err);
}

/* Private domains of others whose management policy lets this account associate. */
gh_err domain_list_shared(struct call *call, struct docs *out)
{
    struct docs all;
    gh_err err = domain_list_all(call->db, call->arena, &all);
    *out = (struct docs){ ARENA_ARRAY(call->arena, json_t *, err ? 1 : all.n + 1), 0 };
    for (size_t i = 0; !err && i < all.n; i++)
        if (!str_eq(json_str(all.items[i], "account"), call->account) && is_shared_with(call, all.items[i]))
            out->items[out->n++] = all.items[i];
    return err;
}

/* arn:aws:apigateway:us-east-1:1:/domainnames/x.test+abcd: private ones only have associations. */
static gh_err domain_by_arn(struct call *call, struct tx *tx, struct str arn, json_t **out)
{
    ptrdiff_t slash = str_find_last(arn, '/');
    struct str rest = str_from(arn, (size_t)(slash + 1)), name;
    *out = NULL;
    str_split(&rest, '+', &name);
    gh_err err = domain_named(call->db, tx, call->arena, name, out);
    if (err || (*out && str_eq(json_str(*out, "domainNameArn"), arn) && domain_has_type(*out, "PRIVATE")))
        return err;
    return ops_bad_request(call, "Invalid domain name ARN: %.*s. It must be that of a private custom domain name.",
                           STR_FMT(arn));
}

static bool is_shared_with(struct call *call, const json_t *domain)
{
    struct str text = json_str(domain, "managementPolicy"), why;
    struct policy_set *set = policy_set_new();
    const struct policy_request ask = { .principal_arn = call->principal->arn,
                                        .account = call->account,
                                        .action = STR("apigateway:CreateAccessAssociation"),
                                        .resource = json_str(domain, "domainNameArn") };
    struct policy_decision decision;
    bool shared = text.len && policy_set_add(set, POLICY_RESOURCE, STR("management policy"), text, call->arena, &why) &&
                  policy_set_decide(call->arena, set, "resource-based policy", &ask, &decision) == POLICY_ALLOW;
    policy_set_free(set);
    return shared;
}

static gh_err find(struct call *call, struct tx *tx, struct str arn, json_t **out)
{
    gh_err err = association_load(call->db, tx, call->arena, arn, out);
    if (err || *out)
        return err;
    return ops_not_found(call, "Invalid domain name access association identifier specified");
}
