#include "gateway/store/docs.h"

gh_err doc_parse(struct arena *arena, struct str text, json_t **out)
{
    struct str why;
    *out = json_parse(arena, text, &why);
    return *out ? NULL : gh_fail(arena, &GH_INTERNAL, "a stored document is damaged: %.*s", STR_FMT(why));
}

gh_err doc_read(struct rows *rows, json_t **out)
{
    *out = NULL;
    struct str text = rows_next(rows) ? rows_str(rows, 0) : STR_NONE;
    struct arena *arena = rows->arena;
    gh_err err = rows_close(rows);
    if (err || !text.ptr)
        return err;
    return doc_parse(arena, text, out);
}

gh_err docs_read(struct rows *rows, struct docs *out)
{
    size_t cap = 0;
    gh_err err = NULL;
    *out = (struct docs){ 0 };
    while (!err && rows_next(rows)) {
        if (out->n == cap) {
            size_t grown = cap ? cap * 2 : 16;
            out->items =
                arena_grow(rows->arena, out->items, cap * sizeof *out->items, grown * sizeof *out->items);
            cap = grown;
        }
        err = doc_parse(rows->arena, rows_str(rows, 0), &out->items[out->n]);
        out->n += err == NULL;
    }
    gh_err close_err = rows_close(rows);
    return err ? err : close_err;
}
