/* A small document from outside (a discovery document, a key set): one GET, bounded in time and size.
 *
 * Redirects are not followed: what was checked is what is read. The client decides which addresses may be
 * reached. */
#pragma once

#include "core/http_client.h"

/* Limits of a common gateway for such documents. */
enum { DOCUMENT_FETCH_MS = 1500, DOCUMENT_FETCH_BYTES = 150000 };

struct document_fetch {
    const char *why; /* NULL: there is an answer, 200 or 304 */
    int status;
    struct str body; /* views: they live until `done` has returned */
    struct http_headers headers;
    void *user;
};

/* On the loop's thread, which is the client's. `done` runs there too, never before this returns. `etag`
 * absent: unconditional. */
void document_fetch_start(struct loop *loop, struct http_client *client, struct str url, struct str etag,
                          void (*done)(struct document_fetch *fetch), void *user);
/* Why such an answer is no document; NULL: it is one, or was not changed (304). failure: why none came, or
 * NULL. */
const char *document_fetch_fault(const char *failure, int status, const struct http_headers *headers);
/* Job threads: waits. The body lives in the arena; absent: *why. */
struct str document_fetch_wait(struct loop *loop, struct http_client *client, struct arena *arena,
                               struct str url, struct str *why);
