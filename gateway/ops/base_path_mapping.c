/* Base path mappings: which API a path of a custom domain means. */
#include "gateway/ops/domain.h"
#include "gateway/ops/patch.h"

enum { MAX_MAPPINGS = 200 };

static gh_err find(struct call *call, struct tx *tx, struct str domain_id, struct str base_path, json_t **out);
static struct str key_of(struct str base_path);
static gh_err patch_api(struct patch *patch);

static const struct patch_row rows[] = {
    { "/basePath", PATCH_REPLACE, patch_text },
    { "/restapiId", PATCH_REPLACE, patch_api },
    { "/restApiId", PATCH_REPLACE, patch_api },
    { "/stage", PATCH_REPLACE, patch_text },
};
static const struct patch_rules rules = { rows, COUNT(rows), patch_refuse_listed, "[/basePath, /stage, /restapiId]" };

gh_err apigw_CreateBasePathMapping(struct call *call, const struct apigw_CreateBasePathMapping_in *in,
                                   struct apigw_CreateBasePathMapping_out *out)
{
    struct domain_draft draft;
    struct str base_path = STR("");
    json_t *mapping = json_own(call->arena, json_object());
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    if (!err)
        err = domain_check_path(call, draft.domain, in->base_path, &base_path);
    if (!err)
        err = mapping_must_be_free(&draft, base_path);
    if (!err)
        err = domain_check_target(call, &draft.tx, draft.domain, in->rest_api_id, in->stage);
    if (!err) {
        json_set_str(mapping, "apiMappingId", ops_id(call, 6));
        json_set_str(mapping, "basePath", base_path.len ? base_path : STR("(none)"));
        json_set_str(mapping, "restApiId", in->rest_api_id);
        json_set_str(mapping, "stage", in->stage.len ? in->stage : STR_NONE);
        mapping_save(&draft.tx, draft.id, base_path, mapping);
    }
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, mapping, out);
}

gh_err apigw_GetBasePathMapping(struct call *call, const struct apigw_GetBasePathMapping_in *in,
                                struct apigw_GetBasePathMapping_out *out)
{
    json_t *domain, *mapping = NULL;
    gh_err err = domain_find_named(call, NULL, in->domain_name, in->domain_name_id, &domain);
    if (!err)
        err = find(call, NULL, json_str(domain, "id"), in->base_path, &mapping);
    return err ? err : ops_answer(call, mapping, out);
}

gh_err apigw_GetBasePathMappings(struct call *call, const struct apigw_GetBasePathMappings_in *in,
                                 struct apigw_GetBasePathMappings_out *out)
{
    json_t *domain;
    struct docs docs = { 0 };
    gh_err err = domain_find_named(call, NULL, in->domain_name, in->domain_name_id, &domain);
    if (!err)
        err = mapping_list(call->db, NULL, call->arena, json_str(domain, "id"), &docs);
    return err ? err : ops_answer_page(call, &docs, "basePath", in->position, in->limit, out);
}

gh_err apigw_UpdateBasePathMapping(struct call *call, const struct apigw_UpdateBasePathMapping_in *in,
                                   struct apigw_UpdateBasePathMapping_out *out)
{
    struct domain_draft draft;
    json_t *mapping = NULL;
    struct str base_path = STR(""), before = key_of(in->base_path);
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    if (!err)
        err = find(call, &draft.tx, draft.id, in->base_path, &mapping);
    if (!err)
        err = patch_apply(&rules, call->arena, mapping, &in->patch_operations, NULL);
    if (!err)
        err = domain_check_path(call, draft.domain, str_copy(call->arena, json_str(mapping, "basePath")), &base_path);
    if (!err && !str_eq(base_path, before))
        err = mapping_must_be_free(&draft, base_path);
    if (!err)
        err = domain_check_target(call, &draft.tx, draft.domain, json_str(mapping, "restApiId"),
                                  json_str(mapping, "stage"));
    if (!err) {
        json_set_str(mapping, "basePath", base_path.len ? base_path : STR("(none)"));
        mapping_delete(&draft.tx, draft.id, before);
        mapping_save(&draft.tx, draft.id, base_path, mapping);
    }
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, mapping, out);
}

gh_err apigw_DeleteBasePathMapping(struct call *call, const struct apigw_DeleteBasePathMapping_in *in,
                                   struct apigw_DeleteBasePathMapping_out *out)
{
    struct domain_draft draft;
    json_t *mapping;
    (void)out;
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    if (!err)
        err = find(call, &draft.tx, draft.id, in->base_path, &mapping);
    if (!err)
        mapping_delete(&draft.tx, draft.id, key_of(in->base_path));
    return domain_close(&draft, err);
}

static struct str key_of(struct str base_path)
{
    return !base_path.len || str_is(base_path, "(none)") ? STR("") : base_path;
}

static gh_err find(struct call *call, struct tx *tx, struct str domain_id, struct str base_path, json_t **out)
{
    gh_err err = mapping_load(call->db, tx, call->arena, domain_id, key_of(base_path), out);
    if (err || *out)
        return err;
    return ops_not_found(call, "Invalid base path mapping identifier specified");
}

gh_err mapping_must_be_free(struct domain_draft *draft, struct str base_path)
{
    struct call *call = draft->call;
    struct docs all;
    json_t *other;
    gh_err err = mapping_load(call->db, &draft->tx, call->arena, draft->id, base_path, &other);
    if (!err && other)
        err = ops_conflict(call, "Base path already exists for this domain name");
    if (!err)
        err = mapping_list(call->db, &draft->tx, call->arena, draft->id, &all);
    if (!err && all.n >= MAX_MAPPINGS)
        err = gh_fail(call->arena, &apigw_LimitExceededException,
                      "Unable to complete operation due to limit exceeded: %d base path mappings", MAX_MAPPINGS);
    return err;
}

static gh_err patch_api(struct patch *patch)
{
    json_set_str(patch->target, "restApiId", patch->value.ptr ? patch->value : STR(""));
    return NULL;
}
