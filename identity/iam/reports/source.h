/* Whose policies a simulation asks. */
#pragma once

#include "identity/store/iam_entity.h"
#include "wire/call.h"

/* "arn:aws:iam::1:user/path/name", of a user, group or role of the account. InvalidInput, NoSuchEntity. */
gh_err simulated_source(struct call *call, struct str arn, struct entity *out);
