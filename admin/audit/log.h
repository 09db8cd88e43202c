/* The audit log of a running server: a chain (core/chain.h) in its folder, fed by wire/operation.c. */
#pragma once

#include "core/chain.h"
#include "core/err.h"
#include "wire/audit.h"

struct app;
struct audit_log;

enum audit_mode {
    AUDIT_REQUIRED,    /* what cannot be recorded is refused */
    AUDIT_BEST_EFFORT, /* it is done all the same, and counted */
    AUDIT_OFF,
};

/* app->audit; NULL when it is off. False: *why. */
bool audit_open(struct app *app, struct str *why);
void audit_close(struct app *app);
/* What happens here beside all operations: a link in a mail, dev mode's doors. name: "cognito-idp:ConfirmUser_GET". False:
 * it is not on disk, and must not be told as done. log NULL: true. Job threads. */
struct call;
bool audit_event_write(struct audit_log *log, const struct call *call, const char *name, struct str request, gh_err err);
const struct audit_sink *audit_sink(const struct audit_log *log); /* NULL is fine, and gives NULL */
struct chain *audit_chain(struct audit_log *log);
void audit_metrics(struct audit_log *log, struct strbuf *text);   /* NULL is fine */
