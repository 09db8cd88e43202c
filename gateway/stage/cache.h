/* What the files of the response cache share. */
#pragma once

#include "gateway/cache/cache.h"
#include "gateway/stage/stage.h"
#include "policy/eval.h"

/* A request's business with the cache; lives in its arena. */
struct gw_caching {
    struct gw_request *r;
    const struct gw_cache_rule *rule;
    const struct cache_sealer *sealer; /* of this rule; NULL: kept in clear */
    struct str key;                    /* of the plan, shown in traces; never sealed */
    struct str looked_up;              /* the same or one of its variants, sealed if need be */
    struct cache_flight *flight;       /* led by this request */
    bool keep;                         /* its answer goes into the cache */
    bool unauthorized;                 /* asked for a fresh answer and may not: AWS's warning */
    bool counted;                      /* as a miss */

    /* in a queue */
    struct cache_waiter *waiter;
    enum cache_news news;
    struct timer timer;
    int64_t give_up_us;                /* monotonic; 0: has not waited yet */
    bool timed_out;

    /* a streamed answer, copied on its way to the client */
    struct http_headers head;
    char *copy;
    size_t copied, room;
    bool streamed, complete;
};

struct str stage_cache_key(struct gw_request *r);
struct str stage_cache_variant(struct gw_request *r, struct str key, struct str vary);

/* cache_refresh.c: fetches anew what has grown stale, behind the answer's back. False: this request must do it
 * itself. Takes the flight over. */
bool stage_cache_refresh(struct gw_request *r);

/* cache_permission.c: does the client ask for a fresh answer, and may it? */
enum cache_wish { CACHE_WISH_NONE, CACHE_WISH_GRANTED, CACHE_WISH_REFUSED };
struct cache_wish_case { /* what was asked of the policies, when it was */
    struct policy_request request;
    struct policy_decision decision;
};
enum cache_wish stage_cache_wish(struct gw_request *r, const struct gw_cache_rule *rule, struct cache_wish_case *of);
