/* What a call is about, in IAM's words: the resource's ARN and the tags it brings along. */
#pragma once

#include "policy/eval.h"
#include "wire/call.h"

/* Fills in operation->arn (its language: tools/authz.yaml). *shown: what a denial prints instead, or absent.
 */
struct str resource_of(const struct call *call, const void *in, struct str *shown);
/* A pattern of that language. Without a member that it names: the caller. */
struct str resource_expand(const struct call *call, const void *in, struct str pattern);

/* What must be allowed besides (operation->also). */
struct resource_ask {
    struct str action, resource;
    struct str service; /* to which a role is passed; or absent */
};
size_t resource_also(const struct call *call, const void *in, struct resource_ask **out);
/* Does it belong to another account than the call's? */
bool resource_is_foreign(const struct call *call, struct str arn);

/* Condition keys that come with the call: aws:RequestTag/K, aws:TagKeys, those of operation->keys. */
void request_keys(const struct call *call, const void *in, struct policy_context *context);
