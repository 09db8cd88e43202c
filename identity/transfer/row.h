/* Rows of a pool as they travel in an export: JSON, with every secret opened, and sealed anew where they arrive.
 *
 *   ["pool_clients", "4k2…", "us-east-1_x", 1763717000000000, {"$sealed": "pool-client/{id}", "$plain": "<base64>"}, {…}]
 * Columns that hold documents are objects; a secret within one looks the same. */
#pragma once

#include "identity/store/pool_tables.h"
#include "wire/call.h"

/* NULL: a secret opens at none of the table's places; *why says which. */
json_t *row_shown(struct call *call, const struct pool_table *table, const struct str *values, struct str *why);

/* What changes on the way. */
struct row_move {
    struct str old_pool, new_pool; /* the same, unless the pool is imported as a new one */
    struct str old_arn, new_arn;
    const json_t *clients;         /* old id -> new id; or NULL */
};
/* The columns as the file has them (names) to the table's own: what the file does not have is NULL. False: *why. */
bool row_read(struct call *call, const struct pool_table *table, const json_t *names, const json_t *row,
              const struct row_move *move, struct db_value *values, struct str *why);
