#include "functions/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base64.h"
#include "core/json.h"
#include "core/log.h"
#include "core/time.h"
#include "functions/package.h"
#include "functions/worker_env.h"

enum { PIPE_READ = 64 * 1024, PIPE_PAUSE_US = 50 * 1000, GRACE_US = 2 * 1000 * 1000 };

/* What must be done on a job thread before a process can be started. */
struct preparation {
    struct job job;
    struct worker *worker;      /* NULL: it is not wanted any more */
    struct functions *functions;
    struct arena *arena;
    const struct target *target; /* lives as long as the pool, and the pool as the worker */
    const char *code_dir;
    struct str why, key_id, secret, token;
    const char *entry_fault;    /* the package has no program to start: errorMessage's end */
};

static void prepare(struct job *job);
static void prepared(struct job *job);
static void start_process(struct worker *worker);
static void start_failed(struct worker *worker, const char *why);
static void init_fault(struct worker *worker, const char *type, const char *message);
static void on_exit_event(struct loop_fd *watch, uint32_t events);
static void on_output(struct loop_fd *watch, uint32_t events);
static bool read_output(struct worker *worker, size_t at_most);
static void on_deadline(struct timer *timer);
static void on_watch(struct timer *timer);
static void print(struct worker *worker, struct str text);
static void became_idle(struct worker *worker, struct runtime_conn *conn);
static void settle(struct worker *worker, enum invoke_result result, char *body, size_t len, const char *status,
                   const char *error_type);
static void fault(struct worker *worker, const char *type, const char *status, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void leave_idle(struct worker *worker);
static void leave_starting(struct worker *worker);
static bool admit(void *ctx, uint64_t inode);
static void on_request(void *ctx, struct runtime_conn *conn, struct runtime_request *request);
static bool on_stream(void *ctx, struct runtime_conn *conn, const struct runtime_request *request);
static bool on_stream_piece(void *ctx, struct runtime_conn *conn, struct str piece);
static void on_stream_taken(void *ctx);
static void on_closed(void *ctx, struct runtime_conn *conn);

static const struct runtime_handler handler = { .admit = admit, .request = on_request, .stream = on_stream,
                                                .piece = on_stream_piece, .closed = on_closed };

/* ---- birth ---- */

void worker_start(struct pool *pool)
{
    struct functions *f = pool->functions;
    struct worker *worker = calloc(1, sizeof *worker);
    struct arena *arena = arena_new(8192);
    if (!worker)
        abort();
    *worker = (struct worker){ .functions = f, .pool = pool, .state = WORKER_PREPARING, .first_run = true,
                               .proc = { .pid = -1, .pidfd = -1 }, .output_watch = { .fd = -1 },
                               .began_us = env_monotonic_us(f->config.env), .next = f->workers };
    if (f->workers)
        f->workers->prev = worker;
    f->workers = worker;
    pool->n_workers++;
    pool->n_starting++;
    f->n_starting++;
    f->n_processes++;
    worker->preparation = ARENA_NEW(arena, struct preparation);
    *worker->preparation = (struct preparation){ .worker = worker, .functions = f, .arena = arena, .target = pool->target,
                                                 .job = { .home = f->loop, .run = prepare, .done = prepared } };
    if (!job_submit(f->loaders, &worker->preparation->job)) {
        arena_free(arena);
        worker->preparation = NULL;
        start_failed(worker, "too many functions start at once");
    }
}

static void prepare(struct job *job)
{
    struct preparation *p = (struct preparation *)job; /* its first member */
    struct functions *f = p->functions;
    const struct target *target = p->target;
    p->code_dir = package_unpacked(f->folder, f->config.env, target->code.ptr, p->arena, &p->why);
    if (!p->code_dir)
        return;
    const struct interpreter *interpreter = interpreter_for(target->runtime);
    if (interpreter && !interpreter->bootstrap) {
        const char *path = str_printf(p->arena, "%s/bootstrap", p->code_dir).ptr;
        if (access(path, F_OK) != 0)
            p->entry_fault = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
        else if (access(path, X_OK) != 0)
            p->entry_fault = "fork/exec /var/task/bootstrap: permission denied";
    }
    if (f->config.role_keys && target->role.ptr &&
        !f->config.role_keys(f->config.role_keys_ctx, p->arena, target->role, target->name, &p->key_id, &p->secret,
                             &p->token)) {
        p->key_id = STR_NONE;
        log_at(LOG_WARN, "a function runs without keys: its role does not exist or does not trust lambda.amazonaws.com",
               { "function", target->arn }, { "role", target->role });
    }
}

static void prepared(struct job *job)
{
    struct preparation *p = (struct preparation *)job;
    struct worker *worker = p->worker;
    if (!worker) {
        arena_free(p->arena);
        return;
    }
    if (worker->functions->closing)
        start_failed(worker, "the server stops");
    else if (!p->code_dir)
        start_failed(worker, p->why.ptr);
    else if (p->entry_fault)
        init_fault(worker, "Runtime.InvalidEntrypoint", p->entry_fault);
    else
        start_process(worker);
    /* `worker` may be gone, its preparation is not. */
    arena_free(p->arena);
}

static const char *target_variable(const struct target *target, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < target->n_variables; i++)
        if (strncmp(target->variables[i], name, len) == 0 && target->variables[i][len] == '=')
            return target->variables[i] + len + 1;
    return NULL;
}

static void start_process(struct worker *worker)
{
    struct functions *f = worker->functions;
    struct preparation *p = worker->preparation;
    const struct target *target = worker->pool->target;
    const struct interpreter *interpreter = interpreter_for(target->runtime);
    const char *argv[4] = { NULL };
    int output[2] = { -1, -1 };
    worker->preparation = NULL;
    if (!interpreter || !interpreter->found) {
        start_failed(worker, str_printf(p->arena, "no program for the runtime %.*s was found on this machine",
                                        STR_FMT(target->runtime)).ptr);
        return;
    }
    worker->api = runtime_api_new(f->loop, &handler, worker);
    if (!worker->api || pipe2(output, O_CLOEXEC | O_NONBLOCK) < 0) {
        start_failed(worker, strerror(errno));
        return;
    }
    fcntl(output[1], F_SETFL, 0); /* a program's own output blocks when we are slow */
    worker->output_watch = (struct loop_fd){ .fd = output[0], .events = EPOLLIN, .fn = on_output };
    const char *code_dir = sandbox_code_dir(&f->sandbox, p->code_dir);
    const char *runtime_dir = sandbox_runtime_dir(&f->sandbox, f->runtime_folder);
    if (interpreter->bootstrap) {
        /* "AWS_LAMBDA_EXEC_WRAPPER: script run in place of the runtime start, gets the command line as arguments" */
        size_t n = 0;
        const char *wrapper = target_variable(target, "AWS_LAMBDA_EXEC_WRAPPER");
        if (wrapper && *wrapper)
            argv[n++] = wrapper;
        argv[n++] = interpreter->path;
        argv[n] = str_printf(p->arena, "%s/%s", runtime_dir, interpreter->bootstrap).ptr;
    } else {
        argv[0] = str_printf(p->arena, "%s/bootstrap", code_dir).ptr;
    }
    struct worker_env env = { .functions = f, .target = target, .code_dir = code_dir, .runtime_dir = runtime_dir,
                              .port = runtime_api_port(worker->api), .key_id = p->key_id, .secret = p->secret,
                              .token = p->token };
    struct cell cell = {
        .code_dir = p->code_dir,
        .runtime_dir = f->runtime_folder,
        .prefix = interpreter->prefix[0] ? interpreter->prefix : NULL,
        .argv = argv,
        .envp = worker_env_build(&env, p->arena, worker->mark, sizeof worker->mark),
        .tmp_bytes = target->tmp_mb << 20,
        .memory_bytes = target->memory_mb << 20,
        .out_fd = output[1],
    };
    bool spawned = sandbox_spawn(&f->sandbox, &cell, &worker->proc);
    int saved = errno;
    close(output[1]);
    if (!spawned) {
        start_failed(worker, strerror(saved));
        return;
    }
    worker->state = WORKER_STARTING;
    worker->exit_watch = (struct loop_fd){ .fd = worker->proc.pidfd, .events = EPOLLIN, .fn = on_exit_event };
    worker->watching_output = loop_watch(f->loop, &worker->output_watch);
    loop_watch(f->loop, &worker->exit_watch);
    worker->began_us = env_monotonic_us(f->config.env);
    timer_start(f->loop, &worker->timer, INIT_S * (int64_t)1000000, on_deadline);
    timer_start(f->loop, &worker->watch, WATCH_MS * (int64_t)1000, on_watch);
}

/* Nothing runs and nothing will: not the function's fault. */
static void start_failed(struct worker *worker, const char *why)
{
    struct pool *pool = worker->pool;
    log_at(LOG_ERROR, "a function could not be started", { "function", pool->target->arn }, { "why", str_of(why) });
    struct run *run = pool_take_waiting(pool);
    if (run)
        run_finish(run, INVOKE_FAILED, NULL, 0, str_of(why), worker);
    worker_free(worker);
}

static void init_fault(struct worker *worker, const char *type, const char *message)
{
    struct run *run = pool_take_waiting(worker->pool);
    if (run) {
        worker->run = run;
        run->worker = worker;
        run->started_us = env_monotonic_us(worker->functions->config.env);
        fault(worker, type, "error", "%s", message);
    }
    worker_free(worker);
}

/* ---- the Runtime API ---- */

static bool admit(void *ctx, uint64_t inode)
{
    struct worker *worker = ctx;
    pid_t pid = worker->proc.pid > 0 ? proc_tree_socket_owner(worker->proc.pid, inode) : 0;
    if (pid && !worker->main_pid)
        worker->main_pid = pid;
    if (!pid)
        log_at(LOG_WARN, "a stranger knocked at a function's runtime API", { "function", worker->pool->target->arn });
    return pid != 0;
}

static void refuse(struct runtime_conn *conn, int status, const char *type, const char *message)
{
    char body[256];
    int len = snprintf(body, sizeof body, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}", message, type);
    runtime_reply(conn, status, STR(""), (struct str){ body, (size_t)len });
}

static void on_request(void *ctx, struct runtime_conn *conn, struct runtime_request *request)
{
    static const struct str ok = STR_INIT("{\"status\":\"OK\"}");
    struct worker *worker = ctx;
    struct run *run = worker->run;
    char *body = request->body;
    size_t len = request->body_len;
    switch (request->call) {
    case CALL_NEXT:
        if (worker->conn || worker->state == WORKER_BUSY || worker->state == WORKER_DYING)
            refuse(conn, 403, "InvalidStateTransition", "State transition is not allowed");
        else
            became_idle(worker, conn);
        return;
    case CALL_INIT_ERROR:
        if (worker->state != WORKER_STARTING || worker->init_failed) {
            refuse(conn, 403, "InvalidStateTransition", "State transition is not allowed");
            return;
        }
        worker->init_failed = true;
        worker->run = pool_take_waiting(worker->pool);
        leave_starting(worker);
        if (worker->run) {
            worker->run->worker = worker;
            worker->run->started_us = worker->began_us;
            request->body = NULL;
            settle(worker, INVOKE_FUNCTION_ERROR, body, len, "error", request->error_type);
        }
        worker->state = WORKER_SILENT;
        timer_start(worker->functions->loop, &worker->timer, GRACE_US, on_deadline);
        runtime_reply(conn, 202, STR(""), ok);
        pools_pump(worker->functions);
        return;
    case CALL_RESPONSE:
    case CALL_ERROR:
        if (!run || strcmp(request->request_id, run->id) != 0) {
            refuse(conn, 400, "InvalidRequestID", "Invalid request ID");
            return;
        }
        if (request->too_large) {
            refuse(conn, 413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes).");
            fault(worker, "Function.ResponseSizeTooLarge", "error",
                  "Response payload size exceeded maximum allowed payload size (%d bytes).", RESPONSE_MAX_BYTES);
            return;
        }
        request->body = NULL;
        char type[sizeof request->error_type]; /* the reply forgets the request */
        memcpy(type, request->error_type, sizeof type);
        bool failed = request->call == CALL_ERROR;
        if (!failed && *type) { /* "Lambda-Runtime-Function-Error-Type" in the trailers */
            runtime_reply(conn, 202, STR(""), ok);
            free(body);
            fault(worker, type, "error", "the function failed while it streamed its answer");
            return;
        }
        runtime_reply(conn, 202, STR(""), ok);
        settle(worker, failed ? INVOKE_FUNCTION_ERROR : INVOKE_OK, body, len, failed ? "error" : NULL, type);
        return;
    case CALL_UNKNOWN:
        refuse(conn, 404, "NotFound", "There is no such call in the Runtime API");
        return;
    }
}

/* A buffered caller has the streamed answer as one: "Invoke" of a streaming function does. */
static bool on_stream(void *ctx, struct runtime_conn *conn, const struct runtime_request *request)
{
    struct worker *worker = ctx;
    struct run *run = worker->run;
    if (worker->streaming || !run || strcmp(request->request_id, run->id) != 0 || !run->caller || !run->caller->piece)
        return false;
    worker->streaming = conn;
    worker->stream = invoke_stream_new(worker->functions->loop, on_stream_taken, worker);
    return true;
}

static bool on_stream_piece(void *ctx, struct runtime_conn *conn, struct str piece)
{
    struct worker *worker = ctx;
    struct run *run = worker->run;
    if (worker->streaming != conn || !run || !run->caller)
        return true;
    return invoke_stream_send(worker->stream, run->caller, piece);
}

static void on_stream_taken(void *ctx)
{
    struct worker *worker = ctx;
    if (worker->streaming)
        runtime_resume(worker->streaming);
}

void worker_stream_over(struct worker *worker)
{
    invoke_stream_end(worker->stream);
    worker->stream = NULL;
    if (worker->streaming)
        runtime_resume(worker->streaming);
    worker->streaming = NULL;
}

static void on_closed(void *ctx, struct runtime_conn *conn)
{
    struct worker *worker = ctx;
    bool amid = worker->streaming == conn;
    if (amid)
        worker->streaming = NULL; /* also when nobody waits for the answer any more */
    if (amid && worker->run) {
        fault(worker, "Runtime.TruncatedResponse", "error", "the function's answer ended in the middle");
    }
    if (worker->conn != conn)
        return;
    worker->conn = NULL;
    if (worker->state == WORKER_IDLE) { /* it hung up: it must ask again soon, or go */
        leave_idle(worker);
        worker->state = WORKER_SILENT;
        timer_start(worker->functions->loop, &worker->timer, GRACE_US, on_deadline);
    }
}

static void leave_starting(struct worker *worker)
{
    if (worker->state != WORKER_PREPARING && worker->state != WORKER_STARTING)
        return;
    worker->pool->n_starting--;
    worker->functions->n_starting--;
}

static void leave_idle(struct worker *worker)
{
    for (struct worker **at = &worker->pool->idle; *at; at = &(*at)->next_idle)
        if (*at == worker) {
            *at = worker->next_idle;
            return;
        }
}

static void became_idle(struct worker *worker, struct runtime_conn *conn)
{
    struct functions *f = worker->functions;
    struct pool *pool = worker->pool;
    int64_t now_us = env_monotonic_us(f->config.env);
    bool was_starting = worker->state == WORKER_STARTING;
    leave_starting(worker);
    if (was_starting)
        worker->init_us = now_us - worker->began_us;
    worker->conn = conn;
    worker->state = WORKER_IDLE;
    timer_stop(f->loop, &worker->watch);
    struct run *run = pool_take_waiting(pool);
    if (run) {
        worker_give(worker, run);
    } else if (pool->retired || now_us - worker->began_us > WORKER_LIFE_S * (int64_t)1000000) {
        worker_kill(worker);
    } else {
        worker->next_idle = pool->idle;
        pool->idle = worker;
        timer_start(f->loop, &worker->timer, IDLE_S * (int64_t)1000000, on_deadline);
    }
    if (f->waiting_pools)
        pools_pump(f);
}

/* ---- an invocation ---- */

/* Header values must not bring lines of their own. */
static void add_header(char *out, size_t cap, size_t *len, const char *name, struct str value)
{
    if (!value.ptr)
        return;
    int n = snprintf(out + *len, cap - *len, "%s: %.*s\r\n", name, STR_FMT(value));
    if (n < 0 || *len + (size_t)n >= cap) {
        out[*len] = '\0';
        return;
    }
    for (size_t i = *len; i + 2 < *len + (size_t)n; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            out[i] = ' ';
    *len += (size_t)n;
}

static struct str trace_id(struct functions *f, char out[96])
{
    uint8_t bytes[20];
    char hex[41];
    env_random(f->config.env, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    int len = snprintf(out, 96, "Root=1-%08x-%.24s;Parent=%.16s;Sampled=0", (unsigned)env_now_s(f->config.env), hex,
                       hex + 24);
    return (struct str){ out, (size_t)len };
}

/* "identity: information about the Amazon Cognito identity that authorized the request" */
static void add_identity(char *headers, size_t size, size_t *len, const struct invocation *caller)
{
    struct arena *arena = arena_new(512);
    struct strbuf json = strbuf_in(arena, 256);
    strbuf_add(&json, STR("{\"cognitoIdentityId\":"));
    json_quote(&json, caller->identity_id);
    strbuf_add(&json, STR(",\"cognitoIdentityPoolId\":"));
    json_quote(&json, caller->identity_pool.ptr ? caller->identity_pool : STR(""));
    strbuf_char(&json, '}');
    add_header(headers, size, len, "Lambda-Runtime-Cognito-Identity", strbuf_view(&json));
    arena_free(arena);
}

void worker_give(struct worker *worker, struct run *run)
{
    struct functions *f = worker->functions;
    struct invocation *caller = run->caller;
    const struct target *target = worker->pool->target;
    struct runtime_conn *conn = worker->conn;
    char headers[8192], trace[96], number[32], line[128], arn[512];
    size_t len = 0;
    worker->conn = NULL;
    worker->run = run;
    worker->state = WORKER_BUSY;
    worker->too_fat = false;
    run->worker = worker;
    run->started_us = env_monotonic_us(f->config.env);
    /* The function has the real clock, also when a test has moved ours. */
    int64_t deadline_ms = env_now_ms(f->config.env) - env_system_offset_us() / 1000 + target->timeout_ms;
    snprintf(number, sizeof number, "%lld", (long long)deadline_ms);
    struct str qualifier = caller->qualifier;
    ptrdiff_t colon = str_find_last(caller->function, ':');
    if (!qualifier.ptr && colon >= 0 && !str_eq(str_from(caller->function, (size_t)colon + 1), target->name))
        qualifier = str_from(caller->function, (size_t)colon + 1);
    snprintf(arn, sizeof arn, "%.*s%s%.*s", STR_FMT(target->arn), qualifier.ptr ? ":" : "", STR_FMT(qualifier));
    add_header(headers, sizeof headers, &len, "Lambda-Runtime-Aws-Request-Id", str_of(run->id));
    add_header(headers, sizeof headers, &len, "Lambda-Runtime-Deadline-Ms", str_of(number));
    add_header(headers, sizeof headers, &len, "Lambda-Runtime-Invoked-Function-Arn", str_of(arn));
    add_header(headers, sizeof headers, &len, "Lambda-Runtime-Trace-Id",
               caller->trace_id.ptr ? caller->trace_id : trace_id(f, trace));
    if (caller->client_context.ptr) {
        struct arena *arena = arena_new(8192);
        struct str decoded;
        if (base64_decode(arena, caller->client_context, &decoded))
            add_header(headers, sizeof headers, &len, "Lambda-Runtime-Client-Context", decoded);
        arena_free(arena);
    }
    if (caller->identity_id.ptr)
        add_identity(headers, sizeof headers, &len, caller);
    int line_len = snprintf(line, sizeof line, "START RequestId: %s Version: %.*s\n", run->id, STR_FMT(target->version));
    print(worker, (struct str){ line, (size_t)line_len });
    timer_start(f->loop, &worker->timer, target->timeout_ms * (int64_t)1000, on_deadline);
    timer_start(f->loop, &worker->watch, WATCH_MS * (int64_t)1000, on_watch);
    runtime_reply(conn, 200, (struct str){ headers, len }, str_empty(caller->payload) ? STR("{}") : caller->payload);
}

static void print_report(struct worker *worker, const char *status, const char *error_type)
{
    struct functions *f = worker->functions;
    struct run *run = worker->run;
    const struct target *target = worker->pool->target;
    int64_t took_us = env_monotonic_us(f->config.env) - run->started_us;
    int64_t now_peak = worker->main_pid ? proc_peak_rss_bytes(worker->main_pid) : 0;
    char text[640], init[64] = "";
    if (status && strcmp(status, "timeout") == 0)
        took_us = target->timeout_ms * (int64_t)1000;
    if (now_peak > worker->peak_bytes)
        worker->peak_bytes = now_peak;
    int64_t billed_us = took_us + (worker->first_run ? worker->init_us : 0);
    if (worker->first_run && worker->init_us)
        snprintf(init, sizeof init, "Init Duration: %.2f ms\t", (double)worker->init_us / 1000);
    int len = snprintf(text, sizeof text,
                       "END RequestId: %s\nREPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %lld ms\t"
                       "Memory Size: %lld MB\tMax Memory Used: %lld MB\t%s%s%s%s%s\n",
                       run->id, run->id, (double)took_us / 1000, (long long)((billed_us + 999) / 1000),
                       (long long)target->memory_mb, (long long)(worker->peak_bytes >> 20), init,
                       status ? "Status: " : "", status ? status : "",
                       status && *error_type ? "\tError Type: " : "", status ? error_type : "");
    if (len >= (int)sizeof text)
        len = (int)sizeof text - 1;
    print(worker, (struct str){ text, (size_t)len });
    worker->first_run = false;
}

/* The invocation is over, whoever ended it. `body` is taken over. */
static void settle(struct worker *worker, enum invoke_result result, char *body, size_t len, const char *status,
                   const char *error_type)
{
    struct run *run = worker->run;
    worker_stream_over(worker);
    timer_stop(worker->functions->loop, &worker->timer);
    timer_stop(worker->functions->loop, &worker->watch);
    if (worker->output_watch.fd >= 0)
        while (read_output(worker, PIPE_READ)) /* what it printed before it answered */
            ;
    print_report(worker, status, error_type);
    worker->run = NULL;
    if (worker->state == WORKER_BUSY) {
        worker->state = WORKER_SILENT; /* until it asks for the next one */
        timer_start(worker->functions->loop, &worker->timer, worker->pool->target->timeout_ms * (int64_t)1000 + GRACE_US,
                    on_deadline);
    }
    run_finish(run, result, body, len, STR_NONE, worker);
    worker->tail_len = 0;
}

/* An error that we, not the function, put into words. */
static void fault(struct worker *worker, const char *type, const char *status, const char *fmt, ...)
{
    struct arena *arena = arena_new(1024);
    struct strbuf body = strbuf_in(arena, 256);
    va_list args;
    va_start(args, fmt);
    struct str message = str_vprintf(arena, fmt, args);
    va_end(args);
    if (strcmp(type, "Function.ResponseSizeTooLarge") != 0)
        message = str_printf(arena, "RequestId: %s Error: %.*s", worker->run->id, STR_FMT(message));
    strbuf_add(&body, STR("{\"errorType\":"));
    json_quote(&body, str_of(type));
    strbuf_add(&body, STR(",\"errorMessage\":"));
    json_quote(&body, message);
    strbuf_char(&body, '}');
    char *heap = malloc(body.len);
    if (!heap)
        abort();
    memcpy(heap, body.ptr, body.len);
    settle(worker, INVOKE_FUNCTION_ERROR, heap, body.len, status, type);
    arena_free(arena);
}

/* ---- time, memory, output ---- */

static void on_deadline(struct timer *timer)
{
    struct worker *worker = (struct worker *)((char *)timer - offsetof(struct worker, timer));
    double seconds = worker->pool->target->timeout_ms / 1000.0;
    struct arena *arena;
    if (worker->state == WORKER_STARTING && !worker->run && (worker->run = pool_take_waiting(worker->pool)) != NULL) {
        worker->run->worker = worker; /* it never became ready: the one who waits learns it */
        worker->run->started_us = worker->began_us;
    }
    if (worker->run) {
        arena = arena_new(512);
        while (read_output(worker, PIPE_READ))
            ;
        struct str now = time_iso8601_ms(arena, env_now_us(worker->functions->config.env));
        print(worker, str_printf(arena, "%.*s %s Task timed out after %.2f seconds\n\n", STR_FMT(now), worker->run->id,
                                 seconds));
        arena_free(arena);
        fault(worker, "Sandbox.Timedout", "timeout", "Task timed out after %.2f seconds", seconds);
    }
    worker_kill(worker);
}

/* Looks at what the whole tree holds: its memory is limited to the function's, its number too. */
static void on_watch(struct timer *timer)
{
    struct worker *worker = (struct worker *)((char *)timer - offsetof(struct worker, watch));
    const struct target *target = worker->pool->target;
    pid_t tree[TREE_MAX_PROCESSES + 8];
    size_t n = proc_tree(worker->proc.pid, tree, COUNT(tree));
    int64_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += proc_rss_bytes(tree[i]);
    if (bytes > worker->peak_bytes)
        worker->peak_bytes = bytes;
    if (bytes > target->memory_mb << 20 || n > TREE_MAX_PROCESSES) {
        worker->too_fat = true;
        proc_kill_tree(worker->proc.pid, worker->functions->sandbox.wall ? STR_NONE : str_of(worker->mark));
        return; /* its end is told by the loop: "signal: killed" */
    }
    timer_start(worker->functions->loop, &worker->watch, WATCH_MS * (int64_t)1000, on_watch);
}

static void print(struct worker *worker, struct str text)
{
    flog_write(worker->pool->log, text);
    if (text.len >= TAIL_BYTES) {
        memcpy(worker->tail, text.ptr + text.len - TAIL_BYTES, TAIL_BYTES);
        worker->tail_len = TAIL_BYTES;
        return;
    }
    size_t over = worker->tail_len + text.len > TAIL_BYTES ? worker->tail_len + text.len - TAIL_BYTES : 0;
    memmove(worker->tail, worker->tail + over, worker->tail_len - over);
    memcpy(worker->tail + worker->tail_len - over, text.ptr, text.len);
    worker->tail_len += text.len - over;
}

/* False: nothing (more) to read now. */
static bool read_output(struct worker *worker, size_t at_most)
{
    char bytes[PIPE_READ];
    if (worker->output_watch.fd < 0)
        return false;
    ssize_t got = read(worker->output_watch.fd, bytes, at_most < sizeof bytes ? at_most : sizeof bytes);
    if (got > 0)
        print(worker, (struct str){ bytes, (size_t)got });
    else if (got == 0 && worker->watching_output) { /* the end: it must not be told for ever */
        loop_unwatch(worker->functions->loop, &worker->output_watch);
        worker->watching_output = false;
    }
    return got == (ssize_t)sizeof bytes;
}

static void on_output(struct loop_fd *watch, uint32_t events)
{
    struct worker *worker = (struct worker *)((char *)watch - offsetof(struct worker, output_watch));
    (void)events;
    read_output(worker, PIPE_READ);
}

/* ---- death ---- */

void worker_kill(struct worker *worker)
{
    if (worker->state == WORKER_IDLE)
        leave_idle(worker);
    leave_starting(worker);
    worker->state = WORKER_DYING;
    timer_stop(worker->functions->loop, &worker->timer);
    timer_stop(worker->functions->loop, &worker->watch);
    if (worker->proc.pid > 0)
        proc_kill_tree(worker->proc.pid, worker->functions->sandbox.wall ? STR_NONE : str_of(worker->mark));
}

/* As Go prints them: that is what AWS's runtime interface shows. */
static const char *signal_text(int number)
{
    static const struct {
        int number;
        const char *text;
    } all[] = { { SIGKILL, "killed" }, { SIGSEGV, "segmentation fault" }, { SIGABRT, "aborted" }, { SIGTERM, "terminated" },
                { SIGILL, "illegal instruction" }, { SIGFPE, "floating point exception" }, { SIGBUS, "bus error" },
                { SIGINT, "interrupt" }, { SIGHUP, "hangup" }, { SIGTRAP, "trace/breakpoint trap" }, { SIGSYS, "bad system call" },
                { SIGPIPE, "broken pipe" }, { SIGALRM, "alarm clock" }, { SIGXFSZ, "file size limit exceeded" } };
    for (size_t i = 0; i < COUNT(all); i++)
        if (all[i].number == number)
            return all[i].text;
    return "unknown";
}

static void on_exit_event(struct loop_fd *watch, uint32_t events)
{
    struct worker *worker = (struct worker *)((char *)watch - offsetof(struct worker, exit_watch));
    struct functions *f = worker->functions;
    (void)events;
    int status = proc_reap(&worker->proc);
    if (status < 0)
        return;
    if (worker->state == WORKER_STARTING && !worker->run && (worker->run = pool_take_waiting(worker->pool)) != NULL) {
        worker->run->worker = worker;
        worker->run->started_us = worker->began_us;
    }
    if (worker->run) {
        /* bubblewrap ends with 128 and the number of the signal that ended its child. */
        int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
        int number = WIFSIGNALED(status) ? WTERMSIG(status) : f->sandbox.wall && code > 128 && code < 128 + NSIG ? code - 128 : 0;
        if (worker->too_fat)
            number = SIGKILL;
        if (number)
            fault(worker, "Runtime.ExitError", "error", "Runtime exited with error: signal: %s", signal_text(number));
        else if (code)
            fault(worker, "Runtime.ExitError", "error", "Runtime exited with error: exit status %d", code);
        else
            fault(worker, "Runtime.ExitError", "error", "Runtime exited without providing a reason");
    }
    if (!f->sandbox.wall) /* daemons that left the tree */
        proc_kill_tree(worker->proc.pid, str_of(worker->mark));
    worker->proc.pid = -1;
    worker_free(worker);
}

void worker_free(struct worker *worker)
{
    struct functions *f = worker->functions;
    struct pool *pool = worker->pool;
    if (worker->state == WORKER_IDLE)
        leave_idle(worker);
    leave_starting(worker);
    worker->state = WORKER_DYING;
    timer_stop(f->loop, &worker->timer);
    timer_stop(f->loop, &worker->watch);
    if (worker->proc.pid > 0) {
        worker_kill(worker);
        waitpid(worker->proc.pid, NULL, 0);
    }
    if (worker->proc.pidfd >= 0) {
        loop_unwatch(f->loop, &worker->exit_watch);
        close(worker->proc.pidfd);
    }
    if (worker->output_watch.fd >= 0) {
        if (worker->watching_output)
            loop_unwatch(f->loop, &worker->output_watch);
        close(worker->output_watch.fd);
    }
    worker->streaming = NULL; /* its connections go now */
    worker_stream_over(worker);
    runtime_api_free(worker->api);
    if (worker->run)
        run_finish(worker->run, INVOKE_FAILED, NULL, 0, STR("the server stops"), NULL);
    if (worker->preparation)
        worker->preparation->worker = NULL;
    *(worker->prev ? &worker->prev->next : &f->workers) = worker->next;
    if (worker->next)
        worker->next->prev = worker->prev;
    pool->n_workers--;
    f->n_processes--;
    free(worker);
    if (!f->closing)
        pools_pump(f);
    pool_release(pool);
}
