/* What the model operations ask of a schema's text. */
#pragma once

#include "core/json.h"

/* Why it is no model, in API Gateway's words; absent: it is one. */
struct str model_schema_errors(struct arena *arena, const json_t *api, struct str schema);
/* "flatten: resolves (true) all external model references and returns a flattened model schema": the models that
 * it names stand in its definitions. */
json_t *model_flattened(struct arena *arena, const json_t *api, const json_t *model);
/* A mapping template that writes what the model describes, from a payload of the same form. */
struct str model_template(struct arena *arena, const json_t *api, const json_t *model);
