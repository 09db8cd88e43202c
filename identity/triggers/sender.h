/* Custom senders: a function that delivers messages in place of this server. */
#pragma once

#include "identity/messages/message.h"
#include "identity/triggers/trigger.h"

/* Is the message a custom sender's? */
bool trigger_sends(const struct pool *pool, const struct message_order *order);
/* CustomEmailSender, CustomSMSSender: told the code, encrypted under LambdaConfig.KMSKeyID. "Custom sender errors are
 * not seen by the caller." */
void trigger_send_message(struct call *call, const struct pool *pool, const struct user *user,
                          const struct message_order *order);
