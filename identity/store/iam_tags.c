#include "identity/store/iam_tags.h"

json_t *iam_tags_json(const struct iam_tagListType *tags)
{
    if (!tags->n)
        return NULL;
    json_t *pairs = json_array();
    for (size_t i = 0; i < tags->n; i++) {
        json_t *pair = json_array();
        json_array_append_new(pair, json_of(tags->items[i]->key));
        json_array_append_new(pair, json_of(tags->items[i]->value));
        json_array_append_new(pairs, pair);
    }
    return pairs;
}

void iam_tags_parse(struct arena *arena, const json_t *pairs, struct iam_tagListType *out)
{
    size_t n = json_array_size(pairs);
    *out = (struct iam_tagListType){ n > 0, n, ARENA_ARRAY(arena, struct iam_Tag *, n) };
    for (size_t i = 0; i < n; i++) {
        const json_t *pair = json_array_get(pairs, i);
        out->items[i] = ARENA_NEW(arena, struct iam_Tag);
        out->items[i]->key = json_value_str(json_array_get(pair, 0));
        out->items[i]->value = json_value_str(json_array_get(pair, 1));
    }
}
