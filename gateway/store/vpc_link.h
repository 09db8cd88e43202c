/* VPC links at rest. A look-up that finds nothing gives NULL in *out and no error. */
#pragma once

#include "gateway/store/docs.h"

gh_err vpc_link_load(struct db *db, struct tx *tx, struct arena *arena, struct api_key key, json_t **out);
gh_err vpc_link_list(struct db *db, struct arena *arena, struct str account, struct str region,
                     struct docs *out);
void vpc_link_save(struct tx *tx, struct api_key key, const json_t *link); /* inserts or replaces */
void vpc_link_delete(struct tx *tx, struct str id);
/* Deployed methods that use a link, one after the other:
 *     err = vpc_link_uses_open(&uses, …); while (!err && vpc_link_uses_next(&uses)) … */
struct vpc_link_uses {
    struct str method, resource_id, stage;
    struct str *found;     /* three a use */
    size_t n, at;
};
gh_err vpc_link_uses_open(struct vpc_link_uses *uses, struct db *db, struct tx *tx, struct arena *arena,
                          struct api_key link);
bool vpc_link_uses_next(struct vpc_link_uses *uses);
void vpc_link_delete_all(struct tx *tx, struct str account);
