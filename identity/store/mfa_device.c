#include "identity/store/mfa_device.h"

#include "identity/store/iam_tags.h"

#define SELECT                                                                                                         \
    "SELECT serial, account, owner, seed, created_us, enabled_us, last_step, drift, failures, failed_us, tags "        \
    "FROM iam_mfa_device "

static void read_row(struct rows *rows, struct arena *arena, struct mfa_device *out)
{
    struct str why;
    *out = (struct mfa_device){
        .serial = rows_str(rows, 0), .account = rows_str(rows, 1), .owner = rows_str(rows, 2),
        .seed = rows_str(rows, 3), .created_us = rows_i64(rows, 4), .enabled_us = rows_i64(rows, 5),
        .last_step = rows_i64(rows, 6), .drift = rows_i64(rows, 7), .failures = rows_i64(rows, 8),
        .failed_us = rows_i64(rows, 9),
    };
    iam_tags_parse(arena, json_parse(arena, rows_str(rows, 10), &why), &out->tags);
}

static gh_err read_all(struct rows *rows, struct arena *arena, struct mfa_devices *out)
{
    size_t room = 8;
    *out = (struct mfa_devices){ .items = ARENA_ARRAY(arena, struct mfa_device, room) };
    while (rows_next(rows)) {
        if (out->n == room) {
            out->items = arena_grow(arena, out->items, room * sizeof *out->items, 2 * room * sizeof *out->items);
            room *= 2;
        }
        read_row(rows, arena, &out->items[out->n++]);
    }
    return rows_close(rows);
}

gh_err mfa_device_find(struct db *db, struct tx *tx, struct arena *arena, struct str serial, struct mfa_device *out,
                       bool *found)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, SELECT "WHERE serial = $1", "s", serial);
    *found = rows_next(&rows);
    if (*found)
        read_row(&rows, arena, out);
    return rows_close(&rows);
}

gh_err mfa_device_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct mfa_devices *out)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, SELECT "WHERE owner = $1 ORDER BY serial", "s", owner);
    return read_all(&rows, arena, out);
}

gh_err mfa_device_list_all(struct db *db, struct arena *arena, struct str account, struct mfa_devices *out)
{
    struct rows rows;
    rows_open(&rows, db, NULL, arena, SELECT "WHERE account = $1 ORDER BY serial", "s", account);
    return read_all(&rows, arena, out);
}

gh_err mfa_device_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, int64_t *all,
                        int64_t *in_use)
{
    struct rows rows;
    rows_open(&rows, db, tx, arena, "SELECT COUNT(*), COUNT(owner) FROM iam_mfa_device WHERE account = $1", "s",
              account);
    bool any = rows_next(&rows);
    *all = any ? rows_i64(&rows, 0) : 0;
    *in_use = any ? rows_i64(&rows, 1) : 0;
    return rows_close(&rows);
}

static struct str place(struct arena *arena, struct str serial)
{
    return str_concat(arena, STR("iam/mfa-device/"), serial);
}

struct str mfa_seed_seal(const struct sealer *sealer, struct arena *arena, struct str serial, struct str seed)
{
    return seal(sealer, arena, place(arena, serial), seed);
}

bool mfa_seed_open(const struct sealer *sealer, struct arena *arena, const struct mfa_device *device, struct str *seed)
{
    return unseal(sealer, arena, place(arena, device->serial), device->seed, seed);
}

static struct str print_tags(struct arena *arena, const struct mfa_device *device)
{
    return device->tags.n ? json_print(arena, json_own(arena, iam_tags_json(&device->tags))) : STR("[]");
}

void mfa_device_insert(struct tx *tx, const struct mfa_device *device)
{
    tx_run(tx,
           "INSERT INTO iam_mfa_device (serial, account, owner, seed, created_us, enabled_us, last_step, drift, "
           "failures, failed_us, tags) VALUES ($1, $2, NULL, $3, $4, 0, 0, 0, 0, 0, $5) ON CONFLICT DO NOTHING",
           "sssis", device->serial, device->account, device->seed, device->created_us,
           print_tags(tx->arena, device));
}

void mfa_device_update(struct tx *tx, const struct mfa_device *device)
{
    tx_run(tx,
           "UPDATE iam_mfa_device SET owner = $1, enabled_us = $2, last_step = $3, drift = $4, failures = $5, "
           "failed_us = $6, tags = $7 WHERE serial = $8",
           "siiiiiss", device->owner, device->enabled_us, device->last_step, device->drift, device->failures,
           device->failed_us, print_tags(tx->arena, device), device->serial);
}

void mfa_device_delete(struct tx *tx, struct str serial)
{
    tx_run(tx, "DELETE FROM iam_mfa_device WHERE serial = $1", "s", serial);
}
