/* Triggers around an account: before it is made, once it is confirmed, when somebody comes from an older system. */
#pragma once

#include "identity/triggers/trigger.h"
#include "identity/users/user.h"

/* "PreSignUp_SignUp", "PreSignUp_AdminCreateUser": before the user is there. Its answer into the user: confirmed,
 * addresses verified (*verified: then aliases move to this user); of AdminCreateUser it is not read.
 * Errors: trigger_run's: nothing was made; InvalidParameterException: told to verify an address that is not there. */
gh_err trigger_pre_sign_up(struct call *call, const struct pool *pool, const struct client *client, struct user *user,
                           const struct idp_AttributeListType *validation, const json_t *metadata, bool *verified);
/* "PostConfirmation_ConfirmSignUp", "..._ConfirmForgotPassword": after the commit. An error is the operation's, but what
 * was confirmed stays so. client NULL: AdminConfirmSignUp. */
gh_err trigger_post_confirmation(struct call *call, const struct client *client, const struct pool *pool,
                                 const struct user *user, const char *source, const json_t *metadata);
