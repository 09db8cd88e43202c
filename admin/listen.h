/* One port, many planes: gives each request to the plane it belongs to. */
#pragma once

#include "admin/app.h"

/* For http_server_config; ctx is the worker. */
void listen_request(void *ctx, struct http_exchange *x);
void listen_gone(void *ctx, struct http_exchange *x);
void listen_done(void *ctx, struct http_exchange *x, bool complete);
