/* Upstream HTTP/1.1 client of one loop: keep-alive pools, TLS verified by OpenSSL, timeouts,
 * streaming in both directions (libhttp-parser reads the answers).
 *
 * A connection is used again only when the last answer ended cleanly and nothing followed it.
 * An idempotent request without streamed body is sent once more when a kept connection turns
 * out to be stale before the first byte of an answer. Names are resolved on the job pool,
 * numeric addresses at once. */
#pragma once

#include "core/http_msg.h"
#include "core/job.h"
#include "core/loop.h"
#include "core/net_guard.h"

struct http_client;
struct tls_identity;
struct tls_trust;

struct http_client_config {
    struct job_pool *jobs; /* for DNS; NULL: numeric addresses and localhost only */
    int idle_timeout_ms;   /* of kept connections; 0: 15000 */
    int max_idle_per_host; /* 0: 256 */
    struct tls_trust *trust; /* outlives the client; NULL: the system's authorities, read when first needed */
    const char *ca_file;   /* trusted instead of all others; NULL: none */
    const struct net_guard *guard; /* outlives the client; NULL: every address may be reached */
};

struct http_client *http_client_new(struct loop *loop, const struct http_client_config *config);
void http_client_free(struct http_client *client); /* cancels what is under way */

enum http_failure {
    HTTP_OK,
    HTTP_FORBIDDEN, /* the guard shuts every address of that name */
    HTTP_REFUSED,   /* could not connect (refused, unreachable, DNS) */
    HTTP_TLS,       /* certificate or handshake */
    HTTP_TIMEOUT,   /* connect or answer took longer than timeout_ms */
    HTTP_RESET,     /* closed before a complete answer */
    HTTP_MALFORMED, /* no HTTP, two lengths, header too large … */
    HTTP_CANCELLED,
};
const char *http_failure_text(enum http_failure failure);

/* One request. Zero it, fill the first part, start it; it must live until on_done has run
 * (put it into the request's arena), and so must the strings in it. All callbacks may be NULL but
 * on_done; none runs before http_call_start has returned. */
struct http_call {
    struct str scheme; /* "http" or "https" */
    struct str host;   /* name or address, without brackets */
    uint16_t port;
    struct str method;
    struct str target;                  /* "/path?query", already encoded */
    const struct http_headers *headers; /* Host and Content-Length/Transfer-Encoding are set here */
    struct str host_header;             /* instead of host[:port], when not absent */
    struct str body;                    /* whole body; or streamed: */
    bool stream_body;                   /* then http_call_write … http_call_end */
    int64_t body_length;                /* streamed: -1 chunked, else Content-Length */
    int timeout_ms;                     /* from start (or the last piece of a streamed body) to the answer's head, and between
                                         * pieces; 0: 30000 */
    bool insecure_tls;                  /* any authority will do: TLS_CHECK_ANY_AUTHORITY */
    bool connect_only;                  /* nothing is sent: done when a fresh connection (and TLS) stands */
    bool unguarded;                     /* the operator chose this address, not a tenant */
    struct str tls_name;                /* in the certificate and as SNI, instead of host; or absent */
    const struct tls_identity *identity; /* our certificate for who asks for one; or NULL */
    struct arena *arena;                /* the answer's head lives here; never NULL */
    void *user;
    /* On the loop's thread. The head first, then pieces (views valid in the call), then done. */
    void (*on_head)(struct http_call *call);
    void (*on_piece)(struct http_call *call, struct str piece);
    void (*on_done)(struct http_call *call, enum http_failure failure); /* the last callback */
    void (*on_writable)(struct http_call *call); /* streamed body: the buffer has drained */

    /* filled by the client */
    int status;
    struct http_headers answer;
    const char *reason;                  /* HTTP_FORBIDDEN, HTTP_TLS: what exactly, static text; else NULL */
    bool reused;                         /* on a kept connection */
    int64_t first_byte_us, connected_us; /* monotonic, 0 until then */
    struct http_call_state *state;       /* private */
};

void http_call_start(struct http_client *client, struct http_call *call);
/* Copies. False: more than 256 KiB wait for a slow upstream, stop until on_writable. */
bool http_call_write(struct http_call *call, struct str piece);
void http_call_end(struct http_call *call);
void http_call_pause(struct http_call *call); /* stop on_piece until resume */
void http_call_resume(struct http_call *call);
void http_call_cancel(struct http_call *call); /* on_done(HTTP_CANCELLED) runs before this returns */

/* For /_gatehouse/metrics. */
unsigned http_client_active(const struct http_client *client);
unsigned http_client_idle(const struct http_client *client);
