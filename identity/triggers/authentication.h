/* Triggers around a sign-in: before a password is looked at, and when all was proven. */
#pragma once

#include "identity/signin/sign_in.h"
#include "identity/triggers/trigger.h"

/* Asked about everybody whom a flow found, or, where the client hides who exists, about nobody (userNotFound).
 * "InitiateAuth's ClientMetadata: as validationData". */
gh_err trigger_pre_authentication(const struct sign_in *s);
/* Before the tokens are made: an error, and there are none. "clientMetadata: RespondToAuthChallenge only". */
gh_err trigger_post_authentication(const struct sign_in *s, bool new_device);

/* USER_PASSWORD_AUTH and ADMIN_USER_PASSWORD_AUTH for a name that nobody has: UserMigration may know the person, who is
 * made a user then, with this password; the flow goes on as if the user had been there. Guesses at it count as
 * guesses at a password. Does nothing where the trigger is not set or the user is there.
 * Errors: UserNotFoundException "Exception migrating user in app client X", or "Incorrect username or password." where
 * the client hides who exists. */
gh_err trigger_migrate_sign_in(struct sign_in *s, struct str name, struct str password);
/* ForgotPassword: *user and *found then as if the user had been there. */
gh_err trigger_migrate_forgot(struct call *call, const struct client *client, struct str name, const json_t *metadata,
                              struct user *user, bool *found);
