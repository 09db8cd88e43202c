/* What a call is about, in IAM's words: the resource's ARN and the tags it brings along. */
#pragma once

#include "policy/eval.h"
#include "wire/call.h"

/* Fills in operation->arn (its language: tools/authz.yaml). *shown: what a denial prints instead, or absent.
 */
struct str resource_of(const struct call *call, const void *in, struct str *shown);
/* aws:RequestTag/K and aws:TagKeys. */
void resource_tags(const struct call *call, const void *in, struct policy_context *context);
