/* Virtual MFA devices at rest. */
#pragma once

#include "core/db.h"
#include "core/seal.h"
#include "gen/iam.h"

struct mfa_device {
    struct str serial, account;
    struct str owner;       /* user id, or the account for its root; absent: not assigned */
    struct str seed;        /* sealed: mfa_device_seed opens it */
    int64_t created_us, enabled_us;
    int64_t last_step;      /* of the last code that was taken */
    int64_t drift;          /* steps that its clock is ahead of ours */
    int64_t failures, failed_us;
    struct iam_tagListType tags;
};
struct mfa_devices {
    size_t n;
    struct mfa_device *items;
};

gh_err mfa_device_find(struct db *db, struct tx *tx, struct arena *arena, struct str serial, struct mfa_device *out,
                       bool *found);
/* Of an owner, by serial number. */
gh_err mfa_device_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct mfa_devices *out);
/* Of an account, assigned ones and others, by serial number. */
gh_err mfa_device_list_all(struct db *db, struct arena *arena, struct str account, struct mfa_devices *out);
gh_err mfa_device_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, int64_t *all, int64_t *in_use);

struct str mfa_seed_seal(const struct sealer *sealer, struct arena *arena, struct str serial, struct str seed);
bool mfa_seed_open(const struct sealer *sealer, struct arena *arena, const struct mfa_device *device, struct str *seed);

/* tx->changes 0: there is one of that serial number. */
void mfa_device_insert(struct tx *tx, const struct mfa_device *device);
void mfa_device_update(struct tx *tx, const struct mfa_device *device);
void mfa_device_delete(struct tx *tx, struct str serial);
