/* Who may call how often: API keys, usage plans and what is left of them, as loops see it.
 *
 * Each loop has tables of its own, changed by a message to it like its table of stages: a look-up
 * takes no lock. What they point to is shared and immutable, but for the atomics: the levels of
 * token buckets and the meters of quotas. */
#pragma once

#include <stdatomic.h>

#include "core/bucket.h"
#include "core/digest.h"
#include "core/map.h"
#include "gateway/store/apikey.h"
#include "wire/call.h"

struct gateway;
struct gw_loop;
struct gw_request;
struct snapshot;
struct usage;

/* --- plans --- */

/* One limit of a plan, and how far each key of it has used it up, by the key's slot in the plan. A
 * column outlives the plan's changes as long as its limit stays what it is. */
enum { USAGE_CHUNK = 1024, USAGE_CHUNKS = 128 };
struct usage_column {
    atomic_int references;
    struct bucket_limit limit;
    _Atomic(bucket_level *) chunks[USAGE_CHUNKS]; /* NULL: no key has such a slot */
};
bucket_level *usage_level(const struct usage_column *column, uint32_t slot);

struct usage_method { /* "Per-client per-method throttling limits that you set for an API stage in a usage plan" */
    struct str path, verb;
    struct usage_column *column;
};
struct usage_stage {
    uint64_t hash;
    struct str api_id, name;
    struct usage_method *methods;
    size_t n_methods;
};
enum usage_period { PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH };
struct usage_plan {
    atomic_int references;
    struct arena *arena;
    struct str id;
    struct usage_stage *stages;
    size_t n_stages;
    struct usage_column *client; /* over all its stages; NULL: no limit */
    bool has_quota;
    int64_t quota, offset;
    enum usage_period period;
};

/* --- keys --- */

/* What a key has used of a plan. The quota is taken from the database in portions (gateway/usage/meter.c),
 * and requests from the portion, so that no request is forgotten by a kill, and none waits for the
 * disk but the first ones of a day. */
struct usage_meter {
    atomic_int references;
    struct str plan_id, key_id; /* behind the struct */
    uint32_t slot;
    atomic_bool gone;           /* the key is in the plan no more */
    /* the loops' */
    _Atomic int64_t from_us, until_us; /* the day it knows of, wall clock */
    atomic_bool limited;        /* there is a quota */
    _Atomic int64_t left;       /* of the portion */
    _Atomic int64_t pool;       /* of the quota, outside the portion */
    _Atomic int64_t low;        /* from here on another portion is wanted */
    _Atomic int64_t served;     /* not yet written */
    atomic_bool wanted;
    /* the book-keeper's, under the lock of usage */
    bool known, in_batch;
    int64_t day;
    struct { /* becomes true when it is committed */
        int64_t remaining, portion, served;
        bool fresh; /* what is left of the old portion counts no more */
    } next;
};

struct usage_membership {
    struct str plan_id;
    struct usage_meter *meter;
};
struct usage_secret {
    uint8_t mac[SHA256_BYTES];
    int64_t ends_us; /* 0: never */
};
struct usage_key {
    atomic_int references;
    struct arena *arena;
    struct str id;
    bool enabled;
    int64_t expires_us;  /* 0: never */
    struct usage_secret values[APIKEY_VALUES];
    size_t n_values;
    struct usage_membership *plans;
    size_t n_plans;
};

/* A loop's tables. */
struct usage_tables {
    struct map *keys;  /* mac (32 bytes) -> struct usage_key */
    struct map *plans; /* id -> struct usage_plan */
};

/* --- the data plane --- */

/* A key that is valid for the stage, and its plan; both live until the loop's next turn. */
struct usage_match {
    const struct usage_key *key;
    const struct usage_plan *plan;
    const struct usage_stage *stage;
    struct usage_meter *meter;
};
/* NULL when it is valid, else why not, for the trace. */
const char *usage_find(struct gw_loop *home, const struct snapshot *snapshot, struct str value, int64_t wall_us,
                       struct usage_match *out);

enum usage_outcome { USAGE_READY, USAGE_FAILED /* storage */, USAGE_GONE /* the key is in the plan no more */ };
/* What a request that needs a key has shown. */
struct usage_errand;
struct gw_usage {
    struct str value, key_id, plan_id;  /* once the key is found valid */
    struct usage_match match;           /* until the step after */
    struct usage_meter *meter;          /* held */
    struct usage_errand *errand;        /* while it waits */
    enum usage_outcome outcome;
};

enum usage_taken { USAGE_TAKEN, USAGE_EXCEEDED, USAGE_WAIT };
bool usage_exceeded(const struct usage_meter *meter, int64_t wall_us); /* for sure, now */
enum usage_taken usage_take(struct gateway *gateway, struct usage_meter *meter, int64_t wall_us);
/* gw_resume(r) when the meter has been looked after; r->usage.outcome says how that went. False: it
 * cannot be done now. */
bool usage_wait(struct gw_request *r, struct usage_meter *meter);
void usage_forget(struct gw_request *r); /* the request goes: it is not to be called back */
void usage_meter_unref(struct usage_meter *meter);

/* --- the control plane --- */

/* The hash that values are kept and looked up by. */
void usage_mac(const struct usage *usage, struct str account, struct str region, struct str value,
               uint8_t out[SHA256_BYTES]);
/* Brings what is committed to the loops, and returns when all of them have it. What is gone from the
 * database goes from the loops. Never inside a transaction. */
gh_err usage_publish_keys(struct gateway *gateway, struct call *call, const struct str *ids, size_t n);
gh_err usage_publish_plan(struct gateway *gateway, struct call *call, struct str id);

/* The state of affairs, exact at the moment. day: since 1970. -1: the plan has no quota. */
gh_err usage_flush(struct gateway *gateway, struct arena *arena, struct str plan_id);
gh_err usage_remaining(struct gateway *gateway, struct arena *arena, struct str plan_id, struct str key_id,
                       int64_t day, int64_t *out);
gh_err usage_set_remaining(struct gateway *gateway, struct arena *arena, struct str plan_id, struct str key_id,
                           int64_t day, int64_t remaining);
int64_t usage_day_of(int64_t wall_us);
int64_t usage_period_start(enum usage_period period, int64_t day);
int64_t usage_period_end_us(enum usage_period period, int64_t wall_us); /* wall clock */
bool usage_period_of(struct str name, enum usage_period *out);

/* --- start and end --- */
struct usage *usage_open(struct gateway *gateway);
/* Before the loops run: everything that is stored. */
gh_err usage_load(struct gateway *gateway);
/* After they have ended: what was served is written, and what is left of portions given back. */
void usage_close(struct gateway *gateway);
