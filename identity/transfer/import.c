/* POST /_gatehouse/user-pools/import: a pool out of an export, part by part.
 *
 *   {"header": "…", "passphrase": "…", "mode": "same"}  ->  {"next": "…"}
 *   {"next": "…", "part": "<base64>", "last": false}    ->  {"next": "…", "rows": 1000}
 *   {"next": "…", "part": "<base64>", "last": true}     ->  {"pool": "…", "clients": {old: new}, "left": ["…"]}
 * mode: same      the pool's id must be free
 *       replace   the pool of that id goes, when the first part is read: verify the file before
 *       as-new    a new id, new client ids; SRP works for a user from the first password sign-in on, since its
 *                 verifier is bound to the pool's id
 *       verify    nothing is written
 * A part is one transaction. The row that makes the pool a pool comes last: who looks meanwhile finds none, and what an
 * import that was given up has left is cleared away by the next. */
#include "identity/pools/errand.h"
#include "identity/store/pool.h"
#include "identity/tokens/revocation.h"
#include "identity/transfer/row.h"
#include "identity/transfer/vault.h"
#include "identity/users/user.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "core/json.h"

static const int64_t STALE_US = INT64_C(86400000000);

enum mode { MODE_SAME, MODE_REPLACE, MODE_AS_NEW, MODE_VERIFY, MODES };
static const char *const mode_names[MODES] = { "same", "replace", "as-new", "verify" };

struct import {
    struct call *call;
    struct vault vault;
    enum mode mode;
    int64_t number;
    struct str id;            /* of this import */
    struct str pool;          /* absent until the first part is read */
    json_t *preface;          /* of the file: columns, the pool's old id */
    json_t *state;            /* {"row": the pool's row, "clients": {old: new}, "left": [texts]} */
    struct row_move move;
    int64_t rows;
};

static gh_err bad(struct import *import, const char *fmt, struct str what)
{
    return gh_fail(import->call->arena, &idp_InvalidParameterException, fmt, STR_FMT(what));
}

static gh_err say(struct import *import, const char *text)
{
    return bad(import, "%.*s", str_of(text));
}

/* ---- between two requests ---- */

static struct str token_of(struct import *import)
{
    struct call *call = import->call;
    json_t *doc = json_own(call->arena, json_object());
    json_set_str(doc, "key", base64_encode(call->arena, digest_str(import->vault.key, 32)));
    json_set_str(doc, "header", base64_encode(call->arena, digest_str(import->vault.header, 32)));
    json_set_str(doc, "mode", str_of(mode_names[import->mode]));
    json_set_i64(doc, "number", import->number);
    json_set_str(doc, "id", import->id);
    json_set_str(doc, "pool", import->pool);
    if (import->mode == MODE_VERIFY && import->preface)
        json_object_set(doc, "preface", import->preface);
    return page_token(call, "import", STR(""), json_print(call->arena, doc));
}

static gh_err token_read(struct import *import, struct str token)
{
    struct call *call = import->call;
    struct str text, key, header;
    gh_err err = page_open(call, "import", STR(""), token, &text);
    if (err)
        return err;
    const json_t *doc = json_parse(call->arena, text, NULL);
    if (!base64_decode(call->arena, json_str(doc, "key"), &key) || key.len != 32 ||
        !base64_decode(call->arena, json_str(doc, "header"), &header) || header.len != 32)
        return say(import, "next is not what the part before gave.");
    memcpy(import->vault.key, key.ptr, 32);
    memcpy(import->vault.header, header.ptr, 32);
    import->number = json_i64(doc, "number", 0);
    import->id = json_str(doc, "id");
    import->pool = json_str(doc, "pool");
    import->preface = json_object_get(doc, "preface");
    for (int i = 0; i < MODES; i++)
        if (str_is(json_str(doc, "mode"), mode_names[i]))
            import->mode = (enum mode)i;
    return NULL;
}

static gh_err begin(struct import *import, const json_t *body)
{
    struct call *call = import->call;
    struct str mode = json_str(body, "mode"), header = json_str(body, "header"), passphrase = json_str(body, "passphrase"),
               why = STR_NONE;
    import->mode = MODES;
    for (int i = 0; i < MODES; i++)
        if (str_is(mode.ptr ? mode : STR("same"), mode_names[i]))
            import->mode = (enum mode)i;
    if (import->mode == MODES)
        return say(import, "mode is one of same, replace, as-new, verify.");
    if (!header.ptr || !passphrase.ptr)
        return say(import, "Send {\"header\": \"…\", \"passphrase\": \"…\"}.");
    if (!vault_open(call->arena, passphrase, header, &import->vault, &why))
        return bad(import, "%.*s", why);
    import->id = id_uuid(call->env, call->arena);
    return NULL;
}

/* ---- the first part: which pool it is to be ---- */

static struct str arn_of(struct call *call, struct str pool)
{
    return str_printf(call->arena, "arn:%.*s:cognito-idp:%.*s:%.*s:userpool/%.*s", STR_FMT(call->partition),
                      STR_FMT(call->region), STR_FMT(call->account), STR_FMT(pool));
}

static void set_move(struct import *import)
{
    import->move = (struct row_move){
        .old_pool = json_str(import->preface, "pool"),
        .new_pool = import->pool,
        .old_arn = json_str(import->preface, "arn"),
        .new_arn = arn_of(import->call, import->pool),
        .clients = json_object_get(import->state, "clients"),
    };
}

/* Makes room: the pool of that id goes if it is to be replaced, and so does what an import before this one left. */
static gh_err clear_the_place(struct import *import)
{
    struct call *call = import->call;
    struct pool_row row;
    bool there;
    gh_err err = store_pool_find(call->db, NULL, call->arena, import->pool, &row, &there);
    if (err)
        return err;
    if (there && (import->mode != MODE_REPLACE || !str_eq(row.account, call->account)))
        return bad(import, "User pool %.*s is there already: replace it, or import it as a new one.", import->pool);
    if (there) {
        struct pool pool;
        err = pool_load(call, import->pool, &pool);
        if (!err && str_is(pool.doc->deletion_protection, "ACTIVE"))
            err = bad(import, "User pool %.*s has deletion protection and is not replaced.", import->pool);
        if (err)
            return err;
    }
    struct tx tx;
    struct str stale = import->pool;
    tx_begin(&tx, call->db, call->arena);
    for (int i = 0; i < 10 && stale.ptr && !tx.err; i++) {
        store_pool_delete(&tx, stale);
        store_transfer_drop(&tx, stale);
        tx.err = tx.err ? tx.err : store_transfer_stale(&tx, call->arena, call->now_us - STALE_US, &stale);
    }
    err = tx_commit(&tx);
    if (!err && there)
        pool_directory_remove(pools_of(call), import->pool);
    return err;
}

static gh_err settle(struct import *import, struct str line)
{
    struct call *call = import->call;
    import->preface = json_parse(call->arena, line, NULL);
    struct str old = json_str(import->preface, "pool");
    ptrdiff_t under = str_find(old, '_');
    if (under <= 0 || !json_object_get(import->preface, "tables"))
        return say(import, "The export does not begin as it should.");
    import->state = json_own(call->arena, json_object());
    json_object_set_new(import->state, "clients", json_object());
    json_object_set_new(import->state, "left", json_array());
    json_object_set(import->state, "preface", import->preface);
    import->pool = import->mode == MODE_AS_NEW
                       ? str_printf(call->arena, "%.*s_%s", STR_FMT(call->region), id_random(call->env, call->arena, 9, ID_ALNUM).ptr)
                       : old;
    if (import->mode != MODE_AS_NEW && !str_eq(str_sub(old, 0, (size_t)under), call->region))
        return bad(import, "User pool %.*s is of another region than this server is asked for: import it as a new one.", old);
    return import->mode == MODE_VERIFY ? NULL : clear_the_place(import);
}

/* ---- rows ---- */

static bool column_index(const struct pool_table *table, const char *name, size_t *at)
{
    struct str column;
    bool number;
    for (*at = 0; pool_table_column(table, *at, &column, &number); ++*at)
        if (str_is(column, name))
            return true;
    return false;
}

static struct db_value *named(const struct pool_table *table, struct db_value *values, const char *name)
{
    size_t at;
    return name && column_index(table, name, &at) ? &values[at] : NULL;
}

/* A pool imported as a new one: its clients get new ids before anything names them. */
static void rename_client(struct import *import, const struct pool_table *table, const json_t *row)
{
    size_t at;
    struct str old = column_index(table, "id", &at) ? json_value_str(json_array_get(row, at + 1)) : STR_NONE;
    json_t *clients = json_object_get(import->state, "clients");
    if (import->mode == MODE_AS_NEW && old.len && !json_at(clients, old))
        json_set_str(clients, str_c(import->call->arena, old), id_random(import->call->env, import->call->arena, 26, ID_LOWER_ALNUM));
}

static void forget_verifier(struct import *import, const struct pool_table *table, struct db_value *values)
{
    if (import->mode != MODE_AS_NEW || strcmp(table->name, "pool_users") != 0)
        return;
    named(table, values, "salt")->type = 'n';
    named(table, values, "verifier")->type = 'n';
}

/* It becomes a pool when all else is there. */
static void keep_pool_row(struct import *import, const struct pool_table *table, struct db_value *values)
{
    json_t *row = json_array();
    named(table, values, "account")->s = import->call->account;
    named(table, values, "region")->s = import->call->region;
    for (size_t i = 0; i < pool_table_columns(table); i++)
        json_array_append_new(row, values[i].type == 'i' ? json_integer(values[i].i) : values[i].type == 's' ? json_of(values[i].s)
                                                                                                           : json_null());
    json_object_set_new(import->state, "row", row);
}

static gh_err insert(struct import *import, struct tx *tx, const struct pool_table *table, struct db_value *values)
{
    const struct db_value *id = named(table, values, table->client && strcmp(table->client, "id") == 0 ? "id" : "name");
    store_table_insert(tx, table, values);
    if (tx->err || tx->changes)
        return tx->err;
    struct str what = str_printf(import->call->arena, "%s %.*s", table->name + strlen("pool_"),
                                 id && id->s.ptr ? (int)id->s.len : 0, id && id->s.ptr ? id->s.ptr : "");
    if (!table->shared)
        return bad(import, "%.*s of the export is there already, in another pool: import it as a new one.", what);
    json_array_append_new(json_object_get(import->state, "left"), json_of(what));
    return NULL;
}

static gh_err take_row(struct import *import, struct tx *tx, struct str line)
{
    struct call *call = import->call;
    struct db_value values[64];
    struct str why = STR_NONE;
    const json_t *row = json_parse(call->arena, line, NULL);
    struct str name = json_value_str(json_array_get(row, 0));
    const struct pool_table *table = name.ptr ? pool_table_find(name) : NULL;
    if (!table || table->carry == CARRY_NOT)
        return bad(import, "The export has rows of %.*s, which are not known here.", name.ptr ? name : STR("nothing"));
    if (table->carry == CARRY_WITH_KEYS && import->mode == MODE_AS_NEW)
        return NULL; /* a new pool has new keys */
    if (strcmp(table->name, "pool_clients") == 0)
        rename_client(import, table, row);
    if (!row_read(call, table, json_object_get(json_object_get(import->preface, "tables"), table->name), row, &import->move,
                  values, &why))
        return bad(import, "%.*s", why);
    const struct db_value *pool = named(table, values, table->pool);
    if (!pool || !str_eq(pool->s, import->pool))
        return say(import, "The export has a row of another pool.");
    import->rows++;
    forget_verifier(import, table, values);
    if (strcmp(table->name, "pools") == 0)
        keep_pool_row(import, table, values);
    else if (tx)
        return insert(import, tx, table, values);
    return NULL;
}

/* ---- the end ---- */

static void publish_epoch(void *ctx, struct str pool, struct str sub, int64_t epoch_us)
{
    struct import *import = ctx;
    if (str_eq(pool, import->pool))
        revocation_publish_user(pools_of(import->call)->revocations, pool, sub, epoch_us);
}

static gh_err become_a_pool(struct import *import, struct tx *tx)
{
    const struct pool_table *pools = pool_table_find(STR("pools"));
    const json_t *row = json_object_get(import->state, "row"), *one;
    struct stored_key keys[KEY_USES];
    struct db_value values[16];
    size_t i;
    if (!row)
        return say(import, "The export has no pool in it.");
    json_array_foreach(row, i, one)
        values[i] = json_is_integer(one) ? (struct db_value){ .type = 'i', .i = json_integer_value(one) }
                                         : (struct db_value){ .type = 's', .s = json_value_str(one) };
    for (size_t t = 0; t < n_pool_tables; t++)
        store_table_drop_strays(tx, &pool_tables[t], import->pool);
    store_table_insert(tx, pools, values);
    if (!tx->err && tx->changes == 0)
        return bad(import, "User pool %.*s has been made meanwhile.", import->pool);
    if (!json_flag(import->preface, "withKeys", false) || import->mode == MODE_AS_NEW) {
        if (!key_stock_take(pools_of(import->call)->stock, import->call->arena, keys))
            return gh_fail(import->call->arena, &GH_INTERNAL, "A signing key could not be made.");
        for (int use = 0; use < KEY_USES; use++)
            store_key_put(tx, &keys[use], import->pool, key_use_name((enum key_use)use));
    }
    store_transfer_drop(tx, import->pool);
    return tx->err;
}

static gh_err publish(struct import *import)
{
    struct call *call = import->call;
    gh_err err = pool_directory_reload(pools_of(call), call->arena, import->pool);
    if (!err)
        err = store_epochs(call->db, call->arena, 0, publish_epoch, import);
    revocation_touch(pools_of(call)->revocations);
    return err;
}

/* ---- a part ---- */

static gh_err take_lines(struct import *import, struct tx *tx, struct str lines)
{
    struct str line;
    while (str_split(&lines, '\n', &line)) {
        gh_err err = line.len ? take_row(import, tx, line) : NULL;
        if (err)
            return err;
    }
    return NULL;
}

/* Whose turn it is: *again when this part has been taken before and only the answer was lost. */
static gh_err find_state(struct import *import, struct tx *tx, bool *again)
{
    struct call *call = import->call;
    struct transfer_row row;
    bool found;
    gh_err err = store_transfer_find(call->db, tx, call->arena, import->pool, &row, &found);
    if (err)
        return err;
    *again = found && str_eq(row.id, import->id) && row.next_part == import->number + 1;
    if (!found || !str_eq(row.id, import->id) || (row.next_part != import->number && !*again))
        return say(import, "Another import of this pool has begun, or this one is over.");
    import->state = json_parse(call->arena, row.doc, NULL);
    import->preface = json_object_get(import->state, "preface");
    return NULL;
}

static void remember(struct import *import, struct tx *tx)
{
    const struct transfer_row row = { import->pool, import->id, json_print(import->call->arena, import->state),
                                      import->number + 1, import->call->now_us };
    store_transfer_put(tx, &row);
}

static gh_err write_part(struct import *import, struct str lines, bool last)
{
    struct tx tx;
    bool again = false;
    gh_err err = NULL;
    tx_begin(&tx, import->call->db, import->call->arena);
    if (import->number > 0)
        err = find_state(import, &tx, &again);
    if (!err && !again) {
        set_move(import);
        err = take_lines(import, &tx, lines);
        if (!err)
            remember(import, &tx);
        if (!err && last)
            err = become_a_pool(import, &tx);
    }
    if (err) {
        tx_rollback(&tx);
        return err;
    }
    err = tx_commit(&tx);
    return !err && last ? publish(import) : err;
}

static gh_err take_part(struct import *import, const json_t *body, bool last)
{
    struct call *call = import->call;
    struct str part = json_str(body, "part"), bytes, plain, line;
    if (!part.ptr || !base64_decode(call->arena, part, &bytes) ||
        !vault_unseal(call->arena, &import->vault, (uint64_t)import->number, last, bytes, &plain))
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Part %lld of the export does not open: the file was cut off, or altered.", (long long)import->number + 1);
    gh_err err = NULL;
    if (import->number == 0) {
        str_split(&plain, '\n', &line);
        err = settle(import, line);
    }
    if (err)
        return err;
    if (import->mode != MODE_VERIFY)
        return write_part(import, plain, last);
    if (!import->state) {
        import->state = json_own(call->arena, json_object());
        json_object_set_new(import->state, "clients", json_object());
    }
    set_move(import);
    return take_lines(import, NULL, plain);
}

gh_err pool_import(struct call *call, void *ctx, struct str *json)
{
    const struct pool_errand *errand = ctx;
    const json_t *body = json_parse(call->arena, *errand->body, NULL);
    json_t *answer = json_own(call->arena, json_object());
    struct import import = { .call = call };
    bool last = json_flag(body, "last", false), begins = !json_str(body, "next").ptr;
    gh_err err = begins ? begin(&import, body) : token_read(&import, json_str(body, "next"));
    if (!err && !begins)
        err = take_part(&import, body, last);
    if (err)
        return err;
    import.number += !begins;
    json_set_i64(answer, "rows", import.rows);
    json_set_str(answer, "pool", import.pool);
    if (begins || !last)
        json_set_str(answer, "next", token_of(&import));
    if (last && import.mode != MODE_VERIFY) {
        json_object_set(answer, "clients", json_object_get(import.state, "clients"));
        json_object_set(answer, "left", json_object_get(import.state, "left"));
    }
    *json = json_print(call->arena, answer);
    return NULL;
}
