/* A small document from outside (a discovery document, a key set): one GET, bounded in time and size.
 *
 * "JWKS 1500 ms, 150,000 bytes" are API Gateway's own limits. Redirects are not followed: what was
 * checked is what is read. The loop's client decides which addresses may be reached. */
#pragma once

#include "gateway/state.h"

enum { FETCH_MS = 1500, FETCH_BYTES = 150000 };

struct fetch {
    const char *why;             /* NULL: there is an answer, 200 or 304 */
    int status;
    struct str body;             /* views: they live until `done` has returned */
    struct http_headers headers;
    void *user;
};

/* On home's thread. `done` runs there too, never before this returns. `etag` absent: unconditional. */
void fetch_start(struct gw_loop *home, struct str url, struct str etag, void (*done)(struct fetch *fetch), void *user);
/* Job threads: waits. The body lives in the arena; absent: *why. */
struct str fetch_wait(struct gateway *gateway, struct arena *arena, struct str url, struct str *why);
