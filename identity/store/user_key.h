/* Public things of users at rest: SSH public keys and X.509 signing certificates. */
#pragma once

#include "core/db.h"

struct user_key {
    struct str id, owner;
    struct str body;
    struct str mark;   /* fingerprint of an SSH key, digest of a certificate */
    struct str status; /* Active, Inactive */
    int64_t created_us;
};
struct user_keys {
    size_t n;
    struct user_key *items;
};

gh_err ssh_key_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner, struct user_keys *out); /* by id */
void ssh_key_insert(struct tx *tx, const struct user_key *key);
void ssh_key_set_status(struct tx *tx, struct str id, struct str status);
void ssh_key_delete(struct tx *tx, struct str id);

gh_err signing_certificate_list(struct db *db, struct tx *tx, struct arena *arena, struct str owner,
                                struct user_keys *out); /* by id */
/* Of any user of the account. */
gh_err signing_certificate_find(struct db *db, struct tx *tx, struct arena *arena, struct str account,
                                struct str digest, struct user_key *out, bool *found);
void signing_certificate_insert(struct tx *tx, struct str account, const struct user_key *certificate);
void signing_certificate_set_status(struct tx *tx, struct str id, struct str status);
void signing_certificate_delete(struct tx *tx, struct str id);
