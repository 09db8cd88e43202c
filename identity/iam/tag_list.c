#include "identity/iam/tag_list.h"

#include <stdlib.h>

enum { MAX_TAGS = 50 };

static bool same_key(const struct iam_Tag *tag, struct str key)
{
    return str_eq_nocase(tag->key, key);
}

gh_err tag_list_merge(struct call *call, struct iam_tagListType *have, const struct iam_tagListType *more)
{
    gh_err err = iam_check_tags(call, more);
    if (err)
        return err;
    struct iam_Tag **items = ARENA_ARRAY(call->arena, struct iam_Tag *, have->n + more->n);
    size_t n = 0;
    for (size_t i = 0; i < have->n; i++) {
        bool replaced = false;
        for (size_t t = 0; t < more->n; t++)
            replaced |= same_key(more->items[t], have->items[i]->key);
        if (!replaced)
            items[n++] = have->items[i];
    }
    for (size_t t = 0; t < more->n; t++)
        items[n++] = more->items[t];
    if (n > MAX_TAGS)
        return gh_fail(call->arena, &iam_LimitExceededException, "The number of tags has reached the maximum limit.");
    *have = (struct iam_tagListType){ true, n, items };
    return NULL;
}

void tag_list_remove(struct iam_tagListType *have, const struct iam_tagKeyListType *keys)
{
    size_t n = 0;
    for (size_t i = 0; i < have->n; i++) {
        bool gone = false;
        for (size_t k = 0; k < keys->n; k++)
            gone |= same_key(have->items[i], keys->items[k]);
        if (!gone)
            have->items[n++] = have->items[i];
    }
    have->n = n;
}

static struct str nth_key(const void *items, size_t i)
{
    return ((struct iam_Tag *const *)items)[i]->key;
}

static int by_key(const void *a, const void *b)
{
    return str_cmp((*(struct iam_Tag *const *)a)->key, (*(struct iam_Tag *const *)b)->key);
}

gh_err tag_list_page(struct call *call, const struct iam_tagListType *have, struct str marker,
                     struct opt_i64 max_items, struct iam_tagListType *out, struct opt_bool *truncated,
                     struct str *next)
{
    struct iam_page page;
    gh_err err = iam_page(call, marker, max_items, &page);
    if (err)
        return err;
    struct iam_Tag **sorted = ARENA_ARRAY(call->arena, struct iam_Tag *, have->n);
    if (have->n) {
        memcpy(sorted, have->items, have->n * sizeof *sorted);
        qsort(sorted, have->n, sizeof *sorted, by_key);
    }
    struct iam_cut cut = iam_cut(call, &page, sorted, have->n, nth_key);
    *out = (struct iam_tagListType){ true, cut.n, sorted + cut.first };
    *truncated = some_bool(cut.truncated);
    *next = cut.marker;
    return NULL;
}
