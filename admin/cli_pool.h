/* Verbs about one user pool as a whole, beside `pool new`. */
#pragma once

#include "admin/cli.h"
#include "admin/client.h"
#include "core/json.h"

/* POST with a body, GET without. The answer lives in the arena; NULL: the error is printed. */
json_t *cli_pool_ask(struct client *client, struct arena *arena, struct str path, json_t *body);
/* By id or name; absent: said so. */
struct str cli_require_pool(struct client *client, const char *name);
/* A count on one line of stderr, once a second, and at the end. */
void cli_progress(const char *doing, long long rows, bool end);

/* cli_pool_users.c; 2: some records were not taken */
int cli_pool_import_users(struct client *client, int argc, char **argv);
int cli_pool_import_log(struct client *client, int argc, char **argv);
int cli_pool_users(struct client *client, int argc, char **argv);
/* cli_pool_change.c; 2: there are conflicts */
int cli_pool_change(struct client *client, int argc, char **argv);
