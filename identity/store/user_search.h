/* A pool's users by what they are, through indexes: one row a thing to search by, one statement for each way. */
#pragma once

#include "identity/store/user.h"

/* What an index knows. Values are in lower case, but SUB's and STATUS's. */
enum user_index {
    USERS_BY_KEY, /* the folded username */
    USERS_BY_SUB,
    USERS_BY_EMAIL,
    USERS_BY_PHONE_NUMBER,
    USERS_BY_NAME,
    USERS_BY_GIVEN_NAME,
    USERS_BY_FAMILY_NAME,
    USERS_BY_PREFERRED_USERNAME,
    USERS_BY_STATUS,
    USERS_DISABLED, /* the value does not count */
    USERS_IN_GROUP, /* the value is the group's name */
    USER_INDEXES,
};
enum user_match { MATCH_ALL, MATCH_IS, MATCH_BEGINS };

struct user_query {
    struct str pool;
    enum user_index by;
    enum user_match match; /* MATCH_ALL: every user, in order of the key; `by` does not count */
    struct str value;
    /* After which row to go on; both absent: from the first. MATCH_BEGINS goes in order of (value, key), all others
     * in order of the key. */
    struct str after_value, after_key;
    /* Somewhere in the document, in lower case, without quotes, backslashes or control characters: spares reading
     * documents that cannot match. Absent: all. */
    struct str within;
    struct tx *tx; /* to see its writes; NULL: the last commit */
};
bool user_index_has(enum user_index by, enum user_match match); /* whether there is a statement for it */

/* Gives users one after another until `see` says false or none are left. `scratch` is emptied now and then: copy what
 * is to stay. index_value: of MATCH_BEGINS, for after_value. */
gh_err store_users_each(struct db *db, struct arena *arena, const struct user_query *query,
                        bool (*see)(void *ctx, struct arena *scratch, const struct user *user, struct str index_value),
                        void *ctx);

/* The statement, for tests that ask how it is carried out. NULL: none. */
const char *store_users_sql(enum user_index by, enum user_match match);
