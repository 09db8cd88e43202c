/* Client certificates at rest. A look-up that finds nothing gives NULL in *out and no error. */
#pragma once

#include "core/seal.h"
#include "gateway/store/docs.h"

gh_err certificate_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out);
gh_err certificate_list(struct db *db, struct tx *tx, struct arena *arena, struct str account, struct str region,
                        struct docs *out);
/* The private key in PEM, which the caller wipes; absent when there is no such certificate, or it cannot be unsealed. */
gh_err certificate_key(struct db *db, const struct sealer *sealer, struct arena *arena, struct str id, struct str *pem);
void certificate_insert(struct tx *tx, const struct sealer *sealer, struct api_key key, const json_t *doc, struct str pem);
void certificate_save(struct tx *tx, struct str id, const json_t *doc);
void certificate_delete(struct tx *tx, struct str id);
void certificate_delete_all(struct tx *tx, struct str account);
/* "api/stage" of a stage that shows it, or absent. */
gh_err certificate_used_by(struct db *db, struct tx *tx, struct arena *arena, struct str id, struct str *where);
