#include "gateway/ops/stage_options.h"

#include "gateway/ops/stage.h"
#include "gateway/options.h"
#include "gateway/publish.h"

static struct str shown(struct call *call, const json_t *stage)
{
    json_t *options = json_object_get(stage, "options");
    return options ? json_print(call->arena, options) : STR("{}");
}

gh_err stage_options_get(struct call *call, void *ctx, struct str *json)
{
    const struct stage_options_request *request = ctx;
    json_t *api, *stage;
    gh_err err = draft_known(call, request->api_id, &api);
    if (!err)
        err = stage_find(call, NULL, api, request->api_id, request->stage, &stage);
    if (!err)
        *json = shown(call, stage);
    return err;
}

static gh_err change(struct call *call, const struct stage_options_request *request, json_t *stage)
{
    struct str why = STR_NONE;
    json_t *changes = json_parse(call->arena, *request->body, &why);
    if (!json_is_object(changes))
        return ops_bad_request(call, "Send a JSON object of options: {\"name\": value}. null takes one away");
    json_t *options = child_object(stage, "options");
    if (request->replace)
        json_object_clear(options);
    if (!options_change(call->arena, &gw_options, options, changes, &why))
        return ops_bad_request(call, "%.*s", STR_FMT(why));
    if (!json_object_size(options))
        json_object_del(stage, "options");
    return NULL;
}

gh_err stage_options_put(struct call *call, void *ctx, struct str *json)
{
    const struct stage_options_request *request = ctx;
    struct draft draft;
    json_t *stage = NULL;
    gh_err err = draft_open_beside(&draft, call, request->api_id);
    if (!err)
        err = stage_find(call, &draft.tx, draft.api, request->api_id, request->stage, &stage);
    if (!err)
        err = change(call, request, stage);
    if (!err)
        err = stage_put(&draft, stage);
    if ((err = draft_close(&draft, err)))
        return err;
    *json = shown(call, stage);
    return gateway_publish_knowing(call->module, call, request->api_id, request->stage, &draft.known);
}
