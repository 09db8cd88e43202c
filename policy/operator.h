/* Condition operators: how a value of a policy is read, and compared with a value of a request. */
#pragma once

#include "core/ip.h"
#include "policy/arn.h"
#include "policy/date.h"

/* A value of a policy, read by its operator. */
struct operand {
    bool valid; /* else it equals nothing: "NumericEquals": "abc" */
    struct template text;
    struct arn_pattern arn;
    union {
        long double number; /* every int64 exactly */
        struct date date;
        struct ip_net net;
        struct str bytes;
        bool flag; /* when `text` has no variables */
    };
};

struct operator {
    const char *name;  /* "StringLike" */
    bool negated;      /* true when no listed value matches: StringNotLike */
    bool is_null;      /* Null looks at the key's presence, not its value */
    bool is_date;      /* the only operands that AWS checks when a policy is written */
    struct operand (*read)(struct arena *arena, struct str text, bool variables);
    bool (*match)(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                  struct str value);
};

const struct operator *operator_find(struct str name); /* NULL: no such operator; case matters */
