/* Rows of the devices that users have confirmed. */
#pragma once

#include "core/db.h"

struct device {
    struct str pool, sub;
    struct str key, group; /* DeviceKey, DeviceGroupKey */
    struct str name;       /* or absent */
    struct str salt;       /* hex */
    struct str verifier;   /* sealed */
    bool remembered;
    int64_t created_us, modified_us, used_us;
    struct str ip, sdk; /* of the last sign-in; what confirmed it */
};
gh_err store_device_find(struct db *db, struct arena *arena, struct str pool, struct str sub, struct str key,
                         struct device *out, bool *found);
/* In order of the key, after `after` (absent: from the start), at most `limit`. */
gh_err store_device_list(struct db *db, struct arena *arena, struct str pool, struct str sub,
                         struct str after, int64_t limit, struct device **out, size_t *n);
void store_device_insert(struct tx *tx, const struct device *device); /* tx->changes 0: it is there already */
/* tx->changes 0: no such device. */
void store_device_remember(struct tx *tx, struct str pool, struct str sub, struct str key, bool remembered,
                           int64_t now_us);
void store_device_used(struct tx *tx, struct str pool, struct str sub, struct str key, struct str ip,
                       int64_t now_us);
/* Its sign-ins cannot be refreshed any more. */
void store_device_delete(struct tx *tx, struct str pool, struct str sub, struct str key);
