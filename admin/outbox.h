/* Dev mode keeps mails and text messages instead of sending them. */
#pragma once

#include "core/db.h"
#include "core/seal.h"

struct outbox {
    const struct env *env;
    struct db *db;
    const struct sealer *sealer;
};

/* For env->send; ctx is the outbox. */
gh_err outbox_keep(void *ctx, struct arena *arena, const struct message *message);
/* JSON list, oldest first, of the last 1,000 messages; `to` absent: everybody's.
 * [{"id","to","channel","subject","body","code","link","at"}] */
gh_err outbox_list(const struct outbox *outbox, struct arena *arena, struct str to, struct str *json);
gh_err outbox_clear(const struct outbox *outbox, struct arena *arena, struct str account);
