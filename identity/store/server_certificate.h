/* What a server certificate has besides its name, path and tags (iam_entity.h). */
#pragma once

#include "core/db.h"
#include "core/seal.h"

struct server_certificate {
    struct str id;          /* of the entity */
    struct str body, chain; /* PEM as uploaded; chain: or absent */
    int64_t expires_s;
};
gh_err server_certificate_find(struct db *db, struct arena *arena, struct str id, struct server_certificate *out);
/* The private key is sealed: nothing of IAM gives it out again. */
void server_certificate_insert(struct tx *tx, const struct sealer *sealer, const struct server_certificate *certificate,
                               struct str private_key);
