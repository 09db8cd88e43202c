/* The audit log over HTTP: /_gatehouse/audit, /audit/verify, /audit/key (README). */
#pragma once

#include "admin/app.h"

/* ?name=…&principal=… (admin/audit/search.h): {"events": [the records as they stand], "next": "17"}. Of the caller's account
 * only. wait=SECONDS (at most 20), with after: when there is nothing, until something comes. */
void audit_serve_search(struct app *app, struct http_exchange *x, struct str rest);
/* Body {"from": 1, "to": 99} or none: the whole folder against the writer's memory (core/chain_verify.h). */
void audit_serve_verify(struct app *app, struct http_exchange *x, struct str rest);
/* {"keyId", "publicKey"}: anybody may check signatures. */
void audit_serve_key(struct app *app, struct http_exchange *x, struct str rest);

/* What a verification found, as JSON: {"ok", "fault", "file", "line", "sequence", "message", "checked", …}. */
struct chain_report;
json_t *audit_report_json(struct arena *arena, const struct chain_report *report);
