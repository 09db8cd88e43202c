/* A person as other servers export them, in one form of ours: what pool import-users reads.
 *
 *   {"username": "ada", "sub": "<uuid>", "id": "auth0|17", "enabled": true, "status": "CONFIRMED", "created": "2020-…",
 *    "attributes": {"email": "…", "custom:level": "9"}, "passwordHash": "$2b$10$…", "totpSecret": "<base32>",
 *    "groups": ["admins"]}
 * That is also --from jsonl. Only a name (or an address that can be one) must be there. */
#pragma once

#include "identity/pools/pool.h"
#include "identity/transfer/foreign_hash.h"

struct person {
    struct str names[4];    /* what may be the username, the best first; absent at the end */
    struct str sub;         /* a UUID, or absent */
    struct str source_id;   /* into custom:source_id, where the schema has it */
    struct str status;      /* or absent: by the password */
    struct str password;    /* what foreign_hash.h reads, or absent */
    struct str totp;        /* the secret's bytes, or absent */
    json_t *attributes;     /* name -> text */
    json_t *groups;         /* array of names, or NULL */
    json_t *ignored;        /* array: names of attributes that the schema does not have, and the like */
    bool enabled;
    int64_t created_us;     /* 0: not told */
};

struct person_source;
/* "keycloak", "auth0", "firebase", "cognito", "jsonl"; NULL: none of them. */
const struct person_source *person_source_find(struct str name);
/* parameters: firebase's hash parameters, else NULL. False: *why, without any value of the record. */
bool person_read(struct call *call, const struct pool *pool, const struct person_source *source, const json_t *parameters,
                 const json_t *record, struct person *out, struct str *why);
