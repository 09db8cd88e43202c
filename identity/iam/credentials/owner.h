/* Whose credentials an operation is about. */
#pragma once

#include "identity/iam/iam.h"

struct credential_owner {
    struct str id;   /* of the user, or the account for its root */
    struct str name; /* absent for root */
    bool root;
};
/* A named user's, the calling user's, or the calling root's own: root leaves the name out, or gives the number of
 * the account where the model wants a name. Errors: NoSuchEntity, ValidationError. */
gh_err credential_owner(struct call *call, struct tx *tx, struct str user_name, struct credential_owner *out);
