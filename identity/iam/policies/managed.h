/* AWS managed policies that users and functions commonly carry: arn:aws:iam::aws:policy/… */
#pragma once

#include "core/str.h"

struct managed_policy {
    const char *path, *name;  /* "/service-role/", "AWSLambdaBasicExecutionRole" */
    const char *document;
    const char *description;
};

const struct managed_policy *managed_find(struct str arn); /* NULL: not one of ours */
size_t managed_count(void);
const struct managed_policy *managed_at(size_t index); /* by name */
