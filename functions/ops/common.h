/* What the operations of the lambda service share. */
#pragma once

#include "functions/fleet.h"
#include "functions/package.h"
#include "functions/store/function.h"
#include "wire/call.h"

/* A function as a request names it. */
struct named {
    struct function_id id;
    struct str qualifier; /* absent: none was given, in the name or apart */
    struct str arn;       /* without qualifier */
};

/* With the "Type":"User" that Lambda adds to most errors. */
gh_err lambda_fail(struct call *call, const struct gh_kind *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Errors: InvalidParameterValueException (the two qualifiers differ), ResourceNotFoundException (of another region). */
gh_err named_resolve(struct call *call, struct str function_name, struct str qualifier, struct named *out);
gh_err named_missing(struct call *call, const struct named *named); /* "Function not found: ARN[:QUALIFIER]" */
/* The function's row, or named_missing. */
gh_err named_row(struct call *call, struct tx *tx, const struct named *named, struct function_row *out);
/* The version that the name and qualifier mean, an alias followed; absent qualifier: $LATEST. */
gh_err named_version(struct call *call, struct tx *tx, const struct named *named, struct version_row *out);
struct str new_revision(struct call *call);
struct str modified_now(struct call *call); /* 2024-01-01T00:00:00.000+0000 */
gh_err revision_must_match(struct call *call, struct str given, struct str ours, const char *read_with);
/* How many a list may hold: MaxItems, at most 50. */
int64_t page_size(struct opt_i64 max_items, int64_t most);

/* The version as an answer shows it. qualifier: what follows the ARN, absent: nothing. */
struct lambda_FunctionConfiguration config_shown(struct call *call, const struct version_row *row, struct str qualifier);
/* As rows of lists show it: without states. */
struct lambda_FunctionConfiguration *config_listed(struct call *call, const struct version_row *row, struct str qualifier);
/* Stores and unpacks the zip. The caller holds functions->packages. */
gh_err code_store(struct call *call, struct str zip, struct package *out);
/* The package goes when no version is made of it any more. The caller holds functions->packages. */
void code_drop_unused(struct call *call, struct str code);
struct functions *functions_of(struct call *call);
