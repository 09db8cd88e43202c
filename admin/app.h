/* The composition root: everything the process consists of, made once, in order. */
#pragma once

#include <pthread.h>

#include "admin/options.h"
#include "admin/postman.h"
#include "core/http_server.h"
#include "functions/functions.h"
#include "gateway/gateway.h"
#include "identity/identity.h"
#include "wire/operation.h"

struct worker {
    struct app *app;
    struct loop *loop;
    struct http_server *server, *tls_server; /* tls_server NULL: no HTTPS */
    pthread_t thread;
};

struct app {
    struct options options;
    struct arena *arena; /* lives as long as the process */
    struct env env;
    struct db *db;
    struct sealer *sealer;
    struct job_pool *jobs;
    struct postman postman;
    struct http_fetcher *fetcher; /* what job threads ask of the world outside */
    struct identity *identity;
    struct functions *functions;
    struct gateway *gateway;
    struct audit_log *audit; /* NULL: off */
    struct wire *wire;
    struct worker *workers;
    int n_workers;
    int64_t started_us; /* monotonic */
    uint16_t port, tls_port;
};

/* Builds it all and listens. Otherwise false: *why says it, *code is the exit code. */
bool app_open(struct app *app, const struct options *options, struct arena *arena, struct str *why, int *code);
/* Until SIGTERM or SIGINT; then drains for up to 30 s and stops. */
void app_run(struct app *app);
void app_close(struct app *app);
