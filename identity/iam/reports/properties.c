/* Properties of an account: what Role Manager's switches are on AWS. Kept and shown, a namespace at a time. */
#include "core/json.h"
#include "identity/iam/iam.h"

#define PROPERTIES STR("properties")
enum { MOST_PROPERTIES = 100 };

static gh_err load(struct call *call, struct tx *tx, json_t **out)
{
    struct str doc, why;
    gh_err err = account_get_in(call->db, tx, call->arena, call->account, PROPERTIES, &doc);
    if (!err)
        *out = doc.ptr ? json_parse(call->arena, doc, &why) : json_own(call->arena, json_object());
    return err;
}

gh_err iam_GetAccountProperties(struct call *call, const struct iam_GetAccountProperties_in *in,
                                struct iam_GetAccountProperties_out *out)
{
    (void)in;
    json_t *all, *value;
    const char *key;
    gh_err err = load(call, NULL, &all);
    if (err)
        return err;
    out->properties = (struct iam_accountPropertiesMapType){
        true, 0, ARENA_ARRAY(call->arena, struct iam_accountPropertiesMapType_entry, json_object_size(all)) };
    json_object_foreach(all, key, value)
        out->properties.items[out->properties.n++] =
            (struct iam_accountPropertiesMapType_entry){ str_of(key), json_value_str(value) };
    return NULL;
}

/* "Namespace/Name": one '/' inside, and one namespace a call. */
static gh_err check(struct call *call, const struct iam_accountPropertiesMapType *given)
{
    struct str namespace = STR_NONE;
    if (!given->n)
        return gh_fail(call->arena, &iam_InvalidInputException, "At least one property must be given.");
    for (size_t i = 0; i < given->n; i++) {
        struct str rest = given->items[i].key, head;
        if (!str_split(&rest, '/', &head) || !head.len || !rest.len || str_find(rest, '/') >= 0)
            return gh_fail(call->arena, &iam_InvalidInputException, "Property key %.*s must have the form Namespace/Name.",
                           STR_FMT(given->items[i].key));
        if (namespace.ptr && !str_eq(namespace, head))
            return gh_fail(call->arena, &iam_InvalidInputException, "All properties of a request must be of one namespace.");
        namespace = head;
    }
    return NULL;
}

gh_err iam_PutAccountProperties(struct call *call, const struct iam_PutAccountProperties_in *in,
                                struct iam_PutAccountProperties_out *out)
{
    (void)out;
    json_t *all;
    gh_err err = check(call, &in->properties);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = load(call, &tx, &all);
    for (size_t i = 0; !err && i < in->properties.n; i++)
        json_set_str(all, str_c(call->arena, in->properties.items[i].key), in->properties.items[i].value);
    if (!err && json_object_size(all) > MOST_PROPERTIES)
        err = gh_fail(call->arena, &iam_InvalidInputException, "An account can have up to %d properties.", MOST_PROPERTIES);
    if (!err)
        account_put(&tx, call->account, PROPERTIES, json_print(call->arena, all));
    return iam_finish(&tx, err);
}
