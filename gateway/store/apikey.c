#include "gateway/store/apikey.h"

static const char SELECT[] = "SELECT doc FROM api_keys WHERE id = $1 AND account = $2 AND region = $3";
static const char FIND[] = "SELECT doc FROM api_keys WHERE id = $1";
static const char SAVE[] =
    "INSERT INTO api_keys (id, account, region, created_us, name, customer, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, customer = excluded.customer, doc = excluded.doc";
static const char LIST[] =
    "SELECT doc, created_us FROM api_keys WHERE account = $1 AND region = $2"
    " AND (created_us < $3 OR (created_us = $3 AND id < $4)) AND substr(name, 1, length($5)) = $5"
    " AND ($6 = '' OR customer = $6) ORDER BY created_us DESC, id DESC LIMIT $7";
static const char NUMBER[] = "SELECT count(*) FROM api_keys WHERE account = $1 AND region = $2";
static const char VALUES[] =
    "SELECT mac, sealed, ends_us, serial FROM api_key_values WHERE key_id = $1 ORDER BY serial DESC LIMIT 2";
static const char BY_MAC[] = "SELECT key_id FROM api_key_values WHERE mac = $1";
static const char VALUE_SAVE[] =
    "INSERT INTO api_key_values (mac, key_id, sealed, ends_us, serial) VALUES ($1, $2, $3, $4, $5)"
    " ON CONFLICT (mac) DO UPDATE SET ends_us = excluded.ends_us";
static const char VALUE_DELETE[] = "DELETE FROM api_key_values WHERE mac = $1";
static const char PLANS[] = "SELECT plan_id FROM usage_plan_keys WHERE key_id = $1 ORDER BY plan_id";
static const char ALL[] = "SELECT id, doc FROM api_keys ORDER BY id";
static const char ALL_VALUES[] = "SELECT key_id, mac, ends_us FROM api_key_values ORDER BY key_id, serial DESC";
static const char ALL_PLANS[] = "SELECT key_id, plan_id FROM usage_plan_keys ORDER BY key_id, plan_id";
static const char IDS_OF[] = "SELECT id FROM api_keys WHERE account = $1 ORDER BY id";
static const char *const DELETES[] = {
    "DELETE FROM api_keys WHERE id = $1",
    "DELETE FROM api_key_values WHERE key_id = $1",
    "DELETE FROM usage_plan_keys WHERE key_id = $1",
    "DELETE FROM usage_quotas WHERE key_id = $1",
    "DELETE FROM usage_days WHERE key_id = $1",
};

gh_err apikey_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, SELECT, "sss", key.id, key.account, key.region);
    return doc_read(&rows, out);
}

static struct str or_empty(struct str s)
{
    return s.ptr ? s : STR("");
}

void apikey_save(struct tx *tx, struct api_key key, int64_t created_us, const json_t *doc)
{
    tx_run(tx, SAVE, "sssisss", key.id, key.account, key.region, created_us, or_empty(json_str(doc, "name")),
           or_empty(json_str(doc, "customerId")), json_print(tx->arena, doc));
}

void apikey_delete(struct tx *tx, struct str id)
{
    for (size_t i = 0; i < COUNT(DELETES); i++)
        tx_run(tx, DELETES[i], "s", id);
}

gh_err apikey_page_read(struct rows *rows, int64_t limit, struct apikey_page *out)
{
    gh_err err = NULL;
    *out = (struct apikey_page){ .docs.items = ARENA_ARRAY(rows->arena, json_t *, limit) };
    while (!err && rows_next(rows)) {
        if ((int64_t)out->docs.n == limit) {
            out->more = true;
            break;
        }
        err = doc_parse(rows->arena, rows_str(rows, 0), &out->docs.items[out->docs.n]);
        out->docs.n += err == NULL;
        out->last_us = rows_i64(rows, 1);
    }
    gh_err close_err = rows_close(rows);
    return err ? err : close_err;
}

gh_err apikey_list(struct db *db, struct arena *arena, const struct apikey_query *q, struct apikey_page *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, LIST, "ssisssi", q->account, q->region, q->before_us, or_empty(q->before_id),
              or_empty(q->name_prefix), or_empty(q->customer), q->limit + 1);
    return apikey_page_read(&rows, q->limit, out);
}

gh_err apikey_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                    size_t *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, NUMBER, "ss", account, region);
    *out = rows_next(&rows) ? (size_t)rows_i64(&rows, 0) : 0;
    return rows_close(&rows);
}

gh_err apikey_values(struct db *db, struct tx *tx, struct arena *arena, struct str key_id, struct apikey_value *out,
                     size_t *n)
{
    struct rows rows;
    *n = 0;
    rows_open(&rows, db, tx, arena, VALUES, "s", key_id);
    while (*n < APIKEY_VALUES && rows_next(&rows)) {
        out[*n] = (struct apikey_value){ rows_str(&rows, 0), rows_str(&rows, 1), rows_i64(&rows, 2),
                                         rows_i64(&rows, 3) };
        (*n)++;
    }
    return rows_close(&rows);
}

gh_err apikey_by_mac(struct db *db, struct tx *tx, struct arena *arena, struct str mac, struct str *key_id)
{
    return db_find(db, tx, arena, key_id, BY_MAC, "s", mac);
}

void apikey_value_save(struct tx *tx, struct str key_id, const struct apikey_value *value)
{
    tx_run(tx, VALUE_SAVE, "sssii", value->mac, key_id, value->sealed, value->ends_us, value->serial);
}

void apikey_value_delete(struct tx *tx, struct str mac)
{
    tx_run(tx, VALUE_DELETE, "s", mac);
}

struct str apikey_place(struct arena *arena, struct str key_id)
{
    return str_concat(arena, STR("apikey/"), key_id);
}

gh_err ids_read(struct rows *rows, struct id_list *out)
{
    size_t cap = 0;
    *out = (struct id_list){ 0 };
    while (rows_next(rows)) {
        if (out->n == cap) {
            size_t grown = cap ? cap * 2 : 16;
            out->items = arena_grow(rows->arena, out->items, cap * sizeof *out->items, grown * sizeof *out->items);
            cap = grown;
        }
        out->items[out->n++] = rows_str(rows, 0);
    }
    return rows_close(rows);
}

gh_err apikey_record_load(struct db *db, struct arena *arena, struct str id, struct apikey_record *out)
{
    struct rows rows;
    *out = (struct apikey_record){ .id = id };
    rows_open(&rows, db, NULL, arena, FIND, "s", id);
    gh_err err = doc_read(&rows, &out->doc);
    if (!err && out->doc)
        err = apikey_values(db, NULL, arena, id, out->values, &out->n_values);
    if (err || !out->doc)
        return err;
    rows_open(&rows, db, NULL, arena, PLANS, "s", id);
    return ids_read(&rows, &out->plans);
}

/* The record whose turn it is, in a list ordered by id; NULL: that key is gone meanwhile. */
static struct apikey_record *record_of(struct apikey_records *all, size_t *at, struct str id)
{
    while (*at < all->n && str_cmp(all->items[*at].id, id) < 0)
        (*at)++;
    return *at < all->n && str_eq(all->items[*at].id, id) ? &all->items[*at] : NULL;
}

static gh_err load_docs(struct db *db, struct arena *arena, struct apikey_records *out)
{
    struct rows rows;
    size_t cap = 0;
    gh_err err = NULL;
    rows_open(&rows, db, NULL, arena, ALL, "");
    while (!err && rows_next(&rows)) {
        if (out->n == cap) {
            size_t grown = cap ? cap * 2 : 64;
            out->items = arena_grow(arena, out->items, cap * sizeof *out->items, grown * sizeof *out->items);
            cap = grown;
        }
        struct apikey_record *one = &out->items[out->n++];
        *one = (struct apikey_record){ .id = rows_str(&rows, 0) };
        err = doc_parse(arena, rows_str(&rows, 1), &one->doc);
    }
    gh_err close_err = rows_close(&rows);
    return err ? err : close_err;
}

gh_err apikey_records_load(struct db *db, struct arena *arena, struct apikey_records *out)
{
    struct rows rows;
    *out = (struct apikey_records){ 0 };
    gh_err err = load_docs(db, arena, out);
    if (err)
        return err;
    rows_open(&rows, db, NULL, arena, ALL_VALUES, "");
    for (size_t at = 0; rows_next(&rows);) {
        struct apikey_record *one = record_of(out, &at, rows_str(&rows, 0));
        if (one && one->n_values < APIKEY_VALUES)
            one->values[one->n_values++] = (struct apikey_value){ .mac = rows_str(&rows, 1), .ends_us = rows_i64(&rows, 2) };
    }
    if ((err = rows_close(&rows)))
        return err;
    rows_open(&rows, db, NULL, arena, ALL_PLANS, "");
    for (size_t at = 0; rows_next(&rows);) {
        struct apikey_record *one = record_of(out, &at, rows_str(&rows, 0));
        if (!one)
            continue;
        struct id_list *plans = &one->plans;
        plans->items = arena_grow(arena, plans->items, plans->n * sizeof(struct str), (plans->n + 1) * sizeof(struct str));
        plans->items[plans->n++] = rows_str(&rows, 1);
    }
    return rows_close(&rows);
}

gh_err apikey_ids_of(struct db *db, struct arena *arena, struct str account, struct id_list *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, IDS_OF, "s", account);
    return ids_read(&rows, out);
}
