/* Codes that a user must type to prove an address or a forgotten password. */
#pragma once

#include "identity/messages/message.h"

enum code_purpose { CODE_SIGN_UP, CODE_FORGOT, CODE_VERIFY_EMAIL, CODE_VERIFY_PHONE };

/* A fresh code to order->attribute's address; its code is filled in here. Delivered at once: call it
 * after the commit that made the user. details may be NULL. */
gh_err code_send(struct call *call, const struct pool *pool, const struct user *user,
                 enum code_purpose purpose, const struct message_order *order,
                 struct idp_CodeDeliveryDetailsType **details);
/* One to each address among `given` that the pool verifies and that is not verified. */
gh_err code_send_for_changes(struct call *call, const struct pool *pool, const struct user *user,
                             const struct idp_AttributeListType *given, const struct message_order *order,
                             struct idp_CodeDeliveryDetailsListType *sent);
/* Right, live: dropped in the transaction that the caller commits. *attribute: where it had gone. */
gh_err code_check(struct call *call, const struct user *user, enum code_purpose purpose, struct str code,
                  struct str *attribute);
void code_drop(struct tx *tx, const struct user *user, enum code_purpose purpose);
/* The same for nobody of that name, where a client hides who exists: details made up, stable for a name; a code
 * that nobody has, alive as long as a real one; the time that sending takes. */
gh_err code_send_nobody(struct call *call, const struct pool *pool, struct str name, enum code_purpose purpose,
                        struct idp_CodeDeliveryDetailsType **details);
/* Always an error, the one that a wrong code for somebody gets. */
gh_err code_check_nobody(struct call *call, const struct pool *pool, struct str name, enum code_purpose purpose);
/* Confirms a user who signed up, by the code (signup.c); user NULL: nobody of that name. Errors: those of
 * ConfirmSignUp. */
gh_err sign_up_confirm(struct call *call, const struct client *client, struct user *user, struct str name,
                       struct str code, bool force_alias, const json_t *metadata);
/* "email" or "phone_number", auto-verified by the pool and held by the user; NULL: none. */
const char *code_attribute_to_verify(const struct pool *pool, const struct user *user);
