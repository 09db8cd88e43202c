/* Mail and SMS to a user of a pool: which template, filled in, to whom, by which way. */
#pragma once

#include "identity/users/user.h"

/* What a message is for; AWS's trigger sources end in these words ("CustomMessage_SignUp"). */
enum message_kind {
    MESSAGE_SIGN_UP,
    MESSAGE_ADMIN_CREATE, /* code: the temporary password */
    MESSAGE_RESEND,
    MESSAGE_FORGOT,
    MESSAGE_UPDATE_ATTRIBUTE,
    MESSAGE_VERIFY_ATTRIBUTE,
    MESSAGE_AUTHENTICATION,
    MESSAGE_ACCOUNT_TAKEOVER, /* subject and text are the caller's; no code */
    MESSAGE_KINDS,
};

struct message_order {
    enum message_kind kind;
    const char *attribute;  /* "email" or "phone_number": the way, and the address unless `to` is given */
    struct str to;          /* another address than the user's present one, or absent */
    struct str code;        /* what the person must type */
    struct str subject, text;  /* of MESSAGE_ACCOUNT_TAKEOVER, its marks filled in but {username} */
    struct str from, reply_to; /* other than the pool's; absent: the pool's */
    const json_t *metadata; /* ClientMetadata, or NULL */
    const struct client *client; /* or NULL: an administrator's doing */
};

static inline bool message_is_mail(const struct message_order *order)
{
    return strcmp(order->attribute, "email") == 0;
}

/* Delivered, or an error: CodeDeliveryFailureException. Call it after the commit that made the user
 * and the code. details may be NULL. */
gh_err message_send(struct call *call, const struct pool *pool, const struct user *user,
                    const struct message_order *order, struct idp_CodeDeliveryDetailsType **details);

/* Where a code went, masked: "j***@e***", "+*******9878". */
struct idp_CodeDeliveryDetailsType *delivery_details(struct call *call, const char *attribute,
                                                     struct str address);
struct str address_masked(struct call *call, const char *attribute, struct str address);
