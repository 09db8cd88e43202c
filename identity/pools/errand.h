/* What Gatehouse adds to a user pool, below /_gatehouse/user-pools/{id}/ (admin/local.c has the table): each is
 * signed and allowed as one of AWS's operations on the pool. */
#pragma once

#include "wire/call.h"

struct pool_errand {
    struct str pool_id;
    struct str method;       /* "PUT" */
    struct str item;         /* of its things the one that the path names, or absent */
    struct str query;        /* as sent, without '?' */
    const struct str *body;  /* read when it runs */
};
/* Each: a handler with a struct pool_errand * as its context; *json is the answer (absent: none). */
gh_err pool_options_get(struct call *call, void *errand, struct str *json);
gh_err pool_options_put(struct call *call, void *errand, struct str *json); /* PUT: all; PATCH: what is named */
gh_err import_log_get(struct call *call, void *errand, struct str *json);    /* identity/users/import_job.c */
gh_err pool_users_search(struct call *call, void *errand, struct str *json); /* identity/users/search_page.c */
gh_err pool_users_bulk(struct call *call, void *errand, struct str *json);   /* identity/users/bulk.c */
const char *pool_users_bulk_as(struct arena *arena, struct str query);       /* by the action asked for */
gh_err pool_webhook_secret_get(struct call *call, void *errand, struct str *json); /* identity/triggers/webhook.c */
gh_err pool_webhook_secret_put(struct call *call, void *errand, struct str *json); /* POST: a new one; DELETE: the old ones go */
gh_err pool_keys_get(struct call *call, void *errand, struct str *json);    /* identity/tokens/rotate.c */
gh_err pool_keys_rotate(struct call *call, void *errand, struct str *json);
gh_err pool_keys_retire(struct call *call, void *errand, struct str *json); /* body: {"kid": …} */
/* identity/transfer/ */
gh_err pool_export(struct call *call, void *errand, struct str *json);
gh_err pool_import(struct call *call, void *errand, struct str *json); /* of no pool yet */
gh_err pool_import_users(struct call *call, void *errand, struct str *json);
gh_err pool_schema_change_run(struct call *call, void *errand, struct str *json);
