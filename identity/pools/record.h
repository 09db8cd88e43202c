/* Records of a pool (store/pool_record.h) with the documents that the model describes. */
#pragma once

#include "identity/pools/client.h"
#include "identity/store/pool_record.h"

/* The record's document into `out` (of `shape`). *found false: none. */
gh_err record_find(struct call *call, struct tx *tx, const struct pool *pool, const char *kind, struct str name,
                   const struct shape *shape, void *out, bool *found);
struct pool_record record_of(struct call *call, const struct pool *pool, const char *kind, struct str name,
                             struct str owner, const struct shape *shape, const void *doc);
/* A page of a kind: `*next` absent on the last one. */
gh_err record_page(struct call *call, const struct pool *pool, const char *kind, struct str token, int64_t limit,
                   struct pool_record **out, size_t *n, struct str *next);
/* In a transaction of its own. */
gh_err record_save(struct call *call, const struct pool_record *record);
gh_err record_drop(struct call *call, const struct pool *pool, const char *kind, struct str name);
/* Ends a transaction that `err` may have spoilt: rolled back, or committed. */
gh_err record_end(struct tx *tx, gh_err err);
