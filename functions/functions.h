/* The seam of functions/: the runtime behind core/invoke.h, and the lambda service. */
#pragma once

#include "core/invoke.h"
#include "core/job.h"
#include "wire/call.h"

struct functions;

/* Functions run on a thread and a loop of their own. Processes are started when first needed; what
 * the machine offers (sandbox, interpreters) is found out after the start, and invocations wait for it. */
struct functions_config {
    const struct env *env;
    struct db *db;
    const struct sealer *sealer;
    struct job_pool *jobs;
    struct str data_dir;  /* packages are unpacked under it */
    struct str base_url;  /* AWS_ENDPOINT_URL of the functions */
    struct str region, default_account, partition;
    bool sandbox;         /* false: --no-sandbox */
    /* A function whose role cannot be assumed is refused. Without it (dev mode) it is taken, and has no
     * keys while it runs. */
    bool roles_must_exist;
    /* Temporary keys for a function's role, valid for an hour: fills AWS_ACCESS_KEY_ID and its like. False:
     * there is no such role, or it does not trust Lambda. Job threads. May be NULL. */
    bool (*role_keys)(void *ctx, struct arena *arena, struct str role_arn, struct str session_name,
                      struct str *key_id, struct str *secret, struct str *token);
    void *role_keys_ctx;
};

struct functions *functions_open(const struct functions_config *config, struct arena *arena, struct str *why);
/* Nothing new begins, everybody who waits is told so, processes are killed, the threads of
 * functions_waiters end. Calls still come in and are answered: "the server stops". */
void functions_stop(struct functions *functions);
void functions_close(struct functions *functions); /* stops it first; nobody calls any more */
const struct invoker *functions_invoker(struct functions *functions);

/* Threads for management calls that wait for a function (Invoke), so that slow functions do not hold
 * up the shared pool; made when first asked for. Any thread. */
struct job_pool *functions_waiters(struct functions *functions);

/* The package behind a Code.Location of GetFunction. path: raw, "/_gatehouse/functions/code/…". Blocking.
 * False: no such link, or it has expired. */
bool functions_code_by_link(struct functions *functions, struct str path, struct arena *arena, struct str *zip);

/* What a function printed, newest bytes first to go: text, at most max_bytes; absent: nothing yet. */
struct str functions_log(struct functions *functions, struct str account, struct str region, struct str name,
                         size_t max_bytes, struct arena *arena);

/* What the kernel allowed, and which interpreters serve which runtime names:
 * {"sandbox":{"mode":"bubblewrap|none","why":…,"namespaces":[…]},"runtimes":{"nodejs20.x":{"path","version"},…}} */
json_t *functions_health(struct functions *functions, struct arena *arena);

/* Dev mode: forgets every function of call->account. Job threads. */
gh_err functions_reset(struct call *call);
