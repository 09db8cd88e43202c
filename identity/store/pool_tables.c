#include "identity/store/pool_tables.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const char KEYED[] = "kept under a keyed hash of this server";

const struct pool_table pool_tables[] = {
    { "pools", "id account region created_us/i doc more", .pool = "id", .keys = "id", .json = "doc more",
      .places = { "pool-option/{id}/{member}", "pool-webhook/{id}" } },
    { "pool_clients", "id pool created_us/i secret doc secrets", .pool = "pool", .keys = "id", .json = "doc secrets", .client = "id",
      .places = { "pool-client/{id}" } },
    { "pool_keys", "kid pool purpose modulus exponent sealed from_s/i", .pool = "pool", .keys = "kid", .carry = CARRY_WITH_KEYS,
      .places = { "pool-key/{kid}" } },
    { "pool_groups", "pool name precedence/i role doc", .pool = "pool", .keys = "name", .json = "doc" },
    { "pool_records", "pool kind name owner created_us/i doc", .pool = "pool", .keys = "kind name", .json = "doc",
      .client = "owner", .shared = true, .places = { "pool-provider/{pool}/{name}", "pool-signing/{pool}" } },
    { "pool_risk", "pool client modified_us/i doc", .pool = "pool", .keys = "client", .json = "doc", .client = "client" },
    { "pool_users",
      "pool folded sub username status enabled/i created_us/i modified_us/i password_us/i salt verifier password doc "
      "by_email by_phone_number by_name by_given_name by_family_name by_preferred_username",
      .pool = "pool", .keys = "folded", .json = "doc",
      .places = { "pool-verifier/{pool}/{sub}", "pool-totp/{pool}/{sub}" } },
    { "pool_aliases", "pool value attribute sub", .pool = "pool", .keys = "value", .by_user = true },
    { "pool_members", "pool name sub", .pool = "pool", .keys = "name sub", .by_user = true },
    { "pool_passkeys", "pool id sub created_us/i used_us/i counter/i doc", .pool = "pool", .keys = "id", .json = "doc",
      .by_user = true },
    { "pool_auth_events", "pool sub id at_us/i doc", .pool = "pool", .keys = "sub id", .json = "doc", .by_user = true },
    { "pool_epochs", "pool sub epoch_us/i", .pool = "pool", .keys = "sub" },
    { "pool_revoked", "origin pool until_s/i", .pool = "pool", .keys = "origin" },
    { "pool_codes", "pool sub purpose mac attribute sent_s/i tries/i", .pool = "pool", .carry = CARRY_NOT, .why = KEYED },
    { "pool_devices",
      "pool sub device device_group name salt verifier remembered/i created_us/i modified_us/i used_us/i ip sdk",
      .pool = "pool", .keys = "sub device", .by_user = true, .places = { "pool-device/{pool}/{sub}/{device}" } },
    { "pool_sessions",
      "mac pool client sub origin event auth_s/i expires_s/i revoked/i doc active_s/i seen device generation/i rotated",
      .pool = "pool", .carry = CARRY_NOT, .why = KEYED },
    { "pool_failures", "pool who failures/i last_us/i forget_us/i", .pool = "pool", .carry = CARRY_NOT, .why = "is over in minutes" },
    { "pool_attempts", "pool who what since_s/i attempts/i", .pool = "pool", .carry = CARRY_NOT, .why = "is over in an hour" },
    { "pool_imports", "pool id account region created_us/i status upload bytes/i line/i imported/i skipped/i failed/i doc",
      .pool = "pool", .carry = CARRY_NOT, .why = "is about imports here" },
    { "pool_import_pieces", "pool job upload seq/i bytes", .pool = "pool", .carry = CARRY_NOT, .why = "is about imports here" },
    { "pool_import_log", "pool job line/i text", .pool = "pool", .carry = CARRY_NOT, .why = "is about imports here" },
    { "pool_spent", "mac until_s/i", .carry = CARRY_NOT, .why = KEYED },
    { "pool_tries", "id tries/i until_s/i", .carry = CARRY_NOT, .why = "is over in minutes" },
    { "pool_transfers", "pool id next_part/i began_us/i doc", .carry = CARRY_NOT, .why = "is about imports here" },
};
const size_t n_pool_tables = COUNT(pool_tables);

const struct pool_table *pool_table_find(struct str name)
{
    for (size_t i = 0; i < n_pool_tables; i++)
        if (str_is(name, pool_tables[i].name))
            return &pool_tables[i];
    return NULL;
}

bool pool_table_column(const struct pool_table *table, size_t i, struct str *name, bool *number)
{
    struct str rest = str_of(table->columns);
    bool there = false;
    for (size_t at = 0; at <= i && (there = str_split(&rest, ' ', name)); at++)
        continue;
    *number = there && str_ends(*name, STR("/i"));
    name->len -= *number ? 2 : 0;
    return there;
}

size_t pool_table_columns(const struct pool_table *table)
{
    struct str name;
    bool number;
    size_t n = 0;
    while (pool_table_column(table, n, &name, &number))
        n++;
    return n;
}

bool pool_table_lists(const char *list, struct str column)
{
    struct str rest = str_of(list), one;
    while (rest.ptr && str_split(&rest, ' ', &one))
        if (str_eq(one, column))
            return true;
    return false;
}

/* ---- statements, written once ---- */

static struct {
    char *page, *insert, *strays, *delete;
} sql[COUNT(pool_tables)];
static pthread_once_t written = PTHREAD_ONCE_INIT;

static void add(FILE *out, const struct pool_table *table, const char *before, bool as_parameters)
{
    struct str name;
    bool number;
    for (size_t i = 0; pool_table_column(table, i, &name, &number); i++) {
        if (as_parameters)
            fprintf(out, "%s$%zu", i ? ", " : "", i + 1);
        else
            fprintf(out, "%s%s%.*s", i ? ", " : "", before, STR_FMT(name));
    }
}

/* (a, b) of "a b" as "a, b"; n: how many there are. */
static void add_keys(FILE *out, const struct pool_table *table, size_t *n)
{
    struct str rest = str_of(table->keys), one;
    for (*n = 0; str_split(&rest, ' ', &one); (*n)++)
        fprintf(out, "%s%.*s", *n ? ", " : "", STR_FMT(one));
}

static void write_page(FILE *out, const struct pool_table *table)
{
    size_t n;
    fputs("SELECT ", out);
    add(out, table, "", false);
    fprintf(out, " FROM %s WHERE %s = $1 AND (", table->name, table->pool);
    add_keys(out, table, &n);
    fputs(") > (", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s$%zu", i ? ", " : "", i + 2);
    fputs(") ORDER BY ", out);
    add_keys(out, table, &n);
    fputs(" LIMIT $5", out);
}

static void write_all(void)
{
    for (size_t i = 0; i < n_pool_tables; i++) {
        const struct pool_table *table = &pool_tables[i];
        size_t len;
        FILE *out;
        if (table->pool && table->carry != CARRY_NOT && (out = open_memstream(&sql[i].page, &len))) {
            write_page(out, table);
            fclose(out);
        }
        if ((out = open_memstream(&sql[i].insert, &len))) {
            fprintf(out, "INSERT INTO %s (", table->name);
            add(out, table, "", false);
            fputs(") VALUES (", out);
            add(out, table, "", true);
            fputs(") ON CONFLICT DO NOTHING", out);
            fclose(out);
        }
        if (table->by_user && (out = open_memstream(&sql[i].strays, &len))) {
            fprintf(out, "DELETE FROM %s WHERE pool = $1 AND sub NOT IN (SELECT sub FROM pool_users WHERE pool = $1)", table->name);
            fclose(out);
        }
        if (table->pool && (out = open_memstream(&sql[i].delete, &len))) {
            fprintf(out, "DELETE FROM %s WHERE %s = $1", table->name, table->pool);
            fclose(out);
        }
    }
}

gh_err store_table_page(struct db *db, struct arena *arena, const struct pool_table *table, struct str pool,
                        const struct str after[POOL_TABLE_KEYS], int64_t limit,
                        bool (*each)(void *ctx, const struct str *values), void *ctx)
{
    struct rows rows;
    struct str a[POOL_TABLE_KEYS];
    size_t n = pool_table_columns(table);
    bool more = true;
    pthread_once(&written, write_all);
    for (size_t i = 0; i < POOL_TABLE_KEYS; i++)
        a[i] = after[i].ptr ? after[i] : STR("");
    rows_open(&rows, db, NULL, arena, sql[table - pool_tables].page, "ssssi", pool, a[0], a[1], a[2], limit);
    while (more && rows_next(&rows)) {
        struct str *values = ARENA_ARRAY(arena, struct str, n);
        for (size_t i = 0; i < n; i++)
            values[i] = rows_str(&rows, (int)i);
        more = each(ctx, values);
    }
    return rows_close(&rows);
}

void store_table_insert(struct tx *tx, const struct pool_table *table, const struct db_value *values)
{
    pthread_once(&written, write_all);
    tx_run_values(tx, sql[table - pool_tables].insert, values, pool_table_columns(table));
}

void store_table_drop_strays(struct tx *tx, const struct pool_table *table, struct str pool)
{
    pthread_once(&written, write_all);
    if (sql[table - pool_tables].strays)
        tx_run(tx, sql[table - pool_tables].strays, "s", pool);
}

void store_tables_delete_pool(struct tx *tx, struct str pool)
{
    pthread_once(&written, write_all);
    for (size_t i = 0; i < n_pool_tables; i++)
        if (sql[i].delete)
            tx_run(tx, sql[i].delete, "s", pool);
}

/* ---- imports under way ---- */

gh_err store_transfer_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct transfer_row *out,
                           bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT pool, id, doc, next_part, began_us FROM pool_transfers WHERE pool = $1", "s",
              pool);
    *found = rows_next(&rows);
    if (*found)
        *out = (struct transfer_row){ rows_str(&rows, 0), rows_str(&rows, 1), rows_str(&rows, 2), rows_i64(&rows, 3),
                                      rows_i64(&rows, 4) };
    return rows_close(&rows);
}

void store_transfer_put(struct tx *tx, const struct transfer_row *row)
{
    tx_run(tx,
           "INSERT INTO pool_transfers (pool, id, doc, next_part, began_us) VALUES ($1, $2, $3, $4, $5)"
           " ON CONFLICT (pool) DO UPDATE SET id = excluded.id, doc = excluded.doc, next_part = excluded.next_part,"
           " began_us = excluded.began_us",
           "sssii", row->pool, row->id, row->doc, row->next_part, row->began_us);
}

void store_transfer_drop(struct tx *tx, struct str pool)
{
    tx_run(tx, "DELETE FROM pool_transfers WHERE pool = $1", "s", pool);
}

gh_err store_transfer_stale(struct tx *tx, struct arena *arena, int64_t before_us, struct str *pool)
{
    return db_find(tx->db, tx, arena, pool, "SELECT pool FROM pool_transfers WHERE began_us < $1 LIMIT 1", "i", before_us);
}
