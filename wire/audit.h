/* What a call leaves in the audit log: one record a management call or sign-in, in CloudTrail's shape. wire/operation.c
 * makes and writes it; a handler adds only what neither request nor answer shows. */
#pragma once

#include <jansson.h>

#include "core/str.h"

struct call;

/* For handlers, on the call's own thread; all of them do nothing for a call that is not recorded.
 *
 * additionalEventData.KEY: "Additional data about the event that was not part of the request or response." The last one
 * of a key counts. Takes over the reference. Never a secret: it is written as it stands. */
void audit_note(struct call *call, const char *key, json_t *value);
void audit_note_str(struct call *call, const char *key, struct str value); /* absent: nothing */
/* Instead of the userIdentity that the signature gives: of unsigned calls that prove who calls in another way
 * ({"type": "WebIdentityUser", "principalId": …, "userName": …, "identityProvider": …}). Takes over the reference. */
void audit_identity(struct call *call, json_t *identity);
/* The account that the event is for (recipientAccountId), where that is not the caller's: the pool's, of unsigned calls. */
void audit_account(struct call *call, struct str account);

struct audit_notes {
    json_t *additional, *identity; /* owned by the call's arena; NULL: none */
    struct str account;
};

struct arena;
struct strbuf;
struct policy_request;
/* Where records go; filled in by who has the log (admin/audit). Job threads. */
struct audit_sink {
    void *ctx;
    /* Can a change be recorded now? False: it must not be made, *why says what the log lacks. */
    bool (*ready)(void *ctx, struct arena *arena, struct str *why);
    /* One JSON object. wait: returns when it is on disk; false: it is not. */
    bool (*write)(void *ctx, struct str record, bool wait);
    /* What is known of the session behind a credential: members of userIdentity, each with a comma before it
     * (`,"sessionContext":{…}`), or nothing. */
    void (*session)(void *ctx, const void *credential, struct strbuf *out);
    /* Why the request was denied: a JSON object, layer by layer with the smallest change that would allow it. NULL: the
     * record says the decision alone. */
    struct str (*why)(void *ctx, struct arena *arena, const void *credential, const struct policy_request *request);
};
