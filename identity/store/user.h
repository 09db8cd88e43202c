/* Rows of a pool's users, their other names, their codes. */
#pragma once

#include <jansson.h>

#include "core/db.h"

/* What of a row may change, as it was read. */
struct user_read {
    struct str status;
    bool enabled;
    int64_t password_us;
    struct str salt, verifier, password;
    struct str doc; /* JSON: attributes, and more's members */
};

struct user {
    struct str pool;
    struct str folded; /* the username as the pool compares it: the key */
    struct str sub;
    struct str username; /* as given; the sub in pools that sign in by attribute */
    struct str status;   /* "CONFIRMED", … */
    bool enabled;
    int64_t created_us, modified_us;
    int64_t password_us; /* when it was set; 0: none */
    struct str salt;     /* hex */
    struct str verifier; /* sealed */
    struct str password; /* argon2id PHC string, or what identity/transfer/foreign_hash.h reads */
    json_t *attributes;  /* name -> value, both strings; without sub */
    json_t *more; /* an object: everything else, each part under its own name; secrets in it are sealed */
    const struct user_read *read; /* for who saves it (identity/users/merge.h); NULL: not there yet */
};

/* For files of store/: the columns of a user as u, and the user in such a row. */
#define USER_COLUMNS                                                                                         \
    "u.pool, u.folded, u.sub, u.username, u.status, u.enabled, u.created_us, u.modified_us, u.password_us,"  \
    " u.salt, u.verifier, u.password, u.doc"
enum { USER_COLUMNS_N = 13 };
struct user store_user_of(struct rows *rows);

/* By the key, by the sub, by another name (folded too). */
enum user_by { USER_BY_NAME, USER_BY_SUB, USER_BY_ALIAS };
gh_err store_user_find(struct db *db, struct tx *tx, struct arena *arena, struct str pool, enum user_by by,
                       struct str value, struct user *out, bool *found);
void store_user_insert(struct tx *tx, const struct user *user); /* tx->changes 0: the name is taken */
void store_user_update(struct tx *tx, const struct user *user);
void store_user_refold(struct tx *tx, struct str pool, struct str sub, struct str folded); /* another key */
void store_user_delete(struct tx *tx, const struct user *user);

/* Who has that other name: absent when nobody. */
gh_err store_alias_owner(struct tx *tx, struct arena *arena, struct str pool, struct str value,
                         struct str *sub);
void store_alias_put(struct tx *tx, struct str pool, struct str value, struct str attribute, struct str sub);
void store_alias_drop(struct tx *tx, struct str pool, struct str sub);
void store_alias_drop_all(struct tx *tx, struct str pool);

struct code_row {
    struct str mac, attribute;
    int64_t sent_s, tries;
};
gh_err store_code_find(struct db *db, struct arena *arena, struct str pool, struct str sub,
                       struct str purpose, struct code_row *out, bool *found);
void store_code_put(struct tx *tx, struct str pool, struct str sub, struct str purpose,
                    const struct code_row *row);
void store_code_forget(struct tx *tx, int64_t before_s); /* all that were sent before */
void store_code_tried(struct tx *tx, struct str pool, struct str sub, struct str purpose);
void store_code_drop(struct tx *tx, struct str pool, struct str sub, struct str purpose);
