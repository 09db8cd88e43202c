#include "identity/store/device.h"

#define COLUMNS                                                                                              \
    "pool, sub, device, device_group, name, salt, verifier, remembered, created_us, modified_us, used_us, "  \
    "ip, sdk"

static struct device device_of(struct rows *rows)
{
    return (struct device){
        .pool = rows_str(rows, 0),
        .sub = rows_str(rows, 1),
        .key = rows_str(rows, 2),
        .group = rows_str(rows, 3),
        .name = rows_str(rows, 4),
        .salt = rows_str(rows, 5),
        .verifier = rows_str(rows, 6),
        .remembered = rows_i64(rows, 7) != 0,
        .created_us = rows_i64(rows, 8),
        .modified_us = rows_i64(rows, 9),
        .used_us = rows_i64(rows, 10),
        .ip = rows_str(rows, 11),
        .sdk = rows_str(rows, 12),
    };
}

gh_err store_device_find(struct db *db, struct arena *arena, struct str pool, struct str sub, struct str key,
                         struct device *out, bool *found)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM pool_devices WHERE pool = $1 AND sub = $2 AND device = $3", "sss",
              pool, sub, key);
    *found = rows_next(&rows);
    if (*found)
        *out = device_of(&rows);
    return rows_close(&rows);
}

gh_err store_device_list(struct db *db, struct arena *arena, struct str pool, struct str sub,
                         struct str after, int64_t limit, struct device **out, size_t *n)
{
    struct rows rows;
    *out = ARENA_ARRAY(arena, struct device, limit);
    *n = 0;
    rows_open(&rows, db, NULL, arena,
              "SELECT " COLUMNS " FROM pool_devices WHERE pool = $1 AND sub = $2 AND device > $3"
              " ORDER BY device LIMIT $4",
              "sssi", pool, sub, after.ptr ? after : STR(""), limit);
    while (*n < (size_t)limit && rows_next(&rows))
        (*out)[(*n)++] = device_of(&rows);
    return rows_close(&rows);
}

void store_device_insert(struct tx *tx, const struct device *device)
{
    tx_run(tx,
           "INSERT INTO pool_devices (" COLUMNS
           ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
           " ON CONFLICT DO NOTHING",
           "sssssssiiiiss", device->pool, device->sub, device->key, device->group, device->name, device->salt,
           device->verifier, (int64_t)device->remembered, device->created_us, device->modified_us,
           device->used_us, device->ip, device->sdk);
}

void store_device_remember(struct tx *tx, struct str pool, struct str sub, struct str key, bool remembered,
                           int64_t now_us)
{
    tx_run(tx,
           "UPDATE pool_devices SET remembered = $4, modified_us = $5 WHERE pool = $1 AND sub = $2 AND "
           "device = $3",
           "sssii", pool, sub, key, (int64_t)remembered, now_us);
}

void store_device_used(struct tx *tx, struct str pool, struct str sub, struct str key, struct str ip,
                       int64_t now_us)
{
    tx_run(tx,
           "UPDATE pool_devices SET used_us = $4, ip = COALESCE($5, ip) WHERE pool = $1 AND sub = $2 AND "
           "device = $3",
           "sssis", pool, sub, key, now_us, ip);
}

void store_device_delete(struct tx *tx, struct str pool, struct str sub, struct str key)
{
    tx_run(tx, "UPDATE pool_sessions SET revoked = 1 WHERE pool = $1 AND sub = $2 AND device = $3", "sss",
           pool, sub, key);
    tx_run(tx, "DELETE FROM pool_devices WHERE pool = $1 AND sub = $2 AND device = $3", "sss", pool, sub,
           key);
}
