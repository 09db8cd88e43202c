#include "identity/pools/record.h"

#include "wire/codec_json.h"

gh_err record_find(struct call *call, struct tx *tx, const struct pool *pool, const char *kind, struct str name,
                   const struct shape *shape, void *out, bool *found)
{
    struct pool_record record;
    gh_err err = store_record_find(call->db, tx, call->arena, pool->id, kind, name, &record, found);
    if (err || !*found)
        return err;
    if (!shape_parse(call->arena, shape, record.doc, out))
        return gh_fail(call->arena, &GH_INTERNAL, "The %s record %.*s of user pool %.*s is damaged.", kind,
                       STR_FMT(name), STR_FMT(pool->id));
    return NULL;
}

struct pool_record record_of(struct call *call, const struct pool *pool, const char *kind, struct str name,
                             struct str owner, const struct shape *shape, const void *doc)
{
    return (struct pool_record){ pool->id, str_of(kind), name, owner, shape_print(call->arena, shape, doc), call->now_us };
}

gh_err record_page(struct call *call, const struct pool *pool, const char *kind, struct str token, int64_t limit,
                   struct pool_record **out, size_t *n, struct str *next)
{
    struct str after;
    gh_err err = page_open(call, kind, pool->id, token, &after);
    if (!err)
        err = store_record_list(call->db, NULL, call->arena, pool->id, kind, after, limit + 1, out, n);
    if (err)
        return err;
    *next = STR_NONE;
    if (*n > (size_t)limit) {
        *n = (size_t)limit;
        *next = page_token(call, kind, pool->id, (*out)[*n - 1].name);
    }
    return NULL;
}

gh_err record_save(struct call *call, const struct pool_record *record)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_record_put(&tx, record);
    return tx_commit(&tx);
}

gh_err record_drop(struct call *call, const struct pool *pool, const char *kind, struct str name)
{
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_record_delete(&tx, pool->id, kind, name);
    return tx_commit(&tx);
}

gh_err record_end(struct tx *tx, gh_err err)
{
    if (!err)
        return tx_commit(tx);
    tx_rollback(tx);
    return err;
}
