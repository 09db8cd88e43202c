/* Tags of functions: TagResource, UntagResource, ListTags. */
#include "functions/name.h"
#include "functions/ops/common.h"
#include "wire/codec_json.h"

enum { MAX_TAGS = 50 };

static gh_err tagged(struct call *call, struct tx *tx, struct str arn, struct function_row *row, struct lambda_Tags *tags)
{
    static const struct {
        const char *type, *shown;
    } others[] = { { ":event-source-mapping:", "Event source mapping" }, { ":capacity-provider:", "Capacity provider" },
                   { ":code-signing-config:", "Code signing config" }, { ":layer:", "Layer" } };
    struct function_name name;
    struct named named;
    for (size_t i = 0; i < COUNT(others); i++) /* none of them exists here */
        if (str_find_str(arn, str_of(others[i].type)) >= 0)
            return lambda_fail(call, &lambda_ResourceNotFoundException, "%s not found: %.*s", others[i].shown, STR_FMT(arn));
    if (!function_name_parse(arn, &name) || !name.region.ptr)
        return lambda_fail(call, &lambda_InvalidParameterValueException, "Only functions have tags here: %.*s", STR_FMT(arn));
    if (name.qualifier.ptr)
        return lambda_fail(call, &lambda_InvalidParameterValueException,
                           "Tags on function aliases and versions are not supported. Please specify a function ARN.");
    gh_err err = named_resolve(call, arn, STR_NONE, &named);
    if (!err)
        err = named_row(call, tx, &named, row);
    if (!err)
        shape_parse(call->arena, &lambda_shape_Tags, row->tags, tags);
    return err;
}

static gh_err keep(struct call *call, struct tx *tx, struct function_row *row, const struct lambda_Tags *tags)
{
    row->tags = shape_print(call->arena, &lambda_shape_Tags, tags);
    function_save(tx, row);
    return tx_commit(tx);
}

static struct lambda_Tags_entry *tag_at(struct lambda_Tags *tags, struct str key)
{
    for (size_t i = 0; i < tags->n; i++)
        if (str_eq(tags->items[i].key, key))
            return &tags->items[i];
    return NULL;
}

gh_err lambda_TagResource(struct call *call, const struct lambda_TagResource_in *in, struct lambda_TagResource_out *out)
{
    struct function_row row;
    struct lambda_Tags tags;
    struct tx tx;
    (void)out;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = tagged(call, &tx, in->resource, &row, &tags);
    if (!err && in->tags.n == 0)
        err = lambda_fail(call, &lambda_InvalidParameterValueException,
                          "An error occurred and the request cannot be processed.");
    if (!err) {
        struct lambda_Tags all = { .set = true, .n = tags.n,
                                   .items = ARENA_ARRAY(call->arena, struct lambda_Tags_entry, tags.n + in->tags.n) };
        if (tags.n)
            memcpy(all.items, tags.items, tags.n * sizeof *all.items);
        for (size_t i = 0; i < in->tags.n; i++) {
            struct lambda_Tags_entry *entry = tag_at(&all, in->tags.items[i].key);
            *(entry ? entry : &all.items[all.n++]) = in->tags.items[i];
        }
        err = all.n > MAX_TAGS ? lambda_fail(call, &lambda_InvalidParameterValueException,
                                             "Number of tags exceeds resource tag limit.")
                               : keep(call, &tx, &row, &all);
    }
    tx_rollback(&tx);
    return err;
}

gh_err lambda_UntagResource(struct call *call, const struct lambda_UntagResource_in *in,
                            struct lambda_UntagResource_out *out)
{
    struct function_row row;
    struct lambda_Tags tags;
    struct tx tx;
    (void)out;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = tagged(call, &tx, in->resource, &row, &tags);
    for (size_t i = 0; i < in->tag_keys.n && !err; i++) {
        struct lambda_Tags_entry *entry = tag_at(&tags, in->tag_keys.items[i]);
        if (entry)
            *entry = tags.items[--tags.n];
    }
    if (!err)
        err = keep(call, &tx, &row, &tags);
    tx_rollback(&tx);
    return err;
}

gh_err lambda_ListTags(struct call *call, const struct lambda_ListTags_in *in, struct lambda_ListTags_out *out)
{
    struct function_row row;
    gh_err err = tagged(call, NULL, in->resource, &row, &out->tags);
    out->tags.set = true;
    return err;
}
