/* AWS's management operations on an exchange: read the body, run on a job thread, answer. */
#pragma once

#include "admin/app.h"

bool management_open(struct app *app, struct str *why);
void management_close(struct app *app);

void management_serve(struct app *app, struct http_exchange *x);
/* What is built and what is refused, as JSON. app NULL: of this binary, without a server. */
struct str management_capabilities(struct app *app, struct arena *arena);
/* The account a request speaks for, by its access key. */
struct str management_account(struct app *app, struct http_exchange *x);
void management_metrics(struct strbuf *text);
