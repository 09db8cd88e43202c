/* Routes and a path, a line each, the last one the path: whatever they are, adding says yes or why not, and
 * a look-up agrees with the plain way, part by part. */
#include <stdlib.h>

#include "gateway/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 64 };

static bool fits(struct str pattern, struct str path)
{
    struct str a = str_from(pattern, 1), b = str_from(path, 1), want, have;
    if (!a.len)
        a = STR_NONE; /* the root */
    if (b.len && b.ptr[b.len - 1] == '/')
        b.len--;
    if (!b.len)
        b = STR_NONE;
    while (a.ptr && b.ptr) {
        struct str rest = b;
        str_split(&a, '/', &want);
        str_split(&b, '/', &have);
        bool variable = want.len > 2 && want.ptr[0] == '{' && want.ptr[want.len - 1] == '}';
        if (variable && want.ptr[want.len - 2] == '+')
            return rest.len > 0;
        if (variable ? !have.len : !str_eq(want, have))
            return false;
    }
    return !a.ptr && !b.ptr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char methods[MOST];
    struct arena *arena = arena_new(16 * 1024);
    struct route *root = route_new(arena);
    struct route_match match;
    struct str text = { (const char *)data, size }, line = STR(""), added[MOST];
    size_t n = 0;
    const char *why;
    while (str_split(&text, '\n', &line) && text.ptr && n < MOST) {
        struct str path = str_concat(arena, STR("/"), line);
        if (path.len > 1 && path.ptr[path.len - 1] == '/')
            path.len--; /* no resource ends in a slash */
        if (route_add(root, path, STR("GET"), (struct gw_method *)(void *)&methods[n], &why))
            added[n++] = path;
        else if (!why || !*why)
            abort();
    }
    route_seal(arena, root);
    struct str path = str_concat(arena, STR("/"), line);
    route_find(root, STR("GET"), path, &match);
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any = any || fits(added[i], path);
    if (any != (match.method != NULL))
        abort();
    if (match.method && !fits(added[(const char *)(const void *)match.method - methods], path))
        abort();
    for (size_t i = 0; i < match.n_params; i++)
        if (!match.params[i].value.len)
            abort();
    arena_free(arena);
    return 0;
}
