/* Triggers of messages: CustomMessage words one, custom senders deliver it. */
#pragma once

#include "identity/messages/message.h"
#include "identity/triggers/trigger.h"

/* What is to be said; what is not custom stays as it is. */
struct wording {
    struct str subject, text;
};
/* CustomMessage, where it is set. A text without the code's placeholder (and, inviting, the username's) is not taken.
 * Errors: trigger_run's; InvalidLambdaResponseException: "SMS at most 140 characters, e-mail 20 000, subject 140". */
gh_err trigger_word_message(struct call *call, const struct pool *pool, const struct user *user,
                            const struct message_order *order, bool by_link, struct wording *wording);

/* "CustomMessage_SignUp" */
const char *wording_source(struct call *call, enum trigger trigger, const struct message_order *order);
