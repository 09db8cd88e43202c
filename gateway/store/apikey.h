/* API keys at rest. A look-up that finds nothing gives NULL in *out and no error. `struct api_key`
 * is what addresses any resource: account, region and id. */
#pragma once

#include "gateway/store/docs.h"

#define APIKEY_VALUES 2 /* live at once */
#define APIKEY_MAC    64 /* hex digits */

struct apikey_value {
    struct str mac;    /* hex */
    struct str sealed; /* for the place apikey_place() */
    int64_t ends_us;   /* 0: never */
    int64_t serial;
};

gh_err apikey_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out);
void apikey_save(struct tx *tx, struct api_key key, int64_t created_us, const json_t *doc); /* inserts or replaces */
void apikey_delete(struct tx *tx, struct str id); /* with its values, its plans and what it used */

/* Newest first, those created before (before_us, before_id); name and customer narrow it, when given. */
struct apikey_query {
    struct str account, region;
    struct str name_prefix, customer;
    int64_t before_us; /* INT64_MAX: from the newest on */
    struct str before_id;
    int64_t limit;
};
struct apikey_page {
    struct docs docs;
    int64_t last_us; /* of the last row */
    bool more;
};
gh_err apikey_list(struct db *db, struct arena *arena, const struct apikey_query *query, struct apikey_page *out);
/* Reads doc and time of the open result, which has one row more when `more` follow. Closes it. */
gh_err apikey_page_read(struct rows *rows, int64_t limit, struct apikey_page *out);

gh_err apikey_count(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                    size_t *out);

/* --- values --- */
/* Newest first, at most APIKEY_VALUES. */
gh_err apikey_values(struct db *db, struct tx *tx, struct arena *arena, struct str key_id, struct apikey_value *out,
                     size_t *n);
/* The key that has the value, or absent. */
gh_err apikey_by_mac(struct db *db, struct tx *tx, struct arena *arena, struct str mac, struct str *key_id);
void apikey_value_save(struct tx *tx, struct str key_id, const struct apikey_value *value);
void apikey_value_delete(struct tx *tx, struct str mac);
struct str apikey_place(struct arena *arena, struct str key_id); /* for seal and unseal */

/* Everything that a request needs to know of a key. */
struct id_list {
    struct str *items;
    size_t n;
};
struct apikey_record {
    struct str id;
    json_t *doc; /* NULL: no such key */
    struct apikey_value values[APIKEY_VALUES]; /* mac and ends_us */
    size_t n_values;
    struct id_list plans;
};
gh_err apikey_record_load(struct db *db, struct arena *arena, struct str id, struct apikey_record *out);
/* Of all keys of all accounts. */
struct apikey_records {
    struct apikey_record *items;
    size_t n;
};
gh_err apikey_records_load(struct db *db, struct arena *arena, struct apikey_records *out);

/* Of one account. */
gh_err apikey_ids_of(struct db *db, struct arena *arena, struct str account, struct id_list *out);
/* Reads column 0 of the open result to its end. Closes it. */
gh_err ids_read(struct rows *rows, struct id_list *out);
