/* The caches of all stages, and the memory they share.
 *
 * A stage's cacheClusterSize is its share: "0.5" is 0.5 GiB, and a stage gets that much as long as all
 * stages' sizes together fit into --cache-memory. On a machine where they don't, each gets its part in
 * proportion: two stages of "0.5" and one of "1.6" in 260 MiB have 50, 50 and 160. What a stage may
 * hold changes when another one gets or loses its cache; what is too much then goes at once. */
#pragma once

#include "gateway/cache/cache.h"

struct caches;

struct caches *caches_new(size_t memory_bytes, const struct env *env);
void caches_free(struct caches *caches);
/* The stage's cache, held for the caller, made when there is none. "API Gateway changes caching capacity by
 * removing the existing cache instance and creating a new one. All existing cached data is deleted." A
 * deploy keeps it. nominal_bytes 0: forgets the stage's cache, answers NULL. */
struct cache *caches_attach(struct caches *caches, struct str api_stage, size_t nominal_bytes);
/* For a snapshot that is to be live: its stage's cache, and its canary's. "useStageCache", or one deployment in
 * both: they share it; otherwise the canary has one of the same size of its own. */
struct snapshot;
void caches_attach_stage(struct caches *caches, struct str api_stage, struct snapshot *snapshot);
/* A stage's, with its canary's; "api/": all of an API. */
void caches_detach(struct caches *caches, struct str name);
struct cache *caches_find(struct caches *caches, struct str api_stage); /* held for the caller; NULL: none */
const struct cache_sealer *caches_sealer(const struct caches *caches);
/* One call a stage, in no order, under a lock: be quick. */
void caches_each(struct caches *caches, void (*fn)(void *ctx, struct str api_stage, struct cache *cache), void *ctx);

/* "0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237": GB. 0: no such size. */
size_t caches_size_of(struct str name);
