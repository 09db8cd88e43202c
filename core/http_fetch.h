/* One request, waited for: webhooks, other servers' sign-ins, hooks that deliver messages.
 *
 * For job threads. A fetcher has a thread, a loop and a little pool for names of its own, started at the
 * first request: whoever waits here holds up nobody but himself. Redirects are not followed. */
#pragma once

#include "core/http_client.h"

struct http_fetcher;

/* `guard` (NULL: every address may be reached) and `trust` outlive it. */
struct http_fetcher *http_fetcher_new(const struct env *env, const struct net_guard *guard,
                                      struct tls_trust *trust);
void http_fetcher_free(struct http_fetcher *fetcher); /* nobody waits any more */

struct http_fetch {
    /* filled by the caller */
    struct str method;
    struct str url;                     /* http or https */
    const struct http_headers *headers; /* or NULL; Host and Content-Length are set here */
    struct str body;
    int timeout_ms; /* of the whole; never 0 */
    size_t most;    /* bytes of the answer; more is a failure */
    bool unguarded; /* the operator chose this address, not a tenant */

    /* filled here; strings live in the arena */
    const char *why; /* NULL: an answer came, of whatever status. Else static text */
    enum http_failure failure;
    int status;
    struct http_headers answer;
    struct str text;
};
void http_fetch(struct http_fetcher *fetcher, struct arena *arena, struct http_fetch *fetch);
