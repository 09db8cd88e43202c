/* Requests of a stage that asked for it (option recordRequests), kept in memory to be tried again on
 * the draft: the newest of each loop, with bodies up to 64 KiB. Credentials are left out: a trial asks
 * no authorizer and no key. */
#pragma once

#include <stdatomic.h>

#include "core/str.h"

struct gw_request;
struct gateway;

#define RECORDINGS 128

struct recording_ring {
    atomic_flag busy;     /* held for one entry's change or copy */
    size_t next;
    struct {
        char trace[16], request_id[36];
        char *json;       /* on the heap; NULL: empty */
        size_t len;
    } items[RECORDINGS];
};

/* On the request's loop, when its answer is out. */
void recording_keep(struct gw_request *r);
void recording_ring_free(struct recording_ring *ring);

/* By trace id or request id; absent: not kept, or forgotten. Any thread. What it says:
 *   {"method","path" (with query, without the stage),"headers":[[name,value]],"body":base64 (absent: too
 *    long to keep),"status":n,"answer":base64 (absent: too long, or streamed),
 *    "templates":[what each template was given: gateway/fixture/fixture.h]} */
struct str recording_find(struct gateway *gateway, struct arena *arena, struct str id);
