/* Resource policies of functions, versions and aliases. Job threads. */
#pragma once

#include "functions/store/function.h"

struct permission_row {
    struct str revision;
    struct str statements; /* JSON list */
};

/* qualifier: "" for the function's own. */
gh_err permission_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id,
                       struct str qualifier, struct permission_row *out, bool *found);
/* The statements as a policy document. */
struct str permission_document(struct arena *arena, struct str statements);
void permission_save(struct tx *tx, const struct function_id *id, struct str qualifier,
                     const struct permission_row *row);
void permission_delete(struct tx *tx, const struct function_id *id, struct str qualifier);
