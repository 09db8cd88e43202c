/* Documentation parts and versions: records for people and exports; nothing of them is served. */
#include "gateway/ops/ops.h"
#include "gateway/ops/patch.h"

#define PART    STR("part")
#define VERSION STR("version")

static gh_err create_part(struct draft *draft, const struct apigw_CreateDocumentationPart_in *in,
                          json_t **out);
static gh_err create_version(struct draft *draft, const struct apigw_CreateDocumentationVersion_in *in,
                             json_t **out);
static gh_err find(struct draft *draft, struct str kind, struct str id, json_t **out);
static gh_err read_one(struct call *call, struct str api_id, struct str kind, struct str id, json_t **out);
static gh_err change(struct call *call, struct str api_id, struct str kind, struct str id,
                     const struct patch_rules *rules, const struct apigw_ListOfPatchOperation *operations,
                     void *out);
static gh_err drop(struct call *call, struct str api_id, struct str kind, struct str id);
static gh_err patch_properties(struct patch *patch);

static const struct patch_row part_rows[] = {
    { "/properties", PATCH_REPLACE, patch_properties },
};
static const struct patch_rules part_rules = { part_rows, COUNT(part_rows), patch_refuse_listed,
                                               "[/properties]" };
static const struct patch_row version_rows[] = {
    { "/description", PATCH_REPLACE, patch_text },
};
static const struct patch_rules version_rules = { version_rows, COUNT(version_rows), patch_refuse_listed,
                                                  "[/description]" };

/* --- parts --- */

gh_err apigw_CreateDocumentationPart(struct call *call, const struct apigw_CreateDocumentationPart_in *in,
                                     struct apigw_CreateDocumentationPart_out *out)
{
    struct draft draft;
    json_t *part = NULL;
    gh_err err = draft_open_beside(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err)
        err = create_part(&draft, in, &part);
    return draft_answer(&draft, err, part, out);
}

gh_err apigw_GetDocumentationPart(struct call *call, const struct apigw_GetDocumentationPart_in *in,
                                  struct apigw_GetDocumentationPart_out *out)
{
    json_t *part;
    gh_err err = read_one(call, in->rest_api_id, PART, in->documentation_part_id, &part);
    return err ? err : ops_answer(call, part, out);
}

static bool part_wanted(const struct apigw_GetDocumentationParts_in *in, const json_t *part)
{
    const json_t *location = json_object_get(part, "location");
    struct str properties = json_str(part, "properties");
    if (in->type.ptr && !str_eq(in->type, json_str(location, "type")))
        return false;
    if (in->path.ptr && !str_eq(in->path, json_str(location, "path")))
        return false;
    if (in->name_query.ptr && str_find_str(json_str(location, "name"), in->name_query) < 0)
        return false;
    if (str_is(in->location_status, "DOCUMENTED"))
        return properties.len && !str_is(properties, "{}");
    return !str_is(in->location_status, "UNDOCUMENTED") || !properties.len || str_is(properties, "{}");
}

gh_err apigw_GetDocumentationParts(struct call *call, const struct apigw_GetDocumentationParts_in *in,
                                   struct apigw_GetDocumentationParts_out *out)
{
    json_t *api;
    struct docs docs = { 0 };
    gh_err err = draft_known(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (!err)
        err = documentation_list(call->db, NULL, call->arena, in->rest_api_id, PART, &docs);
    if (err)
        return err;
    size_t kept = 0;
    for (size_t i = 0; i < docs.n; i++)
        if (part_wanted(in, docs.items[i]))
            docs.items[kept++] = docs.items[i];
    docs.n = kept;
    return ops_answer_page(call, &docs, "id", in->position, in->limit, out);
}

gh_err apigw_UpdateDocumentationPart(struct call *call, const struct apigw_UpdateDocumentationPart_in *in,
                                     struct apigw_UpdateDocumentationPart_out *out)
{
    return change(call, in->rest_api_id, PART, in->documentation_part_id, &part_rules, &in->patch_operations,
                  out);
}

/* An unknown API is named here, where Get and Update speak of the part [recorded]. */
gh_err apigw_DeleteDocumentationPart(struct call *call, const struct apigw_DeleteDocumentationPart_in *in,
                                     struct apigw_DeleteDocumentationPart_out *out)
{
    (void)out;
    return drop(call, in->rest_api_id, PART, in->documentation_part_id);
}

/* --- versions --- */

gh_err apigw_CreateDocumentationVersion(struct call *call,
                                        const struct apigw_CreateDocumentationVersion_in *in,
                                        struct apigw_CreateDocumentationVersion_out *out)
{
    struct draft draft;
    json_t *version = NULL;
    gh_err err = draft_open_beside(&draft, call, in->rest_api_id);
    if (!err)
        err = api_required(call, draft.api, in->rest_api_id);
    if (!err)
        err = create_version(&draft, in, &version);
    return draft_answer(&draft, err, version, out);
}

gh_err apigw_GetDocumentationVersion(struct call *call, const struct apigw_GetDocumentationVersion_in *in,
                                     struct apigw_GetDocumentationVersion_out *out)
{
    json_t *version;
    gh_err err = read_one(call, in->rest_api_id, VERSION, in->documentation_version, &version);
    return err ? err : ops_answer(call, version, out);
}

gh_err apigw_GetDocumentationVersions(struct call *call, const struct apigw_GetDocumentationVersions_in *in,
                                      struct apigw_GetDocumentationVersions_out *out)
{
    json_t *api;
    struct docs docs = { 0 };
    gh_err err = draft_known(call, in->rest_api_id, &api);
    if (!err)
        err = api_required(call, api, in->rest_api_id);
    if (!err)
        err = documentation_list(call->db, NULL, call->arena, in->rest_api_id, VERSION, &docs);
    return err ? err : ops_answer_page(call, &docs, "version", in->position, in->limit, out);
}

gh_err apigw_UpdateDocumentationVersion(struct call *call,
                                        const struct apigw_UpdateDocumentationVersion_in *in,
                                        struct apigw_UpdateDocumentationVersion_out *out)
{
    return change(call, in->rest_api_id, VERSION, in->documentation_version, &version_rules,
                  &in->patch_operations, out);
}

gh_err apigw_DeleteDocumentationVersion(struct call *call,
                                        const struct apigw_DeleteDocumentationVersion_in *in,
                                        struct apigw_DeleteDocumentationVersion_out *out)
{
    (void)out;
    return drop(call, in->rest_api_id, VERSION, in->documentation_version);
}

/* --- helpers --- */

static gh_err not_found(struct call *call, struct str kind)
{
    return str_eq(kind, PART) ? ops_not_found(call, "Invalid Documentation part identifier specified")
                              : ops_not_found(call, "Invalid Documentation version specified");
}

static gh_err create_part(struct draft *draft, const struct apigw_CreateDocumentationPart_in *in,
                          json_t **out)
{
    static const char *const members[] = { "location", "properties" };
    struct call *call = draft->call;
    struct docs docs;
    struct str why;
    if (!json_is_object(json_parse(call->arena, in->properties, &why)))
        return ops_bad_request(call, "Documentation properties must be a valid JSON object");
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "id", ops_id(call, 6));
    json_object_update(*out, ops_given(call, in, members, COUNT(members)));
    gh_err err = documentation_list(call->db, &draft->tx, call->arena, draft->key.id, PART, &docs);
    for (size_t i = 0; !err && i < docs.n; i++)
        if (json_equal(json_object_get(docs.items[i], "location"), json_object_get(*out, "location")))
            err = ops_conflict(call,
                               "Documentation part already exists for the specified location: type '%.*s'",
                               STR_FMT(in->location->type));
    if (!err)
        documentation_save(&draft->tx, draft->key.id, PART, json_str(*out, "id"), *out);
    return err;
}

static gh_err create_version(struct draft *draft, const struct apigw_CreateDocumentationVersion_in *in,
                             json_t **out)
{
    struct call *call = draft->call;
    json_t *existing, *stage = NULL;
    struct str version = in->documentation_version;
    gh_err err =
        documentation_load(call->db, &draft->tx, call->arena, draft->key.id, VERSION, version, &existing);
    if (!err && str_empty(version))
        err = ops_bad_request(call, "Documentation version cannot be empty");
    if (!err && existing)
        err = ops_conflict(call, "Documentation version %.*s already exists", STR_FMT(version));
    if (!err && in->stage_name.ptr)
        err = stage_load(call->db, &draft->tx, call->arena, draft->key.id, in->stage_name, &stage);
    if (!err && in->stage_name.ptr && !stage)
        err = ops_not_found(call, "Invalid stage identifier specified");
    if (err)
        return err;
    *out = json_own(call->arena, json_object());
    json_set_str(*out, "version", version);
    json_set_i64(*out, "createdDate", call->now_us / 1000000);
    json_set_str(*out, "description", in->description);
    documentation_save(&draft->tx, draft->key.id, VERSION, version, *out);
    if (stage) {
        json_set_str(stage, "documentationVersion", version);
        stage_save(&draft->tx, draft->key.id, stage);
    }
    return NULL;
}

static gh_err find(struct draft *draft, struct str kind, struct str id, json_t **out)
{
    struct call *call = draft->call;
    *out = NULL;
    gh_err err = draft->api
                     ? documentation_load(call->db, &draft->tx, call->arena, draft->key.id, kind, id, out)
                     : NULL;
    return err || *out ? err : not_found(call, kind);
}

static gh_err read_one(struct call *call, struct str api_id, struct str kind, struct str id, json_t **out)
{
    json_t *api;
    *out = NULL;
    gh_err err = draft_known(call, api_id, &api);
    if (!err && api)
        err = documentation_load(call->db, NULL, call->arena, api_id, kind, id, out);
    return err || *out ? err : not_found(call, kind);
}

static gh_err change(struct call *call, struct str api_id, struct str kind, struct str id,
                     const struct patch_rules *rules, const struct apigw_ListOfPatchOperation *operations,
                     void *out)
{
    struct draft draft;
    json_t *doc = NULL;
    gh_err err = draft_open_beside(&draft, call, api_id);
    if (!err)
        err = find(&draft, kind, id, &doc);
    if (!err)
        err = patch_apply(rules, call->arena, doc, operations, NULL);
    if (!err)
        documentation_save(&draft.tx, api_id, kind, id, doc);
    return draft_answer(&draft, err, doc, out);
}

static gh_err drop(struct call *call, struct str api_id, struct str kind, struct str id)
{
    struct draft draft;
    json_t *doc;
    gh_err err = draft_open_beside(&draft, call, api_id);
    if (!err)
        err = api_required(call, draft.api, api_id);
    if (!err)
        err = find(&draft, kind, id, &doc);
    if (!err)
        documentation_delete(&draft.tx, api_id, kind, id);
    return draft_close(&draft, err);
}

static gh_err patch_properties(struct patch *patch)
{
    struct str why;
    if (!json_is_object(json_parse(patch->arena, patch->value, &why)))
        return gh_fail(patch->arena, &apigw_BadRequestException,
                       "Documentation properties must be a valid JSON object");
    return patch_string(patch);
}
