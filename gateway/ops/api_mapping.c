/* API mappings: apigatewayv2's words for base path mappings, on the same domains. "To create an API
 * mapping with multiple levels, you must use API Gateway version 2 APIs." */
#include "gateway/ops/domain.h"
#include "gen/apigatewayv2.h"

static gh_err find(struct call *call, struct tx *tx, struct str domain_id, struct str id, json_t **out);
static gh_err put(struct domain_draft *draft, json_t *mapping, struct str key);
static json_t *shown(struct call *call, const json_t *mapping);
static struct str key_of(const json_t *mapping);

gh_err apiv2_CreateApiMapping(struct call *call, const struct apiv2_CreateApiMapping_in *in,
                              struct apiv2_CreateApiMapping_out *out)
{
    struct domain_draft draft;
    struct str key = STR("");
    json_t *mapping = json_own(call->arena, json_object());
    gh_err err = domain_open(&draft, call, in->domain_name, STR_NONE);
    if (!err)
        err = domain_check_path(call, draft.domain, in->api_mapping_key, &key);
    if (!err)
        err = mapping_must_be_free(&draft, key);
    if (!err) {
        json_set_str(mapping, "apiMappingId", ops_id(call, 6));
        json_set_str(mapping, "restApiId", in->api_id);
        json_set_str(mapping, "stage", in->stage);
        err = put(&draft, mapping, key);
    }
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, shown(call, mapping), out);
}

gh_err apiv2_GetApiMapping(struct call *call, const struct apiv2_GetApiMapping_in *in,
                           struct apiv2_GetApiMapping_out *out)
{
    json_t *domain, *mapping = NULL;
    gh_err err = domain_find_named(call, NULL, in->domain_name, STR_NONE, &domain);
    if (!err)
        err = find(call, NULL, json_str(domain, "id"), in->api_mapping_id, &mapping);
    return err ? err : ops_answer(call, shown(call, mapping), out);
}

/* By base path; the token is the last one shown. */
gh_err apiv2_GetApiMappings(struct call *call, const struct apiv2_GetApiMappings_in *in,
                            struct apiv2_GetApiMappings_out *out)
{
    json_t *domain, *page = json_own(call->arena, json_object()), *items = json_array();
    struct docs docs = { 0 };
    struct str after, last = STR_NONE; /* with a slash in front: "" is a key, too */
    int64_t max = 25;
    json_object_set_new(page, "items", items);
    if (in->max_results.len && (!str_i64(in->max_results, &max) || max < 1 || max > 500))
        return gh_fail(call->arena, &apiv2_BadRequestException, "Invalid maxResults specified");
    if (!position_key(call->arena, in->next_token, &after) || (in->next_token.len && !str_starts(after, STR("/"))))
        return gh_fail(call->arena, &apiv2_BadRequestException, "Invalid nextToken specified");
    gh_err err = domain_find_named(call, NULL, in->domain_name, STR_NONE, &domain);
    if (!err)
        err = mapping_list(call->db, NULL, call->arena, json_str(domain, "id"), &docs);
    for (size_t i = 0; !err && i < docs.n; i++) {
        if (in->next_token.len && str_cmp(key_of(docs.items[i]), str_from(after, 1)) <= 0)
            continue;
        if ((int64_t)json_array_size(items) == max) {
            json_set_str(page, "nextToken", position_of(call->arena, last));
            break;
        }
        last = str_concat(call->arena, STR("/"), key_of(docs.items[i]));
        json_array_append(items, shown(call, docs.items[i]));
    }
    return err ? err : ops_answer(call, page, out);
}

gh_err apiv2_UpdateApiMapping(struct call *call, const struct apiv2_UpdateApiMapping_in *in,
                              struct apiv2_UpdateApiMapping_out *out)
{
    struct domain_draft draft;
    json_t *mapping = NULL;
    struct str key = STR(""), before = STR("");
    gh_err err = domain_open(&draft, call, in->domain_name, STR_NONE);
    if (!err)
        err = find(call, &draft.tx, draft.id, in->api_mapping_id, &mapping);
    if (!err) {
        before = key = str_copy(call->arena, key_of(mapping));
        if (in->api_mapping_key.ptr)
            err = domain_check_path(call, draft.domain, in->api_mapping_key, &key);
    }
    if (!err && !str_eq(key, before))
        err = mapping_must_be_free(&draft, key);
    if (!err) {
        json_set_str(mapping, "restApiId", in->api_id);
        json_set_str(mapping, "stage", in->stage);
        mapping_delete(&draft.tx, draft.id, before);
        err = put(&draft, mapping, key);
    }
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, shown(call, mapping), out);
}

gh_err apiv2_DeleteApiMapping(struct call *call, const struct apiv2_DeleteApiMapping_in *in,
                              struct apiv2_DeleteApiMapping_out *out)
{
    struct domain_draft draft;
    json_t *mapping;
    (void)out;
    gh_err err = domain_open(&draft, call, in->domain_name, STR_NONE);
    if (!err)
        err = find(call, &draft.tx, draft.id, in->api_mapping_id, &mapping);
    if (!err)
        mapping_delete(&draft.tx, draft.id, key_of(mapping));
    return domain_close(&draft, err);
}

static struct str key_of(const json_t *mapping)
{
    struct str base_path = json_str(mapping, "basePath");
    return str_is(base_path, "(none)") ? STR("") : base_path;
}

static gh_err put(struct domain_draft *draft, json_t *mapping, struct str key)
{
    gh_err err = domain_check_target(draft->call, &draft->tx, draft->domain, json_str(mapping, "restApiId"),
                                     json_str(mapping, "stage"));
    if (err)
        return err;
    json_set_str(mapping, "basePath", key.len ? key : STR("(none)"));
    mapping_save(&draft->tx, draft->id, key, mapping);
    return NULL;
}

static gh_err find(struct call *call, struct tx *tx, struct str domain_id, struct str id, json_t **out)
{
    struct docs all;
    gh_err err = mapping_list(call->db, tx, call->arena, domain_id, &all);
    for (size_t i = 0; !err && i < all.n; i++)
        if (str_eq(json_str(all.items[i], "apiMappingId"), id)) {
            *out = all.items[i];
            return NULL;
        }
    return err ? err : gh_fail(call->arena, &apiv2_NotFoundException, "Invalid API mapping identifier specified");
}

static json_t *shown(struct call *call, const json_t *mapping)
{
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "apiId", json_str(mapping, "restApiId"));
    json_set_str(doc, "apiMappingId", json_str(mapping, "apiMappingId"));
    json_set_str(doc, "apiMappingKey", key_of(mapping));
    json_set_str(doc, "stage", json_str(mapping, "stage"));
    return doc;
}
