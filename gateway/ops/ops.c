#include "gateway/ops/ops.h"

#include "core/base64.h"
#include "core/id.h"
#include "gateway/publish.h"
#include "wire/codec_json.h"

static const int64_t PAGE_DEFAULT = 25, PAGE_MAX = 500;

/* --- drafts --- */

static struct api_key key_of(struct call *call, struct str api_id)
{
    return (struct api_key){ call->account, call->region, api_id };
}

gh_err draft_open(struct draft *draft, struct call *call, struct str api_id)
{
    *draft = (struct draft){ .call = call, .key = key_of(call, api_id) };
    tx_begin(&draft->tx, call->db, call->arena);
    return api_load(call->db, &draft->tx, call->arena, draft->key, &draft->api);
}

gh_err draft_open_to_read(struct draft *draft, struct call *call, struct str api_id)
{
    gh_err err = draft_open(draft, call, api_id);
    draft->untouched = true;
    return err;
}

gh_err draft_open_beside(struct draft *draft, struct call *call, struct str api_id)
{
    *draft = (struct draft){ .call = call, .key = key_of(call, api_id), .untouched = true };
    tx_begin(&draft->tx, call->db, call->arena);
    return api_known(call->db, &draft->tx, call->arena, draft->key, &draft->api);
}

gh_err draft_close(struct draft *draft, gh_err err)
{
    if (err) {
        tx_rollback(&draft->tx);
        return err;
    }
    if (draft->api && !draft->untouched)
        api_save(&draft->tx, draft->key.id, draft->api);
    return tx_commit(&draft->tx);
}

gh_err draft_answer(struct draft *draft, gh_err err, json_t *doc, void *out)
{
    err = draft_close(draft, err);
    return err ? err : ops_answer(draft->call, doc, out);
}

gh_err draft_known(struct call *call, struct str api_id, json_t **api)
{
    return api_known(call->db, NULL, call->arena, key_of(call, api_id), api);
}

gh_err draft_read(struct call *call, struct str api_id, json_t **api)
{
    return api_load(call->db, NULL, call->arena, key_of(call, api_id), api);
}

/* --- nodes --- */

gh_err api_required(struct call *call, const json_t *api, struct str api_id)
{
    if (api)
        return NULL;
    return ops_not_found(call, "Invalid API identifier specified %.*s:%.*s", STR_FMT(call->account),
                         STR_FMT(api_id));
}

gh_err resource_find(struct call *call, const json_t *api, struct str id, json_t **out)
{
    *out = api ? json_at(json_object_get(api, "resources"), id) : NULL;
    return *out ? NULL : ops_not_found(call, "Invalid Resource identifier specified");
}

gh_err method_find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                   struct method_ref *out)
{
    *out = (struct method_ref){ 0 };
    gh_err err = resource_find(call, api, resource_id, &out->resource);
    if (err)
        return err;
    out->method = json_at(json_object_get(out->resource, "resourceMethods"), http_method);
    if (!out->method)
        return ops_not_found(call, "Invalid Method identifier specified");
    out->integration = json_object_get(out->method, "methodIntegration");
    return NULL;
}

gh_err integration_find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                        struct method_ref *out)
{
    gh_err err = method_find(call, api, resource_id, http_method, out);
    if (err || out->integration)
        return err;
    return ops_not_found(call, "Invalid Integration identifier specified");
}

gh_err response_find(struct call *call, const json_t *parent, const char *responses, struct str status,
                     json_t **out)
{
    *out = json_at(json_object_get(parent, responses), status);
    return *out ? NULL : ops_not_found(call, "Invalid Response status code specified");
}

json_t *child_object(json_t *parent, const char *name)
{
    json_t *child = json_object_get(parent, name);
    if (!child) {
        child = json_object();
        json_object_set_new(parent, name, child);
    }
    return child;
}

void child_remove(json_t *parent, const char *name, struct str key)
{
    json_t *object = json_object_get(parent, name);
    json_object_deln(object, key.ptr, key.len);
    if (!json_object_size(object))
        json_object_del(parent, name);
}

void child_set(json_t *parent, const char *name, struct str key, json_t *child)
{
    json_object_setn(child_object(parent, name), key.ptr, key.len, child);
}

/* --- answers and input --- */

gh_err ops_answer(struct call *call, const json_t *doc, void *out)
{
    struct str why;
    if (shape_from_json(call->arena, call->operation->out, doc, out, &why))
        return NULL;
    return gh_fail(call->arena, &GH_INTERNAL, "the stored document does not fit %s: %.*s",
                   call->operation->name, STR_FMT(why));
}

json_t *ops_given(struct call *call, const void *in, const char *const *names, size_t n)
{
    json_t *all = json_encode(call->arena, call->operation->in, in, JSON_BODY);
    json_t *picked = json_own(call->arena, json_object());
    for (size_t i = 0; i < n; i++) {
        json_t *value = json_object_get(all, names[i]);
        if (value)
            json_object_set(picked, names[i], value);
    }
    return picked;
}

int64_t page_limit(struct opt_i64 limit)
{
    if (!limit.set || limit.value < 1)
        return PAGE_DEFAULT;
    return limit.value > PAGE_MAX ? PAGE_MAX : limit.value;
}

struct str position_of(struct arena *arena, struct str key)
{
    return base64url_encode(arena, key);
}

bool position_key(struct arena *arena, struct str position, struct str *key)
{
    *key = STR("");
    return str_empty(position) || base64url_decode(arena, position, key);
}

struct docs docs_of(struct arena *arena, const json_t *object)
{
    struct docs docs = { ARENA_ARRAY(arena, json_t *, json_object_size(object)), 0 };
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
        docs.items[docs.n++] = value;
    return docs;
}

static int by_key(const void *a, const void *b, void *sort_key)
{
    return str_cmp(json_str(*(json_t *const *)a, sort_key), json_str(*(json_t *const *)b, sort_key));
}

gh_err ops_answer_page(struct call *call, const struct docs *docs, const char *sort_key, struct str position,
                       struct opt_i64 limit, void *out)
{
    struct str after;
    if (!position_key(call->arena, position, &after))
        return ops_bad_request(call, "Invalid position specified");
    if (docs->n)
        qsort_r(docs->items, docs->n, sizeof *docs->items, by_key, (void *)sort_key);
    json_t *page = json_own(call->arena, json_object()), *items = json_array();
    json_object_set_new(page, "item", items);
    size_t max = (size_t)page_limit(limit);
    for (size_t i = 0; i < docs->n; i++) {
        if (position.ptr && str_cmp(json_str(docs->items[i], sort_key), after) <= 0)
            continue;
        if (json_array_size(items) == max) {
            struct str last = json_str(json_array_get(items, max - 1), sort_key);
            json_set_str(page, "position", position_of(call->arena, last));
            break;
        }
        json_array_append(items, docs->items[i]);
    }
    return ops_answer(call, page, out);
}

struct str ops_id(struct call *call, size_t n)
{
    return id_random(call->env, call->arena, n, ID_LOWER_ALNUM);
}

gh_err ops_limit(struct call *call, size_t have, size_t aws, size_t ours, const char *what)
{
    if (have < (gateway_aws_limits(call->module) ? aws : ours))
        return NULL;
    struct str kind = str_of(what), first;
    str_split(&kind, ' ', &first);
    return gh_fail(call->arena, &apigw_LimitExceededException,
                   "Maximum number of %s has been reached.  Please contact AWS if you need additional %.*s.", what,
                   STR_FMT(first));
}

/* --- errors --- */

static gh_err fail_with(struct call *call, const struct gh_kind *kind, const char *fmt, va_list args)
{
    struct str message = str_vprintf(call->arena, fmt, args);
    return gh_fail(call->arena, kind, "%.*s", STR_FMT(message));
}

gh_err ops_bad_request(struct call *call, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gh_err err = fail_with(call, &apigw_BadRequestException, fmt, args);
    va_end(args);
    return err;
}

gh_err ops_not_found(struct call *call, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gh_err err = fail_with(call, &apigw_NotFoundException, fmt, args);
    va_end(args);
    return err;
}

gh_err ops_conflict(struct call *call, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gh_err err = fail_with(call, &apigw_ConflictException, fmt, args);
    va_end(args);
    return err;
}
