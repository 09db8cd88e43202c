/* A blocking client of a running Gatehouse, for the command line: signed management calls.
 * Where and who comes from AWS's own variables, with dev mode's defaults. */
#pragma once

#include "core/env.h"
#include "core/json.h"

#define CLIENT_DEFAULT_URL "http://127.0.0.1:4566"

struct client {
    struct arena *arena;
    struct env env;
    struct str url;                        /* AWS_ENDPOINT_URL, GATEHOUSE_BASE_URL or the default */
    struct str region, key_id, secret, token;
    int timeout_ms;                        /* for an answer; 0: 30 s */
};

void client_open(struct client *client, struct arena *arena);

/* One request. The answer's body as text; status 0: no answer, and *out says why. */
int client_send(struct client *client, const char *service, const char *method, struct str target,
                const char *amz_target, struct str body, struct str *out);
/* A call of a service of protocol rest-json ("GET", "/restapis") or json 1.1 (operation named by
 * amz_target). body may be NULL. NULL after printing the error: give up with exit code 1. */
json_t *client_rest(struct client *client, const char *service, const char *method, struct str path, json_t *body);
json_t *client_rest_text(struct client *client, const char *service, const char *method, struct str path, struct str body);
json_t *client_json11(struct client *client, const char *service, const char *prefix, const char *operation,
                      json_t *body);
