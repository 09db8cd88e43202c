/* The verbs that talk to a running Gatehouse. Each is a client of the management API, not a
 * second way in. They return the exit code: 0, or 1 after saying why on standard error. */
#pragma once

#include "admin/client.h"
#include "admin/options.h"

int cli_api(int argc, char **argv);
int cli_pool(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_test(int argc, char **argv); /* 1: a fixture failed, or there is none */
int cli_diff(int argc, char **argv); /* 0: nothing differs, 1: it failed, 2: there are differences */
int cli_options(int argc, char **argv);
int cli_replay(int argc, char **argv); /* 2: the draft answers differently */
int cli_policy(int argc, char **argv); /* cli_policy.h */
int cli_audit(int argc, char **argv); /* verify: 2 when the log is not as it was written */
int cli_guard_rail(int argc, char **argv);
int cli_env(int argc, char **argv);
int cli_capabilities(int argc, char **argv);
/* What `up` prints when it is ready. */
void cli_greet(const struct options *options);

/* --- for the files of the command line --- */
int cli_usage(const char *text); /* prints it, gives 1 */
int cli_pool_keys(int argc, char **argv); /* cli_keys.c: what follows `pool keys` */
int cli_words(int argc, char **argv); /* how many stand before the first flag */
/* The bytes of a file of at most 16 MiB; absent: it cannot be read. */
struct str cli_file(struct arena *arena, const char *path);
const char *cli_flag(int argc, char **argv, const char *name); /* the value after a flag, or NULL */
bool cli_given(int argc, char **argv, const char *name); /* a flag without a value stands there */
bool cli_flags_known(int argc, char **argv, int skip, const char *known);
int cli_pool_more(int argc, char **argv); /* cli_pool.c: every verb of pool but `new` */
/* The id of the user pool called `name`; absent: there is none. */
struct str cli_pool_id(struct client *client, const char *name);
/* The id of the API called `name`; absent after saying that there is none. */
struct str cli_require_api(struct client *client, const char *name);
