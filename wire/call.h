/* One management call, as a handler sees it: decoded, checked, authenticated, authorised. */
#pragma once

#include "core/db.h"
#include "core/env.h"
#include "core/seal.h"
#include "wire/model.h"

/* Who calls. */
struct principal {
    enum { PRINCIPAL_ANONYMOUS, PRINCIPAL_ROOT, PRINCIPAL_USER, PRINCIPAL_ROLE_SESSION, PRINCIPAL_FEDERATED } kind;
    struct str account;       /* 12 digits */
    struct str arn;           /* arn:aws:iam::1:user/x, arn:aws:sts::1:assumed-role/r/s, arn:aws:iam::1:root */
    struct str id;            /* AIDA…, AROA…:session, the account of root */
    struct str name;          /* user or role name, absent for root */
    struct str access_key_id; /* absent when anonymous */
    struct str session_name;
    double token_issued_s;    /* of a session, 0 otherwise */
    struct str cognito_identity, cognito_pool; /* of a session that an identity pool gave out; or absent */
};

struct call {
    struct arena *arena;
    const struct env *env;
    struct db *db;
    const struct sealer *sealer;
    struct str account, region, partition; /* "aws" */
    struct str request_id;
    struct str source_ip, user_agent;
    struct str base_url;      /* "http://127.0.0.1:4566": what the outside calls us */
    int64_t now_us;           /* wall clock, once a call */
    const struct principal *principal;
    const void *credential;   /* what sigv4_keys.find gave for it: identity's struct credential; NULL: anonymous */
    const struct service *service;
    const struct operation *operation;
    struct audit_notes *audit; /* what the handler adds to its record (wire/audit.h); NULL: none is kept */
    bool counted;             /* against the account's limits of requests a second */
    const struct http_headers *headers; /* of the request, for the few operations that need one */
    void *module;             /* the service's own state: struct identity *, struct functions *, struct gateway * */
};
