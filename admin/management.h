/* AWS's management operations on an exchange: read the body, run on a job thread, answer. */
#pragma once

#include "admin/app.h"

bool management_open(struct app *app, struct str *why);
void management_close(struct app *app);

void management_serve(struct app *app, struct http_exchange *x);
/* One of ours under the name of an operation of apigateway (wire/operation.h: struct wire_errand): reads a
 * body of at most `limit` bytes, runs on a job thread, answers. In dev mode it need not be signed. */
void management_beside(struct app *app, struct http_exchange *x, const char *as_method, struct str as_path, size_t limit,
                       gh_err (*run)(struct call *call, void *ctx, struct str *json), void *ctx);
/* One of ours on a user pool, under the name of an operation of cognito-idp whose input is {"UserPoolId": pool_id}.
 * action: the permission it needs instead of the operation's; or NULL. */
void management_beside_pool(struct app *app, struct http_exchange *x, const char *as_operation, const char *action, struct str pool_id,
                            size_t limit, gh_err (*run)(struct call *call, void *ctx, struct str *json), void *ctx);
/* One of ours under the name of an operation of iam: `form` is its input, "Action=SimulateCustomPolicy&Version=2010-05-08". */
void management_beside_iam(struct app *app, struct http_exchange *x, struct str form, const char *action, size_t limit,
                           gh_err (*run)(struct call *call, void *ctx, struct str *json), void *ctx);
/* What this binary has built, what it refuses, what it stores without acting on it: JSON. */
struct str management_capabilities(struct arena *arena);
/* The account a request speaks for, by its access key. */
struct str management_account(struct app *app, struct http_exchange *x);
/* Drops all state of the account. */
gh_err management_reset(struct app *app, struct arena *arena, struct str account);
void management_metrics(struct strbuf *text);
