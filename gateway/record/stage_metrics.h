/* Numbers of a stage under CloudWatch's names, since the start of the process.
 *
 * "API Gateway sends metric data to CloudWatch every minute": 4XXError, 5XXError, CacheHitCount,
 * CacheMissCount, Count, IntegrationLatency, Latency, in milliseconds, by ApiName and Stage, and by
 * Method and Resource for methods with detailed metrics ("metrics/enabled"). Here they are counted as
 * requests end, for Prometheus to fetch. They outlive deployments; a canary has its own, as Stage "NAME/Canary". */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct gateway;
struct snapshot;
struct gw_request;

enum stage_metric { METRIC_COUNT, METRIC_4XX, METRIC_5XX, METRIC_CACHE_HIT, METRIC_CACHE_MISS, METRIC_LATENCY_US,
                    METRIC_INTEGRATION_US, METRIC_INTEGRATED, METRIC_N };

/* One series: of a stage, or of a method. A line of cache for each loop, so that none waits for another. */
struct stage_metrics;

struct stage_metrics_table;
struct stage_metrics_table *stage_metrics_table_new(size_t n_loops);
void stage_metrics_table_free(struct stage_metrics_table *table);

/* Gives a compiled snapshot its series, those of the stage's former deployments. Any thread but a loop's. */
void stage_metrics_attach(struct stage_metrics_table *table, struct snapshot *snapshot);
/* Series of an API that is gone: no longer shown. stage absent: all its stages. */
void stage_metrics_forget(struct stage_metrics_table *table, struct str api_id, struct str stage);

/* A request has ended. On its loop. */
void stage_metrics_count(struct gw_request *r, int64_t us);
void stage_metrics_add(struct gw_request *r, enum stage_metric metric, uint64_t n);

/* Prometheus text. Any thread. */
void stage_metrics_print(struct stage_metrics_table *table, struct strbuf *out);
