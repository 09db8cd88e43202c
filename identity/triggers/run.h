/* Between the files of triggers/: how an event gets out, how an answer is read. */
#pragma once

#include "core/id.h"
#include "identity/triggers/trigger.h"

enum { TRIGGER_TRIES = 3, TRIGGER_TIMEOUT_MS = 5000 };

/* It ran and says no: its {"errorMessage"}, or the text as it is. */
gh_err trigger_threw(struct call *call, const struct trigger_event *event, struct str answer);
/* The answer's response; NULL: not of the trigger's shape. */
json_t *trigger_read_answer(struct arena *arena, enum trigger trigger, struct str answer);

/* ---- webhook.c ---- */
struct webhook_try {
    struct str url, id, text; /* id: the same over all tries */
    int timeout_ms;
};
/* The pool's option "webhook.<Trigger>"; absent: none. */
struct str trigger_webhook(const struct pool *pool, enum trigger trigger);
gh_err webhook_try(struct call *call, const struct trigger_event *event, const struct webhook_try *hook,
                   struct str *answer, bool *again);
