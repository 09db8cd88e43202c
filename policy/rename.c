/* A policy names principals by ARN and means them, not their names: when one is renamed or goes, the document
 * follows. */
#include "core/json.h"
#include "policy/eval.h"

static bool rename_in(json_t *holder, const char *name, struct str from, struct str to)
{
    json_t *value = json_object_get(holder, name), *item;
    bool changed = false;
    size_t i;
    if (json_is_string(value) && str_eq(json_value_str(value), from))
        changed = json_object_set_new(holder, name, json_of(to)) == 0;
    json_array_foreach(value, i, item)
        if (str_eq(json_value_str(item), from))
            changed = json_array_set_new(value, i, json_of(to)) == 0 || changed;
    return changed;
}

struct str policy_rename_principal(struct arena *arena, struct str document, struct str from, struct str to)
{
    struct str why;
    json_t *root = json_parse(arena, document, &why), *all = json_object_get(root, "Statement");
    bool changed = false, single = json_is_object(all);
    for (size_t i = 0; i < (single ? 1 : json_array_size(all)); i++) {
        json_t *one = single ? all : json_array_get(all, i);
        changed = rename_in(json_object_get(one, "Principal"), "AWS", from, to) || changed;
        changed = rename_in(json_object_get(one, "NotPrincipal"), "AWS", from, to) || changed;
    }
    return changed ? json_print(arena, root) : document;
}
