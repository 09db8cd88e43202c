/* Rows whose columns are JSON documents: the reading that all stores share. */
#pragma once

#include "gateway/store/rest_api.h"

/* Reads the open result to its end, column 0 of each row. Closes it. */
gh_err docs_read(struct rows *rows, struct docs *out);
/* Column 0 of the only row; NULL when there is none. Closes the result. */
gh_err doc_read(struct rows *rows, json_t **out);
gh_err doc_parse(struct arena *arena, struct str text, json_t **out);
