/* SetUICustomization, GetUICustomization: style sheet and logo of the classic sign-in pages, of the pool ("ALL") or of one
 * app client. */
#include "identity/pools/ui_customization.h"

#include "core/base64.h"
#include "core/json.h"
#include "identity/pools/css.h"
#include "identity/pools/domain.h"
#include "identity/pools/image.h"
#include "wire/codec_json.h"

#define ALL STR("ALL")

enum { LARGEST_IMAGE = 100 * 1024 };

static struct str logo_url(struct call *call, const struct pool *pool, struct str client)
{
    return str_printf(call->arena, "%.*s/_gatehouse/logos/%.*s/%.*s", STR_FMT(call->base_url), STR_FMT(pool->id),
                      STR_FMT(client));
}

/* "If you provide a client ID, ... otherwise the default for all clients": checks that there is such a client. */
static gh_err of_whom(struct call *call, const struct pool *pool, struct str given, struct str *client)
{
    struct client found;
    *client = given.ptr ? given : ALL;
    return str_eq(*client, ALL) ? NULL : client_of_pool(call, pool, *client, &found);
}

static gh_err check(struct call *call, const struct pool *pool, const struct idp_SetUICustomization_in *in)
{
    struct str prefix, custom;
    gh_err err = domains_of_pool(call, NULL, pool, &prefix, &custom);
    if (!err && !prefix.ptr && !custom.ptr)
        err = gh_fail(call->arena, &idp_InvalidParameterException,
                      "There has to be an existing domain associated with this user pool");
    const char *why = !err && in->css.ptr ? css_refuses(call->arena, in->css) : NULL;
    if (why)
        err = gh_fail(call->arena, &idp_InvalidParameterException, "Invalid CSS: %s.", why);
    if (!err && in->image_file.len > LARGEST_IMAGE)
        err = gh_fail(call->arena, &idp_InvalidParameterException, "The image file is larger than 100 KB.");
    const char *kind = in->image_file.len ? image_kind(in->image_file) : NULL;
    if (!err && in->image_file.len && (!kind || (strcmp(kind, "PNG") != 0 && strcmp(kind, "JPEG") != 0)))
        err = gh_fail(call->arena, &idp_InvalidParameterException, "The image file must be a PNG or JPEG image.");
    return err;
}

/* The record's doc: AWS's members, and `image` in base64. */
gh_err idp_SetUICustomization(struct call *call, const struct idp_SetUICustomization_in *in,
                              struct idp_SetUICustomization_out *out)
{
    struct pool pool;
    struct str client;
    struct pool_record old;
    bool found;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = of_whom(call, &pool, in->client_id, &client);
    if (!err)
        err = check(call, &pool, in);
    if (!err)
        err = store_record_find(call->db, NULL, call->arena, pool.id, RECORD_UI, client, &old, &found);
    if (err)
        return err;
    struct idp_UICustomizationType *ui = ARENA_NEW(call->arena, struct idp_UICustomizationType);
    json_t *before = found ? json_parse(call->arena, old.doc, NULL) : NULL;
    struct str image = in->image_file.ptr ? base64_encode(call->arena, in->image_file) : json_str(before, "image");
    if (before)
        shape_from_json(call->arena, &idp_shape_UICustomizationType, before, ui, NULL);
    ui->user_pool_id = pool.id;
    ui->client_id = client;
    if (in->css.ptr)
        ui->css = in->css;
    ui->image_url = image.len ? logo_url(call, &pool, client) : STR_NONE;
    ui->css_version = STR("20190128172214"); /* AWS's one version of its template */
    ui->last_modified_date = some_time_us(call->now_us);
    if (!ui->creation_date.set)
        ui->creation_date = ui->last_modified_date;
    json_t *doc = shape_to_json(call->arena, &idp_shape_UICustomizationType, ui);
    json_set_str(doc, "image", image.len ? image : STR_NONE);
    const struct pool_record record = { pool.id, STR(RECORD_UI), client, str_eq(client, ALL) ? STR_NONE : client,
                                        json_print(call->arena, doc), call->now_us };
    out->ui_customization = ui;
    return record_save(call, &record);
}

/* "If no customization exists for the client but there is a pool-level one, it is returned; if nothing, an empty shape." */
gh_err idp_GetUICustomization(struct call *call, const struct idp_GetUICustomization_in *in,
                              struct idp_GetUICustomization_out *out)
{
    struct pool pool;
    struct str client;
    bool found = false;
    out->ui_customization = ARENA_NEW(call->arena, struct idp_UICustomizationType);
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = of_whom(call, &pool, in->client_id, &client);
    if (!err)
        err = record_find(call, NULL, &pool, RECORD_UI, client, &idp_shape_UICustomizationType, out->ui_customization, &found);
    if (!err && !found)
        err = record_find(call, NULL, &pool, RECORD_UI, ALL, &idp_shape_UICustomizationType, out->ui_customization, &found);
    return err;
}

bool ui_logo(struct identity *identity, struct arena *arena, struct str pool_id, struct str client, struct str *bytes,
             const char **content_type)
{
    struct pool_record record;
    bool found;
    if (store_record_find(identity->db, NULL, arena, pool_id, RECORD_UI, client, &record, &found) || !found ||
        !base64_decode(arena, json_str(json_parse(arena, record.doc, NULL), "image"), bytes) || !bytes->len)
        return false;
    *content_type = image_content_type(*bytes);
    return true;
}
