/* Opening and closing the module; the thread that runs functions; what the machine offers. */
#include "functions/functions.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/embed.h"
#include "core/log.h"
#include "functions/events.h"
#include "functions/fleet.h"
#include "functions/package.h"
#include "functions/store/function.h"

enum { WAITERS = 32, WAITS_QUEUED = 1000, LOADERS = 2, LOADS_QUEUED = 20000, PROCESSES = 256 };

struct closing {
    struct loop_task task;
    struct functions *functions;
    sem_t seen;
};

static bool write_runtimes(const char *folder, struct arena *arena, struct str *why);
static void *run_loop(void *functions);
static void *probe(void *functions);
static void on_probed(struct loop_task *task);
static bool is_used(void *functions, struct str hex);

struct functions *functions_open(const struct functions_config *config, struct arena *arena, struct str *why)
{
    struct functions *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->arena = arena_new(4096);
    f->config = *config;
    f->config.base_url = str_copy(f->arena, config->base_url);
    f->config.region = str_copy(f->arena, config->region);
    f->config.default_account = str_copy(f->arena, config->default_account);
    f->config.partition = str_copy(f->arena, config->partition);
    f->config.data_dir = str_copy(f->arena, config->data_dir);
    /* bubblewrap is given these paths, and it runs elsewhere. */
    char *absolute = realpath(f->config.data_dir.ptr, NULL);
    f->folder = str_printf(f->arena, "%s/functions", absolute ? absolute : f->config.data_dir.ptr).ptr;
    free(absolute);
    f->logs_folder = str_printf(f->arena, "%s/logs", f->folder).ptr;
    f->runtime_folder = str_printf(f->arena, "%s/runtime", f->folder).ptr;
    f->invoker = (struct invoker){ .ctx = f, .start = fleet_start };
    pthread_mutex_init(&f->packages, NULL);
    pthread_mutex_init(&f->making_waiters, NULL);
    int cores = (int)sysconf(_SC_NPROCESSORS_ONLN);
    f->max_processes = PROCESSES;
    f->max_starting = 2 * (cores > 0 ? cores : 1);
    f->scratch = arena_new(8 * 1024);
    f->routes = map_new();
    f->pools = map_new();
    f->tallies = map_new();
    f->logs = map_new();
    f->loop = loop_new(config->env);
    f->loaders = job_pool_new(LOADERS, LOADS_QUEUED);
    if (!f->loop || !f->loaders) {
        *why = STR("no threads or descriptors are left for functions");
    } else if (packages_open(f->folder, arena, why) && write_runtimes(f->runtime_folder, arena, why)) {
        f->thread_runs = pthread_create(&f->thread, NULL, run_loop, f) == 0;
        f->prober_runs = f->thread_runs && pthread_create(&f->prober, NULL, probe, f) == 0;
        if (f->prober_runs)
            return f;
        *why = STR("no thread is left for functions");
    }
    functions_close(f);
    return NULL;
}

static void *run_loop(void *functions)
{
    struct functions *f = functions;
    loop_run(f->loop);
    return NULL;
}

/* The start must not wait for this: interpreters take 40 ms each to tell their version. */
static void *probe(void *functions)
{
    struct functions *f = functions;
    sandbox_probe(&f->sandbox, f->config.sandbox, f->runtime_folder, f->config.env);
    interpreters_find(f->config.env);
    atomic_store(&f->probed, true);
    log_at(f->sandbox.wall ? LOG_INFO : LOG_WARN,
           f->sandbox.wall ? "functions run in a sandbox" : "FUNCTIONS RUN WITHOUT A SANDBOX: they may read what this user may",
           { "mode", f->sandbox.wall ? STR("bubblewrap") : STR("none") }, { "why", str_of(f->sandbox.why) });
    f->probed_task.fn = on_probed;
    loop_post(f->loop, &f->probed_task);
    pthread_mutex_lock(&f->packages);
    packages_sweep(f->folder, is_used, f);
    pthread_mutex_unlock(&f->packages);
    return NULL;
}

/* When the store does not answer, everything is kept. */
static bool is_used(void *functions, struct str hex)
{
    struct functions *f = functions;
    struct arena *arena = arena_new(512);
    bool used = true;
    if (code_is_used(f->config.db, NULL, arena, hex, &used))
        used = true;
    arena_free(arena);
    return used;
}

static void on_probed(struct loop_task *task)
{
    struct functions *f = (struct functions *)((char *)task - offsetof(struct functions, probed_task));
    if (f->closing)
        return;
    fleet_probed(f);
    events_resume(f);
}

static void note_closing(struct loop_task *task)
{
    struct closing *closing = (struct closing *)task; /* its first member */
    fleet_stop(closing->functions);
    sem_post(&closing->seen);
}

static void stop_loop(struct loop_task *task)
{
    loop_stop(((struct closing *)task)->functions->loop);
}

void functions_stop(struct functions *f)
{
    struct closing closing = { .functions = f, .task.fn = note_closing };
    pthread_mutex_lock(&f->making_waiters);
    bool again = f->stopped;
    f->stopped = true;
    pthread_mutex_unlock(&f->making_waiters);
    if (again)
        return;
    if (f->prober_runs)
        pthread_join(f->prober, NULL);
    if (f->thread_runs) {
        sem_init(&closing.seen, 0, 0);
        loop_post(f->loop, &closing.task);
        while (sem_wait(&closing.seen) != 0)
            ;
        sem_destroy(&closing.seen);
    }
    job_pool_close(f->waiters); /* none is made any more */
}

/* In this order: nothing new begins; what was begun on job threads comes home; the loop ends. */
void functions_close(struct functions *f)
{
    if (!f)
        return;
    struct closing closing = { .functions = f, .task.fn = stop_loop };
    functions_stop(f);
    job_pool_free(f->waiters);
    job_pool_free(f->loaders);
    if (f->thread_runs) {
        loop_post(f->loop, &closing.task);
        pthread_join(f->thread, NULL);
    }
    fleet_close(f);
    loop_free(f->loop);
    pthread_mutex_destroy(&f->packages);
    pthread_mutex_destroy(&f->making_waiters);
    arena_free(f->scratch);
    arena_free(f->arena);
    free(f);
}

struct job_pool *functions_waiters(struct functions *f)
{
    pthread_mutex_lock(&f->making_waiters);
    if (!f->waiters && !f->stopped)
        f->waiters = job_pool_new(WAITERS, WAITS_QUEUED);
    struct job_pool *waiters = f->waiters;
    pthread_mutex_unlock(&f->making_waiters);
    return waiters ? waiters : f->config.jobs;
}

const struct invoker *functions_invoker(struct functions *functions)
{
    return &functions->invoker;
}

json_t *functions_health(struct functions *f, struct arena *arena)
{
    json_t *out = json_own(arena, json_object());
    if (!atomic_load(&f->probed)) {
        json_object_set_new(out, "sandbox", json_pack("{s:s,s:s}", "mode", "unknown", "why", "being found out"));
        json_object_set_new(out, "runtimes", json_object());
        return out;
    }
    json_object_set_new(out, "sandbox", sandbox_describe(&f->sandbox));
    json_object_set_new(out, "runtimes", interpreters_describe());
    return out;
}

struct str functions_log(struct functions *f, struct str account, struct str region, struct str name, size_t max_bytes,
                         struct arena *arena)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '/' || name.ptr[i] == '.')
            return STR_NONE;
    return flog_read(f->logs_folder, account, region, name, max_bytes, arena);
}

/* The bootstraps as this binary has them, and the user the sandbox shows. */
static bool write_runtimes(const char *folder, struct arena *arena, struct str *why)
{
    static const char passwd[] = "root:x:0:0::/root:/sbin/nologin\nsbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n";
    const struct embedded_file user[] = { { "passwd", passwd, sizeof passwd - 1 }, { 0 } };
    const struct embedded_file *const sets[] = { embedded_runtimes, user };
    chmod(folder, 0755); /* the sandbox may run as another user; the folder above is ours alone */
    for (size_t i = 0; i < COUNT(sets); i++) {
        for (const struct embedded_file *file = sets[i]; file->path; file++) {
            struct str name = str_from(str_of(file->path), (size_t)(str_find_last(str_of(file->path), '/') + 1));
            const char *temporary = str_printf(arena, "%s/%.*s.new", folder, STR_FMT(name)).ptr;
            const char *path = str_printf(arena, "%s/%.*s", folder, STR_FMT(name)).ptr;
            int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
            bool ok = fd >= 0 && fchmod(fd, 0644) == 0 && write(fd, file->bytes, file->len) == (ssize_t)file->len;
            if (fd >= 0)
                close(fd);
            if (!ok || rename(temporary, path) != 0) {
                *why = str_printf(arena, "cannot write %s: %s", path, strerror(errno));
                return false;
            }
        }
    }
    return true;
}
