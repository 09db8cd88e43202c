/* AWS managed policies: arn:aws:iam::aws:policy/… Documents, versions and dates are AWS's own, one file each in aws/,
 * listed in aws/index.txt. In memory: any thread. */
#pragma once

#include "core/str.h"

struct managed_policy {
    struct str arn;
    const char *path, *name;  /* "/service-role/", "AWSLambdaBasicExecutionRole" */
    const char *document;
    const char *description;  /* "": none */
    int64_t version;          /* 12: v12 is the default version, and the only one here */
    int64_t created_us, updated_us;
};

const struct managed_policy *managed_find(struct str arn); /* NULL: not one of AWS's */
size_t managed_count(void);
const struct managed_policy *managed_at(size_t index); /* by ARN */
