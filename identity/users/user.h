/* A pool's user: found, shown, changed. */
#pragma once

#include "identity/pools/client.h"
#include "identity/store/user.h"

/* Statuses as AWS writes them. */
#define UNCONFIRMED           STR("UNCONFIRMED")
#define CONFIRMED             STR("CONFIRMED")
#define FORCE_CHANGE_PASSWORD STR("FORCE_CHANGE_PASSWORD")
#define RESET_REQUIRED        STR("RESET_REQUIRED")

/* By username, by sub in pools that sign in by attribute, or by another name. */
gh_err user_find(struct call *call, const struct pool *pool, struct str name, struct user *out, bool *found);
/* For Admin operations: UserNotFoundException, "User does not exist." */
gh_err user_load(struct call *call, const struct pool *pool, struct str name, struct user *out);
gh_err admin_user_load(struct call *call, struct str pool_id, struct str name, struct pool *pool,
                       struct user *out);

/* A user who is not there yet, with a fresh sub. Checks the shape of the name and whether it is
 * free. taken: how the operation says that it is not. */
gh_err user_new(struct call *call, const struct pool *pool, struct str name, const char *taken,
                struct user *out);
/* Inserts the user and the other names; UsernameExistsException when somebody was faster. */
gh_err user_insert(struct call *call, struct tx *tx, const struct pool *pool, const struct user *user,
                   bool force_alias, const char *taken);
/* Writes the row and the other names. AliasExistsException. */
gh_err user_save(struct call *call, struct tx *tx, const struct pool *pool, struct user *user,
                 bool force_alias);
/* For whoever changes what names a pool has: is the attribute's value another name to sign in by? All such into the
 * aliases, instead of those that are there. */
bool user_is_also(const struct pool *pool, const struct user *user, const char *attribute);
gh_err user_put_names(struct call *call, struct tx *tx, const struct pool *pool, const struct user *user, bool force,
                      const struct gh_kind *kind);
gh_err user_save_alone(struct call *call, const struct pool *pool, struct user *user);

gh_err user_delete(struct call *call, const struct pool *pool, const struct user *user); /* and every token */
/* Saves, commits, and stops every token of the user: rolled back on error. */
gh_err user_save_and_end_sessions(struct call *call, struct tx *tx, const struct pool *pool,
                                  struct user *user);

/* For operations of strangers: client, secret hash, user. *found false without an error: the client
 * hides who exists, and the operation pretends (signup.c). */
gh_err stranger_find(struct call *call, struct str client_id, struct str username, struct str secret_hash,
                     struct client *client, struct user *user, bool *found);

struct str user_attribute(const struct user *user, const char *name);   /* absent: not set */
bool user_has_verified(const struct user *user, const char *attribute); /* "email", "phone_number" */

/* As answers show it: attributes and sub, those of `wanted` if any, those that `client` may read if given. */
struct idp_AttributeListType user_attributes_shown(struct call *call, const struct user *user,
                                                   const struct client *client,
                                                   const struct idp_SearchedAttributeNamesListType *wanted);
/* The same of a user who does not stay: everything is copied. */
struct idp_UserType *user_shown_kept(struct call *call, const struct user *user,
                                     const struct idp_SearchedAttributeNamesListType *wanted);
struct idp_UserType *user_shown(struct call *call, const struct user *user,
                                const struct idp_SearchedAttributeNamesListType *wanted);

/* ---- attribute.c ---- */
enum attribute_writer { WRITER_SIGN_UP, WRITER_ADMIN_CREATE, WRITER_IMPORT, WRITER_CLIENT, WRITER_ADMIN };
/* Sets what is given, by the schema's rules; changing email or phone_number makes it unverified
 * unless the same call says otherwise (administrators only). */
gh_err attributes_set(struct call *call, const struct pool *pool, const struct client *client,
                      struct user *user, const struct idp_AttributeListType *given,
                      enum attribute_writer writer);
/* Does it fit type and constraints? An empty value does. */
gh_err attribute_check_value(struct call *call, const struct idp_SchemaAttributeType *attribute, struct str value);
gh_err attributes_remove(struct call *call, const struct pool *pool, const struct client *client,
                         struct user *user, const struct idp_AttributeNameListType *names);
/* "Attributes did not conform to the schema: name: The attribute is required\n" */
gh_err attributes_check_required(struct call *call, const struct pool *pool, const struct user *user);
/* ---- pending.c ---- */
struct str user_pending(const struct user *user, const char *attribute); /* absent: none waits for its code */
void user_set_pending(struct user *user, const char *attribute, struct str value); /* "" or absent: none */
/* Must this new address be verified before it takes the place of the one that is there? */
bool pending_waits(const struct pool *pool, const struct user *user, const char *attribute, struct str value);

bool is_email(struct str text);
bool is_phone_number(struct str text);

/* ---- password_policy.c ---- */
gh_err password_check_policy(struct call *call, const struct pool *pool, struct str password);
struct str password_generate(struct call *call, const struct pool *pool); /* conforms to the policy */
/* Verifier and hash into the user, not yet saved. */
gh_err user_set_password(struct call *call, const struct pool *pool, struct user *user, struct str password);
bool user_password_is(struct call *call, const struct user *user, struct str password);
/* After user_password_is said yes: a hash from elsewhere, or of a cost we no longer use, becomes one of ours, and
 * a verifier that is missing is made, so that SRP works from now on. Into the user, not yet saved (*changed). */
gh_err user_renew_password(struct call *call, const struct pool *pool, struct user *user, struct str password,
                           bool *changed);
struct str user_verifier(struct call *call, const struct user *user); /* opened; absent: none */
