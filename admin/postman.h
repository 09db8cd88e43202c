/* How a user pool's messages leave the house: mail by SMTP, text messages by a hook or an SNS endpoint; in dev
 * mode what has no way out is kept in the outbox. */
#pragma once

#include <stdatomic.h>

#include "admin/outbox.h"
#include "core/http_fetch.h"
#include "core/smtp.h"
#include "gateway/backend/outside.h"
#include "identity/identity.h"

struct postman {
    const struct env *env;
    struct outbox outbox;
    bool keeps;                       /* dev mode */
    struct smtp_server smtp;          /* --smtp, --smtp-ca, --mail-from */
    struct str sms_hook;              /* --sms, or absent */
    const struct gw_endpoint *sns;    /* --endpoint sns=…, or NULL */
    struct http_fetcher *fetcher;
    struct identity *identity;        /* for the role of SmsConfiguration */
    struct str region;
    atomic_ullong sent[2], failed[2]; /* mail, sms */
};

/* For env->send; ctx is the postman. A failure is an error (CodeDeliveryFailureException), a line in the log and
 * counted. */
gh_err postman_send(void *ctx, struct arena *arena, const struct message *message);
void postman_metrics(struct postman *postman, struct strbuf *text);
