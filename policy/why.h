/* Why a decision fell as it did: every layer, the statements that mattered with their place, what failed
 * on which value, and the smallest change that would turn it. The slow path, for people: nothing here is
 * asked on the way of a request that is allowed. Pure, as policy/eval.h is.
 *
 *     struct policy_why why;
 *     policy_why(arena, &layers, &request, &why);        the decision is policy_decide's own
 *     policy_why_text(arena, &why); policy_why_json(arena, &why);
 *
 * What it says points into the layers and the request: it lives as long as they do. */
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

/* What kept a statement from applying; a statement for other actions is not told of. */
enum why_miss { WHY_APPLIES, WHY_CONDITION, WHY_OTHER_PRINCIPAL, WHY_OTHER_RESOURCE };

struct why_statement {
    struct str policy, sid; /* sid: or absent */
    int index;              /* from 0 */
    bool deny;
    enum why_miss miss;
    struct policy_position at, start, end; /* start, end: as SimulatePrincipalPolicy counts (policy_locate) */
    struct why_condition *conditions;
    size_t n_conditions;
};

/* A layer: what it says by itself, and whether that counts. */
struct why_layer {
    const char *type;         /* "identity-based policy" */
    enum policy_effect effect;
    bool required;            /* false: nothing depends on whether it allows; its denies count all the same */
    struct str first_policy;  /* name of its first policy; absent: it has none */
    struct why_statement *statements; /* that apply, then those that nearly do; at most WHY_STATEMENTS */
    size_t n;
    size_t left_off;          /* of those, more than that */
};
#define WHY_STATEMENTS 16

/* One thing to be changed; all of them together turn the decision. */
struct why_change {
    enum why_kind {
        WHY_ADD,     /* a statement to a layer: `statement` is its JSON, `policy` where it could go, or absent */
        WHY_REMOVE,  /* a statement, or narrow it */
        WHY_CONTEXT, /* another value in the request, so that `condition` comes out the other way */
    } kind;
    const char *layer;
    struct str policy;
    struct why_statement of;       /* WHY_REMOVE, WHY_CONTEXT */
    struct str statement;
    struct why_condition condition;
    const struct str *values;      /* WHY_CONTEXT: an example that would do; NULL: the key must not be there */
    size_t n_values;
    struct str text;               /* for people */
};

struct policy_why {
    const struct policy_request *request;
    struct policy_decision decision;
    struct str nearest;          /* "statement 2 of P (line 1 column 9) would allow, but …"; or absent */
    struct str sentence;         /* all of it in one line */
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
