/* Access key ids: AKIA… for long-term keys, ASIA… for sessions. As on AWS the account is written
 * into them; the last characters are a check under our own key, so that an id that was issued here
 * is known as such even after it was deleted: in dev mode it must not become root. */
#pragma once

#include "core/env.h"
#include "core/seal.h"

struct str key_id_new(const struct env *env, const struct sealer *sealer, struct arena *arena, const char *prefix,
                      struct str account);
bool key_id_is_ours(const struct sealer *sealer, struct str id);
/* 12 digits; false when it is no access key id. */
bool key_id_account(struct arena *arena, struct str id, struct str *account);
