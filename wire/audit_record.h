/* One call's record in the audit log, in CloudTrail's shape (eventVersion 1.11). */
#pragma once

#include "core/http_msg.h"
#include "policy/eval.h"
#include "wire/audit.h"
#include "wire/audit_kind.h"
#include "wire/call.h"

/* What is known of a call when it has ended. */
struct audit_event {
    const struct call *call;
    const struct audit_kind *kind;
    const struct audit_notes *notes;
    const struct audit_sink *sink;
    struct str unknown;       /* no such operation: what was asked for */
    const char *action;       /* of an errand beside AWS's operations: "cognito-idp:ExportUserPool"; or NULL */
    struct str errand;        /* its method and path, or absent */
    struct str claimed_key;   /* the access key id of a request that was not believed; or absent */
    bool believed;            /* the signature was good, or none is asked for */
    struct str resource;      /* ARN that permission was asked for, or absent */
    const struct policy_request *asked; /* and the decision, when it was denied; or NULL */
    const struct policy_decision *decision;
    const void *in, *out;     /* NULL: not read, or there is none */
    gh_err err;               /* NULL: it went well */
    struct str host;          /* of the request */
    const char *tls_version, *cipher; /* NULL: in clear */
};

/* Lives in the call's arena; no newline is in it, whatever the request held. */
struct str audit_record(const struct audit_event *event);
