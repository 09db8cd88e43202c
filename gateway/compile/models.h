/* Models: "the data structure of a payload … defined using the JSON schema draft 4". */
#pragma once

#include "core/json.h"
#include "core/jsonschema.h"

/* How one model names another: https://apigateway.amazonaws.com/restapis/{api id}/models/{name}; `host` may be of
 * any region or partition. Absent: this is no such reference. */
struct str model_reference(struct str uri, struct str *api_id);

/* A model of the API's document, with those it refers to. NULL: *why says what is wrong; the text is `arena`'s. */
const struct jsonschema *model_compile(struct arena *arena, const json_t *api, struct str name, struct str *why);
/* The same for a schema that is not stored (yet) under any name. */
const struct jsonschema *model_compile_text(struct arena *arena, const json_t *api, struct str text, struct str *why);
