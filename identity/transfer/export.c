/* POST /_gatehouse/user-pools/{id}/export: a whole pool, part by part, sealed under a passphrase.
 *
 *   {"passphrase": "…", "withKeys": true}   ->  {"header": "…", "next": "…"}
 *   {"next": "…"}                           ->  {"part": "<base64>", "rows": 1000, "next": "…"}, without `next`: the last
 * The file is the header, a line feed, and the parts as they come. Nothing is kept here between two requests, and a part
 * is what memory it takes. Rows are as they are when their part is made: what changes meanwhile may be in or not; rows
 * of users that are not in the file are dropped when it is read. */
#include "identity/pools/errand.h"
#include "identity/transfer/row.h"
#include "identity/transfer/vault.h"
#include "identity/users/user.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/time.h"

enum { ROWS = 1000, PART_BYTES = 1024 * 1024 };

/* What `next` says, sealed. */
struct place {
    struct vault vault;
    bool with_keys;
    int64_t number, table;
    struct str after[POOL_TABLE_KEYS];
};

static gh_err bad(struct call *call, const char *text)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", text);
}

static struct str place_text(struct call *call, const struct pool *pool, const struct place *place)
{
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "key", base64_encode(call->arena, digest_str(place->vault.key, 32)));
    json_set_str(doc, "header", base64_encode(call->arena, digest_str(place->vault.header, 32)));
    json_set_flag(doc, "withKeys", place->with_keys);
    json_set_i64(doc, "number", place->number);
    json_set_i64(doc, "table", place->table);
    json_t *after = json_array();
    for (size_t i = 0; i < POOL_TABLE_KEYS && place->after[i].ptr; i++)
        json_array_append_new(after, json_of(place->after[i]));
    json_object_set_new(doc, "after", after);
    return page_token(call, "export", pool->id, json_print(call->arena, doc));
}

static gh_err place_read(struct call *call, const struct pool *pool, struct str token, struct place *out)
{
    struct str text, key, header;
    gh_err err = page_open(call, "export", pool->id, token, &text);
    if (err)
        return err;
    const json_t *doc = json_parse(call->arena, text, NULL), *after = json_object_get(doc, "after");
    if (!base64_decode(call->arena, json_str(doc, "key"), &key) || key.len != 32 ||
        !base64_decode(call->arena, json_str(doc, "header"), &header) || header.len != 32)
        return bad(call, "next is not what the part before gave.");
    *out = (struct place){ .with_keys = json_flag(doc, "withKeys", false), .number = json_i64(doc, "number", 0),
                           .table = json_i64(doc, "table", 0) };
    memcpy(out->vault.key, key.ptr, 32);
    memcpy(out->vault.header, header.ptr, 32);
    for (size_t i = 0; i < POOL_TABLE_KEYS; i++)
        out->after[i] = json_value_str(json_array_get(after, i));
    return NULL;
}

/* ---- a part ---- */

struct part {
    struct call *call;
    struct place *place;
    const struct pool_table *table;
    struct strbuf text;
    int64_t rows, of_table;
    bool full;
    struct str why;
};

static void remember(struct part *part, const struct str *values)
{
    struct str rest = str_of(part->table->keys), key, column;
    bool number;
    for (size_t k = 0; str_split(&rest, ' ', &key); k++)
        for (size_t i = 0; pool_table_column(part->table, i, &column, &number); i++)
            if (str_eq(column, key))
                part->place->after[k] = values[i];
}

static bool add_row(void *ctx, const struct str *values)
{
    struct part *part = ctx;
    json_t *shown = row_shown(part->call, part->table, values, &part->why);
    if (!shown)
        return false;
    strbuf_add(&part->text, json_print(part->call->arena, shown));
    strbuf_char(&part->text, '\n');
    remember(part, values);
    part->rows++;
    part->of_table++;
    part->full = part->text.len >= PART_BYTES;
    return !part->full;
}

/* The first line of the first part. */
static void add_preface(struct part *part, const struct pool *pool)
{
    struct call *call = part->call;
    json_t *preface = json_own(call->arena, json_object()), *tables = json_object();
    json_set_str(preface, "pool", pool->id);
    json_set_str(preface, "name", pool->doc->name);
    json_set_str(preface, "arn", pool->doc->arn);
    json_set_str(preface, "exported", time_iso8601_ms(call->arena, call->now_us));
    json_set_flag(preface, "withKeys", part->place->with_keys);
    for (size_t t = 0; t < n_pool_tables; t++) {
        json_t *names = json_array();
        struct str column;
        bool number;
        for (size_t i = 0; pool_table_column(&pool_tables[t], i, &column, &number); i++)
            json_array_append_new(names, json_of(column));
        json_object_set_new(tables, pool_tables[t].name, names);
    }
    json_object_set_new(preface, "tables", tables);
    strbuf_add(&part->text, json_print(call->arena, preface));
    strbuf_char(&part->text, '\n');
}

static bool is_carried(const struct place *place)
{
    const struct pool_table *table = &pool_tables[place->table];
    return table->carry == CARRY || (table->carry == CARRY_WITH_KEYS && place->with_keys);
}

/* Rows of one table after another until the part is full or none are left. */
static gh_err fill(struct part *part, const struct pool *pool)
{
    struct place *place = part->place;
    while (place->table < (int64_t)n_pool_tables) {
        part->table = &pool_tables[place->table];
        part->of_table = 0;
        gh_err err = NULL;
        if (is_carried(place))
            err = store_table_page(part->call->db, part->call->arena, part->table, pool->id, place->after, ROWS, add_row,
                                   part);
        if (!err && part->why.ptr)
            err = gh_fail(part->call->arena, &GH_INTERNAL, "%.*s", STR_FMT(part->why));
        if (err)
            return err;
        if (part->full)
            return NULL;
        if (part->of_table < ROWS) {
            place->table++;
            memset(place->after, 0, sizeof place->after);
        }
    }
    return NULL;
}

static gh_err next_part(struct call *call, const struct pool *pool, struct str token, json_t *answer)
{
    struct place place;
    gh_err err = place_read(call, pool, token, &place);
    if (err)
        return err;
    struct part part = { .call = call, .place = &place, .text = strbuf_in(call->arena, PART_BYTES + 65536) };
    if (place.number == 0)
        add_preface(&part, pool);
    err = fill(&part, pool);
    if (err)
        return err;
    bool last = place.table == (int64_t)n_pool_tables;
    struct str sealed =
        vault_seal(call->env, call->arena, &place.vault, (uint64_t)place.number, last, strbuf_view(&part.text));
    digest_wipe(part.text.ptr, part.text.len);
    json_set_str(answer, "part", base64_encode(call->arena, sealed));
    json_set_i64(answer, "rows", part.rows);
    place.number++;
    if (!last)
        json_set_str(answer, "next", place_text(call, pool, &place));
    return NULL;
}

static gh_err begin(struct call *call, const struct pool *pool, const json_t *body, json_t *answer)
{
    struct str passphrase = json_str(body, "passphrase"), header;
    struct place place = { .with_keys = json_flag(body, "withKeys", false) };
    if (passphrase.len < VAULT_PASSPHRASE_LEAST)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Send {\"passphrase\": \"…\"} of at least %d characters: the file holds every secret of the pool.",
                       VAULT_PASSPHRASE_LEAST);
    if (!vault_new(call->env, call->arena, passphrase, &place.vault, &header))
        return gh_fail(call->arena, &GH_UNAVAILABLE, "No memory to derive a key.");
    json_set_str(answer, "header", header);
    json_set_str(answer, "next", place_text(call, pool, &place));
    return NULL;
}

gh_err pool_export(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    const json_t *body = json_parse(call->arena, *errand->body, NULL);
    json_t *answer = json_own(call->arena, json_object());
    struct str next = json_str(body, "next");
    struct pool pool;
    gh_err err = pool_load(call, errand->pool_id, &pool);
    if (!err)
        err = next.ptr ? next_part(call, &pool, next, answer) : begin(call, &pool, body, answer);
    if (!err)
        *json = json_print(call->arena, answer);
    return err;
}
