/* A document under examination: what the checks of this folder share. */
#pragma once

#include "core/json_tree.h"
#include "policy/catalogue.h"
#include "policy/lint/lint.h"

enum { LINT_PATH = 8 }; /* Statement, 0, Condition, StringLike, aws:userid, 0 */

struct lint {
    struct arena *arena;
    enum policy_use use;
    struct str text;
    const struct jt *root;
    bool variables; /* Version 2012-10-17 */
    struct json_step path[LINT_PATH];
    size_t depth;
    struct policy_finding *findings;
    size_t n, cap;
};

void lint_into(struct lint *lint, struct str name);
void lint_at(struct lint *lint, size_t index);
void lint_out(struct lint *lint);

/* About the value at the present path; lint_found_name about the last member's name. */
void lint_found(struct lint *lint, enum policy_finding_type type, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void lint_found_name(struct lint *lint, enum policy_finding_type type, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Calls fn with each string of a value that is one string or a list of them, at its place. */
void lint_each(struct lint *lint, const struct jt *value, void (*fn)(struct lint *, struct str, void *),
               void *ctx);
/* Whether any string of such a value fits. */
bool lint_any(const struct jt *value, bool (*fits)(struct str));

/* The checks, each of one element of a statement. `statement` is an object. */
void lint_actions(struct lint *lint, const struct jt *statement);
void lint_resources(struct lint *lint, const struct jt *statement);
void lint_principals(struct lint *lint, const struct jt *statement);
void lint_conditions(struct lint *lint, const struct jt *statement);
void lint_risks(struct lint *lint,
                const struct jt *statement); /* what it lets pass: roles, service-linked roles */
void lint_repetition(struct lint *lint, const struct jt *statements); /* of the whole policy */
/* ${...} of a text where variables may stand (or may not). */
void lint_variables(struct lint *lint, struct str text, bool supported);
