#include "admin/app.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/listen.h"
#include "admin/management.h"
#include "admin/version.h"
#include "core/embed.h"
#include "core/log.h"

/* "Total combined size of request line and header values: 10240 bytes": each of them, here; together with --limits aws
 * (gateway/stage/accept.c). */
enum { TARGET_BYTES = 10240, HEADERS_BYTES = 10240, HEAD_BYTES = TARGET_BYTES + HEADERS_BYTES + 128 };
enum { IDLE_S = 75, MAX_CONNECTIONS = 16000, DRAIN_S = 30, JOB_THREADS_PER_CORE = 4, MAX_QUEUED = 4096, FILES_S = 2 };

static bool open_folder(struct app *app, struct str *why);
static bool migrate(struct app *app, struct str *why, int *code);
static bool open_modules(struct app *app, struct str *why);
static bool open_workers(struct app *app, struct str *why);
static bool write_root_key(struct app *app, struct str *why);

static sigset_t awaited_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR2);
    return signals;
}

bool app_open(struct app *app, const struct options *options, struct arena *arena, struct str *why, int *code)
{
    *app = (struct app){ .options = *options, .arena = arena };
    log_set_level(options->log_level);
    sigset_t signals = awaited_signals();
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before there are threads: they inherit it */
    env_system(&app->env);
    app->started_us = env_monotonic_us(&app->env);
    *code = 2;
    if (!open_folder(app, why))
        return false;
    const char *path = str_printf(arena, "%s/gatehouse.db", options->data.ptr).ptr;
    app->db = db_open(path, arena, why, code);
    if (!app->db || !migrate(app, why, code))
        return false;
    *code = 2;
    app->sealer = sealer_open(str_printf(arena, "%s/key", options->data.ptr).ptr, true, &app->env, arena, why);
    if (!app->sealer)
        return false;
    app->env.ctx = &app->postman; /* the clock functions of the real world need no context */
    app->env.send = postman_send;
    app->n_workers = options->workers;
    app->workers = ARENA_ARRAY(arena, struct worker, app->n_workers);
    return open_workers(app, why) && open_modules(app, why) && audit_open(app, why) && management_open(app, why) &&
           ((options->mode == MODE_DEV && options->enforce != ENFORCE_ALL) || write_root_key(app, why));
}

/* One process a data folder, and nobody else may read it. */
static bool open_folder(struct app *app, struct str *why)
{
    const char *folder = app->options.data.ptr;
    struct stat info;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) {
        *why = str_printf(app->arena, "cannot make the data folder %s: %s", folder, strerror(errno));
        return false;
    }
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode)) {
        *why = str_printf(app->arena, "%s is not a folder", folder);
        return false;
    }
    if (app->options.mode == MODE_SERVE && (info.st_mode & 077) != 0) {
        *why = str_printf(app->arena, "the data folder %s is open to others (mode %03o): chmod 700 it", folder,
                          info.st_mode & 0777);
        return false;
    }
    /* A record lock belongs to this process alone: one of flock would live on in a child that is
     * between fork and exec when we are killed, and refuse the next start. */
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int lock = open(str_printf(app->arena, "%s/lock", folder).ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || fcntl(lock, F_SETLK, &whole) != 0) {
        *why = lock < 0 ? str_printf(app->arena, "cannot write to the data folder %s: %s", folder, strerror(errno))
                        : str_printf(app->arena, "another Gatehouse uses the data folder %s", folder);
        return false;
    }
    return true; /* the lock is held until the process ends */
}

/* "identity/store/001_pools.sql" is step 1 of module "identity". */
static bool migrate(struct app *app, struct str *why, int *code)
{
    size_t n = 0;
    while (embedded_migrations[n].path)
        n++;
    struct migration *steps = ARENA_ARRAY(app->arena, struct migration, n);
    for (size_t i = 0; i < n; i++) {
        struct str path = str_of(embedded_migrations[i].path);
        struct str name = str_from(path, (size_t)str_find_last(path, '/') + 1);
        steps[i].module = str_c(app->arena, str_sub(path, 0, (size_t)str_find(path, '/')));
        steps[i].number = (int)strtol(name.ptr, NULL, 10);
        steps[i].sql = embedded_migrations[i].bytes;
    }
    return db_migrate(app->db, steps, n, app->arena, why, code);
}

static struct str base_url(struct app *app)
{
    if (app->options.base_url.ptr)
        return app->options.base_url;
    bool v6 = str_find(app->options.addr, ':') >= 0;
    bool any = str_is(app->options.addr, "0.0.0.0") || str_is(app->options.addr, "::");
    struct str host = any ? STR("127.0.0.1") : app->options.addr;
    return str_printf(app->arena, v6 && !any ? "http://[%.*s]:%u" : "http://%.*s:%u", STR_FMT(host), app->port);
}

/* functions/ does not see identity/: it asks by way of this. */
static bool role_keys(void *ctx, struct arena *arena, struct str role_arn, struct str session_name, struct str *key_id,
                      struct str *secret, struct str *token)
{
    return identity_service_role(ctx, arena, role_arn, STR("lambda.amazonaws.com"), session_name, key_id, secret, token);
}

static void open_postman(struct app *app)
{
    const struct options *o = &app->options;
    app->postman.env = &app->env;
    app->postman.outbox = (struct outbox){ &app->env, app->db, app->sealer };
    app->postman.keeps = o->mode == MODE_DEV;
    app->postman.smtp = o->smtp;
    app->postman.sms_hook = o->sms_hook;
    app->postman.sns = outside_find_endpoint(&o->outside, STR("sns"));
    app->postman.fetcher = app->fetcher;
    app->postman.identity = app->identity;
    app->postman.region = o->region;
}

static bool open_modules(struct app *app, struct str *why)
{
    const struct options *o = &app->options;
    app->options.base_url = base_url(app);
    if (!outside_open(&app->options.outside, o->mode == MODE_DEV, app->arena, why))
        return false;
    net_guard_own_port(app->options.outside.guard, app->port);
    outside_add_own(&app->options.outside, app->arena, o->addr, app->port);
    app->fetcher = http_fetcher_new(&app->env, app->options.outside.guard, app->options.outside.trust);
    const struct identity_config identity = {
        .fetcher = app->fetcher, .env = &app->env, .db = app->db, .sealer = app->sealer, .base_url = o->base_url, .partition = STR("aws"),
        .region = o->region, .default_account = o->account, .dev_root = o->mode == MODE_DEV && o->enforce != ENFORCE_ALL,
        .notes_use = o->mode == MODE_DEV, .soft = o->enforce == ENFORCE_SOFT,
        .aws_limits = o->aws_limits,
        .compromised_passwords = o->compromised_passwords.ptr,
    };
    app->identity = identity_open(&identity, app->arena, why);
    if (!app->identity)
        return false;
    open_postman(app);
    const struct functions_config functions = {
        .env = &app->env, .db = app->db, .sealer = app->sealer, .jobs = app->jobs, .data_dir = o->data,
        .base_url = o->base_url, .region = o->region, .default_account = o->account, .partition = STR("aws"),
        .sandbox = o->sandbox, .role_keys = role_keys, .role_keys_ctx = app->identity,
        .roles_must_exist = o->mode != MODE_DEV || o->enforce == ENFORCE_ALL,
    };
    app->functions = functions_open(&functions, app->arena, why);
    if (!app->functions)
        return false;
    identity_use_invoker(app->identity, functions_invoker(app->functions));
    struct loop **loops = ARENA_ARRAY(app->arena, struct loop *, app->n_workers);
    for (int i = 0; i < app->n_workers; i++)
        loops[i] = app->workers[i].loop;
    const struct gateway_config gateway = {
        .env = &app->env, .db = app->db, .sealer = app->sealer, .identity = app->identity,
        .invoker = functions_invoker(app->functions), .jobs = app->jobs, .loops = loops,
        .n_loops = (size_t)app->n_workers, .base_url = o->base_url, .region = o->region,
        .default_account = o->account, .partition = STR("aws"), .explain = o->mode == MODE_DEV,
        .outside = &app->options.outside,
        .aws_limits = o->aws_limits,
        .account_rate_per_s = o->account_rate > 0 ? o->account_rate : o->aws_limits ? 10000 : 0,
        .account_burst = o->account_burst,
        .certificates = o->certificates, .truststores = o->truststores, .dev = o->mode == MODE_DEV,
        .tls = o->tls_addr.ptr != NULL,
        .cache_bytes = o->cache_bytes,
    };
    app->gateway = gateway_open(&gateway, app->arena, why);
    return app->gateway != NULL;
}

/* The loops' listeners share the port by SO_REUSEPORT, which would let them share it with another
 * process of ours, too. So a socket without it goes first. */
static bool port_is_free(struct app *app, struct str addr, uint16_t port, struct str *why)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
    bool is_v6 = inet_pton(AF_INET6, addr.ptr, &v6.sin6_addr) == 1;
    int on = 1, fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    inet_pton(AF_INET, addr.ptr, &v4.sin_addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool free = fd >= 0 && bind(fd, is_v6 ? (void *)&v6 : (void *)&v4, is_v6 ? sizeof v6 : sizeof v4) == 0;
    if (!free)
        *why = str_printf(app->arena, "cannot listen on %.*s:%u: %s", STR_FMT(addr), port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return free;
}

static struct tls_sites *sites_now(void *ctx)
{
    const struct worker *worker = ctx;
    return gateway_tls_sites(worker->app->gateway, worker->loop);
}

static struct http_server *open_server(struct app *app, struct worker *worker, struct str addr, uint16_t port, bool tls,
                                       struct str *why)
{
    const struct http_server_config config = {
        .addr = addr.ptr, .port = port, .listen_fd = -1, .reuse_port = true,
        .max_head_bytes = HEAD_BYTES, .max_target_bytes = TARGET_BYTES, .max_headers_bytes = HEADERS_BYTES,
        .idle_timeout_s = IDLE_S,
        .max_connections = MAX_CONNECTIONS / app->n_workers, .ctx = worker, .tls = tls ? sites_now : NULL,
        .on_request = listen_request, .on_done = listen_done, .on_gone = listen_gone,
    };
    return http_server_new(worker->loop, &config, app->arena, why);
}

/* Binds the port once a loop; nothing is served before the loops run. */
static bool open_workers(struct app *app, struct str *why)
{
    app->jobs = job_pool_new((int)sysconf(_SC_NPROCESSORS_ONLN) * JOB_THREADS_PER_CORE, MAX_QUEUED);
    app->port = app->options.port;
    app->tls_port = app->options.tls_port;
    bool tls = app->options.tls_addr.ptr != NULL;
    if (!port_is_free(app, app->options.addr, app->port, why) ||
        (tls && !port_is_free(app, app->options.tls_addr, app->tls_port, why)))
        return false;
    for (int i = 0; i < app->n_workers; i++) {
        struct worker *worker = &app->workers[i];
        worker->app = app;
        worker->loop = loop_new(&app->env);
        if (!worker->loop) {
            *why = STR("no descriptors left for an event loop");
            return false;
        }
        worker->server = open_server(app, worker, app->options.addr, app->port, false, why);
        if (tls && worker->server)
            worker->tls_server = open_server(app, worker, app->options.tls_addr, app->tls_port, true, why);
        if (!worker->server || (tls && !worker->tls_server))
            return false;
        app->port = http_server_port(worker->server);
        app->tls_port = tls ? http_server_port(worker->tls_server) : 0;
    }
    return true;
}

/* Where keys are enforced, root's key stands in a file that only the owner of the folder can read, in the form of an
 * AWS credentials file. It is written when it is missing: whoever reads this folder holds the key
 * that unseals it anyway. */
static bool write_root_key(struct app *app, struct str *why)
{
    struct str key_id, secret;
    const char *path = str_printf(app->arena, "%s/root-credentials", app->options.data.ptr).ptr;
    if (access(path, F_OK) == 0)
        return true;
    gh_err err = identity_root_key(app->identity, app->arena, app->options.account, &key_id, &secret);
    if (err) {
        *why = err->message;
        return false;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct str text = str_printf(app->arena, "[default]\naws_access_key_id = %.*s\naws_secret_access_key = %.*s\n",
                                 STR_FMT(key_id), STR_FMT(secret));
    bool ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len && fsync(fd) == 0;
    if (!ok)
        *why = str_printf(app->arena, "cannot write root's key to %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    explicit_bzero((char *)text.ptr, text.len);
    explicit_bzero((char *)secret.ptr, secret.len);
    if (ok)
        log_at(LOG_INFO, "root credentials written", { "file", str_of(path) });
    return ok;
}

static void *work(void *ptr)
{
    struct worker *worker = ptr;
    loop_run(worker->loop);
    return NULL;
}

struct farewell {
    struct loop_task task;
    struct worker *worker;
};

static void quiesce(struct loop_task *task)
{
    struct farewell *farewell = (struct farewell *)task; /* first member */
    http_server_quiesce(farewell->worker->server);
    if (farewell->worker->tls_server)
        http_server_quiesce(farewell->worker->tls_server);
}

static void drain(struct app *app)
{
    log_plain(LOG_INFO, "draining");
    struct farewell *farewells = ARENA_ARRAY(app->arena, struct farewell, app->n_workers);
    for (int i = 0; i < app->n_workers; i++) {
        farewells[i] = (struct farewell){ { .fn = quiesce }, &app->workers[i] };
        loop_post(app->workers[i].loop, &farewells[i].task);
    }
    for (int waited_ms = 0; waited_ms < DRAIN_S * 1000; waited_ms += 10) {
        int done = 0;
        while (done < app->n_workers && http_server_is_done(app->workers[done].server) &&
               (!app->workers[done].tls_server || http_server_is_done(app->workers[done].tls_server)))
            done++;
        if (done == app->n_workers && gateway_is_idle(app->gateway))
            break;
        usleep(10000);
    }
}

/* Threads end in this order: functions first, as jobs may wait for them; then the jobs, while the
 * loops run, for a job may wait for those (a deployment does, until each loop serves it). */
static void stop(struct app *app)
{
    functions_stop(app->functions);
    job_pool_close(app->jobs);
    for (int i = 0; i < app->n_workers; i++)
        loop_stop(app->workers[i].loop);
    for (int i = 0; i < app->n_workers; i++)
        pthread_join(app->workers[i].thread, NULL);
}

/* What somebody must know who starts it: whose keys count, and what policies do. */
static struct str enforcement(const struct options *o)
{
    if (o->mode != MODE_DEV || o->enforce == ENFORCE_ALL)
        return STR("every signature and every policy; root's key is in root-credentials");
    if (o->enforce == ENFORCE_SOFT)
        return STR("signatures of issued keys; what policies would deny is let through and kept (gatehouse policy denials); "
                   "any other key is root");
    return STR("signatures and policies of issued keys; any other key is root (--enforce: no key is; --enforce=soft: try policies)");
}

static void announce(struct app *app)
{
    struct str tls_url = app->options.tls_addr.ptr ? str_printf(app->arena, "https://%.*s:%u", STR_FMT(app->options.tls_addr), app->tls_port)
                                                   : STR("none");
    log_at(LOG_INFO, "ready", { "url", app->options.base_url }, { "tls", tls_url },
           { "mode", app->options.mode == MODE_DEV ? STR("dev") : STR("serve") }, { "version", STR(GATEHOUSE_VERSION) },
           { "data", app->options.data }, { "enforced", enforcement(&app->options) },
           { "took_ms", str_printf(app->arena, "%.1f", (double)(env_monotonic_us(&app->env) - app->started_us) / 1000) });
    if (app->options.ready_fd >= 0 && write(app->options.ready_fd, "R", 1) != 1)
        log_plain(LOG_WARN, "nobody reads --ready-fd");
}

static void reload_options(struct app *app)
{
    struct arena *arena = arena_new(16 * 1024);
    struct str restart, why;
    if (!options_reload(&app->options, arena, &restart, &why)) {
        log_at(LOG_ERROR, "the configuration cannot be used and stays as it was", { "why", why });
    } else {
        log_set_level(app->options.log_level);
        if (restart.len)
            log_at(LOG_WARN, "changed in the configuration, in effect after a restart", { "options", restart });
    }
    arena_free(arena);
}

void app_run(struct app *app)
{
    sigset_t signals = awaited_signals();
    for (int i = 0; i < app->n_workers; i++)
        pthread_create(&app->workers[i].thread, NULL, work, &app->workers[i]);
    announce(app);
    for (int signal = 0; signal != SIGTERM && signal != SIGINT;) {
        static const struct timespec look_at_files = { .tv_sec = FILES_S };
        signal = sigtimedwait(&signals, NULL, &look_at_files);
        if (signal == SIGHUP)
            reload_options(app);
        if (signal == SIGHUP || signal < 0) /* what renews certificates need not know of us */
            gateway_reload_certificates(app->gateway, signal != SIGHUP);
        if (signal == SIGUSR2)
            log_plain(LOG_WARN, "SIGUSR2: handing over to a new binary is not built yet");
    }
    drain(app);
    stop(app);
}

/* The reverse of app_open, as far as that came. After app_run no thread but the functions' own runs. */
void app_close(struct app *app)
{
    if (app->functions) /* before the loops: what it was asked for is answered there */
        functions_close(app->functions);
    for (int i = 0; i < app->n_workers; i++) {
        http_server_free(app->workers[i].server);
        http_server_free(app->workers[i].tls_server);
    }
    if (app->gateway)
        gateway_close(app->gateway);
    http_fetcher_free(app->fetcher);
    outside_close(&app->options.outside);
    for (int i = 0; i < app->n_workers; i++)
        if (app->workers[i].loop)
            loop_free(app->workers[i].loop);
    job_pool_free(app->jobs); /* after all who may submit */
    if (app->identity)
        identity_close(app->identity);
    management_close(app);
    audit_close(app); /* a last checkpoint, after all who write */
    sealer_free(app->sealer);
    db_close(app->db);
}
