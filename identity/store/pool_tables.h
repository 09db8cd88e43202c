/* Every table with rows of user pools, as a list: what an export carries of a pool, and what goes when it is deleted.
 *
 * A migration that adds a table beginning with "pool" adds its row here; tests/unit/test_pool_tables.c compares the list
 * with the schema, columns and all, and fails until it does. */
#pragma once

#include "core/db.h"

enum pool_carry {
    CARRY,           /* in every export */
    CARRY_WITH_KEYS, /* when asked for the signing keys */
    CARRY_NOT,       /* and `why` says why not */
};

struct pool_table {
    const char *name;
    const char *columns; /* in order; those that hold numbers end in "/i" */
    const char *pool;    /* the column that holds the pool's id; NULL: rows of no pool */
    const char *keys;    /* the rest of the primary key, at most three; texts */
    const char *json;    /* columns that hold documents */
    const char *client;  /* a column that holds a client's id, or NULL */
    bool by_user;        /* "sub" is a user's, and the row goes with the user */
    bool shared;         /* a name that another pool may have taken: then the row stays behind and is told */
    enum pool_carry carry;
    const char *why;
    /* Where values are sealed (core/seal.h), with {column} and {member}, the name of a document's member. Every sealed
     * value of a row must open at one of them. */
    const char *places[3];
};
extern const struct pool_table pool_tables[];
extern const size_t n_pool_tables;
const struct pool_table *pool_table_find(struct str name); /* NULL: none */

/* The list's columns one by one: name and whether it is a number. */
bool pool_table_column(const struct pool_table *table, size_t i, struct str *name, bool *number);
size_t pool_table_columns(const struct pool_table *table);
bool pool_table_lists(const char *list, struct str column); /* a name among those of `keys` or `json` */

/* A page of a pool's rows in order of the keys, after `after` (absent: from the start): each value as text, absent for
 * NULL, to `each`, which says false to stop. */
enum { POOL_TABLE_KEYS = 3 };
gh_err store_table_page(struct db *db, struct arena *arena, const struct pool_table *table, struct str pool,
                        const struct str after[POOL_TABLE_KEYS], int64_t limit,
                        bool (*each)(void *ctx, const struct str *values), void *ctx);
/* values: one for each column. tx->changes 0: such a key is there already. */
void store_table_insert(struct tx *tx, const struct pool_table *table, const struct db_value *values);
/* Rows of users who are not there. */
void store_table_drop_strays(struct tx *tx, const struct pool_table *table, struct str pool);
/* Of all tables; the row in `pools` too. */
void store_tables_delete_pool(struct tx *tx, struct str pool);

/* An import under way: its next part, and what it has to remember. One a pool. */
struct transfer_row {
    struct str pool, id, doc;
    int64_t next_part, began_us;
};
gh_err store_transfer_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, struct transfer_row *out,
                           bool *found);
void store_transfer_put(struct tx *tx, const struct transfer_row *row);
void store_transfer_drop(struct tx *tx, struct str pool);
/* A pool whose import was begun before then and not ended; absent: none. */
gh_err store_transfer_stale(struct tx *tx, struct arena *arena, int64_t before_us, struct str *pool);
