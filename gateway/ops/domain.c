#include "gateway/ops/domain.h"

#include "gateway/domain/publish.h"

enum { BASE_PATH_BYTES = 300 };

gh_err domain_find_named(struct call *call, struct tx *tx, struct str name, struct str domain_id, json_t **out)
{
    gh_err err = domain_load(call->db, tx, call->arena, call->account, call->region, str_lower(call->arena, name), out);
    if (err || (*out && (!domain_id.len || str_eq(domain_id, json_str(*out, "domainNameId")))))
        return err;
    *out = NULL;
    return ops_not_found(call, "Invalid domain name identifier specified");
}

gh_err domain_open(struct domain_draft *draft, struct call *call, struct str name, struct str domain_id)
{
    *draft = (struct domain_draft){ .call = call };
    tx_begin(&draft->tx, call->db, call->arena);
    gh_err err = domain_find_named(call, &draft->tx, name, domain_id, &draft->domain);
    draft->id = json_str(draft->domain, "id");
    return err;
}

gh_err domain_close(struct domain_draft *draft, gh_err err)
{
    if (err) {
        tx_rollback(&draft->tx);
        return err;
    }
    err = tx_commit(&draft->tx);
    return err ? err : gateway_publish_domains(draft->call->module, draft->call);
}

bool domain_has_type(const json_t *domain, const char *type)
{
    const json_t *types = json_object_get(json_object_get(domain, "endpointConfiguration"), "types");
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)types, i, one)
        if (str_is(json_value_str(one), type))
            return true;
    return false;
}

gh_err domain_check_target(struct call *call, struct tx *tx, const json_t *domain, struct str api_id, struct str stage)
{
    json_t *api = NULL, *found = NULL;
    const struct api_key key = { call->account, call->region, api_id };
    gh_err err = api_load(call->db, tx, call->arena, key, &api);
    if (err)
        return err;
    if (!api)
        return ops_bad_request(call, "Invalid REST API identifier specified");
    /* "You can only map private APIs to private custom domain names", and no others. */
    if (domain_has_type(domain, "PRIVATE") != domain_has_type(api, "PRIVATE"))
        return ops_bad_request(call, domain_has_type(domain, "PRIVATE")
                                         ? "Only private APIs can be mapped to a private custom domain name."
                                         : "Private APIs can only be mapped to a private custom domain name.");
    if (!stage.len)
        return NULL;
    err = stage_load(call->db, tx, call->arena, api_id, stage, &found);
    if (err || found)
        return err;
    return ops_bad_request(call, "Invalid stage identifier specified");
}

/* Of several levels, as API mappings have them: "v1/orders". AWS makes those by CreateApiMapping only;
 * here both may. "API mappings with multiple levels: the domain must be Regional." */
gh_err domain_check_path(struct call *call, const json_t *domain, struct str given, struct str *out)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$-_.+!*'()";
    struct str rest = given, segment;
    *out = !given.len || str_is(given, "(none)") ? STR("") : given;
    if (!out->len)
        return NULL;
    if (given.len > BASE_PATH_BYTES)
        return ops_bad_request(call, "API mapping key may have at most %d characters", BASE_PATH_BYTES);
    while (str_split(&rest, '/', &segment)) {
        bool good = segment.len > 0;
        for (size_t i = 0; i < segment.len; i++)
            good = good && segment.ptr[i] && strchr(allowed, segment.ptr[i]);
        if (!good)
            return ops_bad_request(call, "API mapping key may contain only letters, numbers and one of $-_.+!*'()");
    }
    if (str_find(given, '/') >= 0 && domain_has_type(domain, "EDGE"))
        return ops_bad_request(call, "Base paths of several levels need a REGIONAL domain name");
    return NULL;
}

struct str domain_arn(struct call *call, const json_t *domain)
{
    struct str name = json_str(domain, "domainName"), id = json_str(domain, "domainNameId");
    if (id.len)
        return str_printf(call->arena, "arn:%.*s:apigateway:%.*s:%.*s:/domainnames/%.*s+%.*s", STR_FMT(call->partition),
                          STR_FMT(call->region), STR_FMT(json_str(domain, "account")), STR_FMT(name), STR_FMT(id));
    return str_printf(call->arena, "arn:%.*s:apigateway:%.*s::/domainnames/%.*s", STR_FMT(call->partition),
                      STR_FMT(call->region), STR_FMT(name));
}
