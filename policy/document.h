/* A policy document, compiled for evaluation. Lives in an arena, immutable. */
#pragma once

#include "policy/condition.h"
#include "policy/principal.h"

/* "vendor:Name", compared without case; '*' and '?' in the name. */
struct action_pattern {
    struct str vendor, name;
    bool everything; /* "*" */
};

struct resource_pattern {
    struct arn_pattern arn;
    struct str text; /* as written */
};

struct statement {
    struct str sid;
    struct str effect; /* as written */
    bool deny;
    bool not_principal, not_action, not_resource;
    bool has_principal, has_action, has_resource;
    struct principal_pattern *principals;
    size_t n_principals;
    struct str *action_texts;
    struct action_pattern *actions;
    size_t n_actions;
    struct resource_pattern *resources;
    size_t n_resources;
    struct condition *conditions;
    size_t n_conditions;
};

struct policy {
    struct str name;
    struct str text;    /* the document as it came */
    struct str version; /* absent: as 2008-10-17 */
    struct statement *statements;
    struct policy_position *places; /* where each begins in the text; of a policy in a set */
    size_t n;
};

/* Grammar only. False: *why. What is needed for reading alone goes to `scratch`; the policy borrows `text`. */
bool policy_parse(struct arena *scratch, struct arena *arena, enum policy_use use, struct str text, struct policy *out,
                  struct str *why);
/* What AWS asks beyond grammar, in its order. False: *why. */
bool policy_validate(struct arena *arena, enum policy_use use, const struct policy *policy, struct str *why);

/* Where the first n statements of a document begin: one pass over the text, which has been parsed before. */
void policy_places(struct str text, struct policy_position *places, size_t n);

/* A request with what every statement needs split once. */
struct prepared {
    const struct policy_request *request;
    struct str vendor, name; /* of the action */
    struct arn resource;
    bool bounded; /* the principal has a permissions boundary */
};
void prepare(const struct policy_request *request, struct prepared *out);

enum statement_fit { STATEMENT_SILENT, STATEMENT_TO_ACCOUNT, STATEMENT_TO_ROLE, STATEMENT_APPLIES };
enum statement_fit statement_fit(struct arena *arena, const struct statement *statement,
                                 const struct prepared *prepared);
