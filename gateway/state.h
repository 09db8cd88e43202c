/* The gateway's own state: what is shared, and what each loop has for itself. */
#pragma once

#include <pthread.h>

#include "core/map.h"
#include "gateway/domain/domain.h"
#include "gateway/gateway.h"
#include "gateway/record/recording.h"
#include "gateway/snapshot.h"
#include "gateway/record/trace.h"
#include "gateway/usage/usage.h"

struct auth_cache;
struct issuers;
struct token_cache;
struct limits;
struct stage_metrics_table;
struct caches;

/* A loop's hold on one stage's snapshot. Only its loop touches it. */
struct gw_entry {
    struct snapshot *snapshot;
    unsigned in_flight;
    bool gone;                 /* replaced or unpublished: freed with its last request */
};

/* Counters of one loop, written by it alone, read by anyone. */
enum { COUNT_REQUESTS, COUNT_2XX, COUNT_3XX, COUNT_4XX, COUNT_5XX, COUNT_THROTTLED, COUNT_AUTH_HITS,
       COUNT_AUTH_MISSES, COUNT_INTEGRATION_ERRORS, COUNT_BYTES_OUT, COUNT_N };
#define LATENCY_BUCKETS 14

struct gw_counters {
    _Atomic uint64_t counts[COUNT_N];
    _Atomic uint64_t latency[LATENCY_BUCKETS];  /* whole requests */
    _Atomic uint64_t latency_sum_us;
};

/* The current second as text, made once a second. */
struct gw_clock {
    int64_t second;
    char clf[32], iso[24];     /* "21/Nov/2026:03:04:05 +0000", "2026-11-21T03:04:05" */
};

struct gw_loop {
    struct gateway *gateway;
    struct loop *loop;
    size_t number;
    struct http_client *client;
    struct map *roles;         /* ARN -> struct gw_role */
    struct map *stages;        /* "api/stage" -> struct gw_entry */
    struct domain_table *domains;
    struct usage_tables usage;  /* API keys and usage plans */
    struct gw_counters counters;
    struct trace_ring traces;
    struct recording_ring recordings;
    uint64_t random[4];        /* state of the ids' generator; they are names, not secrets */
    unsigned random_left;      /* draws until it is seeded afresh */
    char *log;                 /* access log lines on their way out */
    size_t log_len, log_cap;
    struct timer log_timer;
    struct gw_clock clock;
};

struct gateway {
    struct gateway_config config;
    struct arena *arena;
    struct gw_loop *loops;
    size_t n_loops;
    pthread_mutex_t publishing; /* one stage at a time, each loaded afresh */
    pthread_mutex_t publishing_domains;
    struct domain_table *domains; /* the newest; under that lock */
    struct certificate_files files;
    struct str own_host;        /* of base_url: never a custom domain */
    struct auth_cache *auth_cache;
    struct link_watch *link_watch; /* NULL: there are no VPC links */
    _Atomic uint64_t taken_back; /* deployments, by their watch */
    struct usage *usage;
    struct issuers *issuers;        /* whose tokens JWT authorizers take */
    struct token_cache *jwt_cache;  /* and those tokens, verified */
    struct limits *limits;      /* the buckets of accounts, stages and methods */
    struct stage_metrics_table *metrics;
    struct caches *caches;      /* answers, a cache a stage */
    atomic_uint in_background;  /* requests of our own that a stop waits for */
};

/* The calling loop's part. */
struct gw_loop *gateway_loop(struct gateway *gateway, const struct loop *loop);
void gateway_random(struct gw_loop *home, uint64_t *out, size_t words);
const struct gw_clock *gateway_clock(struct gw_loop *home, int64_t wall_us);
/* Is this the issuer of a user pool of ours? */
bool gateway_issues(const struct gateway *gateway, struct str issuer);
/* publish.c: into the loops' tables before they run; and what a request does with them. */
void gateway_install(struct gw_loop *home, struct str key, struct snapshot *snapshot);
struct gw_entry *gateway_enter(struct gw_loop *home, struct str api_id, struct str stage);
void gateway_leave(struct gw_entry *entry);
void gateway_count(struct gw_loop *home, int counter);
