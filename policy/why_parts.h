/* What why.c, why_change.c and why_text.c share. */
#pragma once

#include "policy/layers.h"
#include "policy/why.h"

/* What the layers say about a request, all of it, where policy_decide stops at the first deny. */
struct why_case {
    struct arena *arena;
    const struct policy_layers *layers;
    const struct policy_request *request;
    struct layer_row rows[LAYERS];
    struct prepared prepared;
    enum statement_fit best[LAYERS]; /* of the statements that allow */
    size_t allows[LAYERS], denies[LAYERS];
    unsigned required, silent;       /* silent: required, and no statement allows */
};
void why_case_of(struct arena *arena, const struct policy_layers *layers, const struct policy_request *request,
                 struct why_case *out);
/* Nothing to be put right: it is allowed. */
bool why_case_open(const struct why_case *c);
/* The layers that would be silent if layer `i` allowed as far as `fit`. */
unsigned why_case_if(const struct why_case *c, enum layer i, enum statement_fit fit);

enum why_miss why_miss(const struct why_case *c, const struct statement *statement, bool *far);
struct why_statement why_statement(const struct why_case *c, const struct policy *policy, size_t index);
void why_changes(const struct why_case *c, struct policy_why *out);
struct str why_nearest(struct arena *arena, const struct policy_why *why);
struct str why_sentence(struct arena *arena, const struct policy_why *why); /* wants `nearest` */
/* "IpAddress aws:SourceIp [\"10.0.0.0/8\"]", "the request has [\"192.0.2.1\"]" or "it is not in the request". */
struct str why_condition_words(struct arena *arena, const struct why_condition *condition);
struct str why_actual_words(struct arena *arena, const struct why_condition *condition);
