/* TLS under an HTTP connection. Like core/http_conn.h, for the server's own files only.
 *
 * OpenSSL reads and writes by way of ours (a BIO on the connection), which keeps the connection's
 * books of what the socket can take: edges come once. */
#pragma once

#include "core/http_conn.h"
#include "core/tls_sites.h"

struct http_tls *http_tls_new(struct http_conn *conn, struct tls_sites *sites); /* NULL: no memory */
/* `farewell`: say that nothing follows, unless the connection has failed. */
void http_tls_free(struct http_tls *tls, bool farewell);

enum http_tls_state { HTTP_TLS_READY, HTTP_TLS_WAITS, HTTP_TLS_FAILED };
enum http_tls_state http_tls_state(const struct http_tls *tls);
enum http_tls_state http_tls_handshake(struct http_tls *tls); /* as far as it goes now */
/* Once it is READY, for a request that begins. `now` is the table in use: a client's certificate is
 * checked again when the truststore has changed since, or a minute has passed. */
const struct tls_peer *http_tls_peer(struct http_tls *tls, const struct tls_sites *now, int64_t now_us);

/* As recv and send on a socket that does not block. */
ssize_t http_tls_receive(struct http_tls *tls, char *into, size_t room);
ssize_t http_tls_send(struct http_tls *tls, struct str bytes);
ssize_t http_tls_send_out(struct http_tls *tls, struct http_out *out);
bool http_tls_holds(const struct http_tls *tls); /* bytes that the socket no longer has */
void http_tls_farewell(struct http_tls *tls);    /* close_notify, if the socket takes it */
