/* Why a decision fell as it did: every layer, the statements that mattered with their place, what failed
 * on which value, and the smallest change that would turn it. The slow path, for people: nothing here is
 * asked on the way of a request that is allowed. Pure, as policy/eval.h is.
 *
 *     struct policy_why why;
 *     policy_why(arena, &layers, &request, &why);        the decision is policy_decide's own
 *     policy_why_text(arena, &why); policy_why_json(arena, &why); */
#pragma once

#include "core/json.h"
#include "policy/eval.h"

/* One condition of a statement, asked. */
struct why_condition {
    struct str operator, key;     /* as written: "ForAnyValue:StringLikeIfExists", "aws:PrincipalTag/team" */
    const struct str *expected;   /* as written */
    size_t n_expected;
    const struct str *actual;     /* NULL: not in the request */
    size_t n_actual;
    bool holds;
};

/* What kept a statement from applying; the first that did. */
enum why_miss { WHY_APPLIES, WHY_OTHER_ACTION, WHY_OTHER_RESOURCE, WHY_OTHER_PRINCIPAL, WHY_CONDITION };

struct why_statement {
    struct str policy, sid; /* sid: or absent */
    struct str document;
    int index;              /* from 0 */
    bool deny;
    enum why_miss miss;
    struct policy_position start, end;
    struct why_condition *conditions;
    size_t n_conditions;
};

/* A layer: what it says by itself, and whether that counts. */
struct why_layer {
    const char *type;         /* "identity-based policy" */
    enum policy_effect effect;
    bool counts;              /* false: an allow of the resource's policy made its silence irrelevant, or nothing
                                 depends on what it allows */
    struct str first_policy;  /* name of one of its policies, where something could be added; absent: it has none */
    struct why_statement *statements; /* that apply, then those that nearly do; at most 16 */
    size_t n;
    size_t left_off;          /* of those, more than that */
};

/* One thing to be changed. All of them together turn the decision; `text` says it for people. */
struct why_change {
    enum { WHY_ADD, WHY_EXTEND, WHY_REMOVE, WHY_CONTEXT } kind;
    const char *layer;
    struct str policy;            /* in which; absent: a new one */
    int statement;                /* WHY_EXTEND, WHY_REMOVE, WHY_CONTEXT: which, from 0; else -1 */
    struct policy_position start; /* of it */
    struct str document;          /* of it */
    struct str json;              /* WHY_ADD: the statement */
    struct str element;           /* WHY_EXTEND: "Action" or "Resource", and what to add to it */
    struct str value;
    const struct why_condition *condition; /* WHY_CONTEXT: the request's value must hold for it (deny: must not) */
    struct str text;
};

struct policy_why {
    const struct policy_request *request;
    struct policy_decision decision;
    struct policy_position at;   /* of the deciding statement; line 0: there is none */
    struct str sentence;         /* "denied: …", one line: what traces show */
    struct str denial;           /* AWS's AccessDenied text; absent: it is allowed */
    struct why_layer *layers;    /* in the order of evaluation; only those that are there */
    size_t n_layers;
    struct why_change *changes;
    size_t n_changes;
    struct str *missing;         /* keys that the statements listed look at and the request does not carry */
    size_t n_missing;
};

void policy_why(struct arena *arena, const struct policy_layers *layers, const struct policy_request *request,
                struct policy_why *out);
struct str policy_why_text(struct arena *arena, const struct policy_why *why); /* lines */
/* {"decision","allowed","reason","message","principal","action","resource","decidedBy","layers","toChange",
 * "missingContext"}: what Explain answers and a denied call's audit record carries. */
json_t *policy_why_json(struct arena *arena, const struct policy_why *why);
