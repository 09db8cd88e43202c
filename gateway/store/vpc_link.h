/* VPC links at rest. A look-up that finds nothing gives NULL in *out and no error. */
#pragma once

#include "gateway/store/docs.h"

gh_err vpc_link_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out);
gh_err vpc_link_list(struct db *db, struct arena *arena, struct str account, struct str region,
                     struct docs *out);
void vpc_link_save(struct tx *tx, struct api_key key, const json_t *link); /* inserts or replaces */
void vpc_link_delete(struct tx *tx, struct str id);
void vpc_link_delete_all(struct tx *tx, struct str account);
