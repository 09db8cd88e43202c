/* Publish watch: the first while after a deployment its errors are counted, and a deployment that gives
 * too many is taken back without anybody having to look (options watchWindowSeconds, watchErrorPercent,
 * watchMinRequests).
 *
 * What there is to go back to stands in the stage's document, so that a restart does not end a watch:
 *   "watch":{"deploymentId":"new","untilUs":n,"previousDeploymentId":"old"}
 *   "watch":{"deploymentId":"new","untilUs":n,"canary":true,"previousCanary":{…} or absent: there was none}
 *   "takenBack":{"deploymentId","atUs","requests","errors"}: what the last watch has done
 * Counting begins anew when the stage is compiled again (a change of its settings, a restart). */
#pragma once

#include "gateway/snapshot.h"
#include "wire/call.h"

struct gw_watch {
    int64_t until_us;          /* wall clock */
    double error_share;        /* 0 … 1; more than that is too much */
    uint64_t min_requests;
    _Atomic uint64_t requests, errors;
    atomic_bool fired;
};

/* The stage's document before (NULL: it is new) and after an operation: begins a watch when another
 * deployment is live now, ends one when somebody has gone back by hand. */
void watch_note(struct call *call, const json_t *before, json_t *stage);

/* Of the deployment being compiled; NULL: it is not watched. */
struct gw_watch *watch_compile(struct arena *arena, const json_t *settings, bool canary);

/* A request is answered. Loop threads; takes the deployment back, on a job thread, when it is time. */
struct gw_request;
void watch_count(struct gw_request *r);
