/* JSON Schema draft 4, as API Gateway validates request bodies: "the models are defined using the JSON schema
 * draft 4". Compiled once, checked many times; a check allocates only for what it complains about.
 *
 * Errors read as those of the validator behind API Gateway, the Java library json-schema-validator: "object has
 * missing required properties ([\"name\"])". Its order, too: the keywords of a value by name, format last; a
 * value's members (by name) and items only while nothing is wrong. Within allOf, anyOf, oneOf and not only the
 * outcome is told.
 *
 * Nothing is ever fetched: a $ref leads into the schema itself, to its draft's own schema or to what `look_up`
 * finds. Work is bounded by steps, not by a clock. */
#pragma once

#include "core/json_tree.h"

struct jsonschema;

/* The schema that a URI without fragment names, or NULL. */
struct jsonschema_names {
    const struct jt *(*look_up)(void *user, struct str uri);
    void *user;
};

/* NULL: *why says what is wrong. The trees must live as long as the result, which is `arena`'s. `names` may be
 * NULL. `uri`: the schema's own, for references to itself; may be absent. */
struct jsonschema *jsonschema_compile(struct arena *arena, const struct jt *schema, struct str uri,
                                      const struct jsonschema_names *names, struct str *why);

/* Is it a schema, by the draft's own schema of schemas? */
bool jsonschema_is_schema(struct arena *arena, const struct jt *schema, struct str *errors);
/* The text of that one: http://json-schema.org/draft-04/schema. */
extern const struct str jsonschema_draft4;

enum jsonschema_verdict {
    JSONSCHEMA_VALID,
    JSONSCHEMA_INVALID,
    JSONSCHEMA_TOO_MUCH, /* more work than a body of this size is given, or a pattern that does not come to an end */
    JSONSCHEMA_LOOP,     /* the schema refers to itself without end */
};
/* `bytes`: the text's length, to which the bound on work grows. *errors: "[one, another]"; at most about 16 KiB. */
enum jsonschema_verdict jsonschema_check(const struct jsonschema *schema, const struct jt *value, size_t bytes,
                                         struct arena *arena, struct str *errors);
