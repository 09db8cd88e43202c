/* Lazy migration: who is unknown here may be known to another pool, at AWS or at another Gatehouse, asked over its own
 * protocol. No function is needed; options of the pool say where (identity/pools/options.c: migrateFrom…).
 *
 * A password is tried with USER_PASSWORD_AUTH at the other's app client, and GetUser tells who it was. Without a password
 * (ForgotPassword), or when the other asks a second factor, AdminGetUser does, where keys for it are given. */
#pragma once

#include "identity/pools/client.h"

bool other_pool_is_set(const struct pool *pool);
/* *answer in the form of UserMigration's response: {"userAttributes": {…}, "finalUserStatus": "CONFIRMED"}, and "sub" where
 * it is one that can be kept; an empty object: not known there, or the wrong password. An error: the other pool does
 * not answer as it should; for the log, not for the client. Waits up to migrateFromTimeoutMs for each of two requests. */
gh_err other_pool_ask(struct call *call, const struct client *client, struct str name, struct str password, json_t **answer);
