#include "gateway/route.h"

struct route_verb {
    struct str verb;
    const struct gw_method *method;
    struct route_verb *next;
};

/* One resource, or a part of a path on the way to one. */
struct route {
    struct str part;          /* literal text; the parameter's name */
    struct route *children;   /* literals */
    struct route *variable;   /* {name} */
    struct route *greedy;     /* {name+} */
    struct route_verb *verbs;
    struct route *next;       /* sibling */
};

#define MAX_DEPTH 128

struct route *route_new(struct arena *arena)
{
    return ARENA_NEW(arena, struct route);
}

static struct route *child(struct arena *arena, struct route **list, struct str part)
{
    for (; *list; list = &(*list)->next)
        if (str_eq((*list)->part, part))
            return *list;
    *list = ARENA_NEW(arena, struct route);
    (*list)->part = str_copy(arena, part);
    return *list;
}

/* The node for one part below `at`, made when missing. */
static struct route *descend(struct arena *arena, struct route *at, struct str part, bool *greedy, const char **why)
{
    bool variable = part.len > 2 && part.ptr[0] == '{' && part.ptr[part.len - 1] == '}';
    *greedy = variable && part.ptr[part.len - 2] == '+';
    if (!variable)
        return child(arena, &at->children, part);
    struct str name = str_sub(part, 1, part.len - (*greedy ? 3 : 2));
    struct route **place = *greedy ? &at->greedy : &at->variable;
    if (*place && !str_eq((*place)->part, name)) {
        *why = "A sibling of this resource already has a variable path part";
        return NULL;
    }
    return child(arena, place, name);
}

bool route_add(struct arena *arena, struct route *root, struct str path, struct str verb,
               const struct gw_method *method, const char **why)
{
    struct str rest = str_from(path, 1), part;
    struct route *at = root;
    bool greedy = false;
    while (rest.len && str_split(&rest, '/', &part)) {
        if (greedy) {
            *why = "A greedy path part must be the last one";
            return false;
        }
        at = descend(arena, at, part, &greedy, why);
        if (!at)
            return false;
    }
    struct route_verb *entry = ARENA_NEW(arena, struct route_verb);
    *entry = (struct route_verb){ str_copy(arena, verb), method, at->verbs };
    at->verbs = entry;
    return true;
}

static const struct gw_method *method_of(const struct route *route, struct str verb)
{
    const struct gw_method *any = NULL;
    for (const struct route_verb *v = route->verbs; v; v = v->next) {
        if (str_eq(v->verb, verb))
            return v->method;
        if (str_is(v->verb, "ANY"))
            any = v->method;
    }
    return any;
}

static bool bind(struct route_match *out, struct str name, struct str value)
{
    if (out->n_params == ROUTE_MAX_PARAMS)
        return false;
    out->params[out->n_params].name = name;
    out->params[out->n_params++].value = value;
    return true;
}

/* A resource was reached: true ends the search. Without a method for this verb the search goes on,
 * since a less exact resource may have one; when none has, the answer is as recorded: the same 403
 * as for a path that is not there. */
static bool arrive(const struct route *at, struct str verb, struct route_match *out)
{
    if (!at->verbs)
        return false;
    out->resource_found = true;
    out->method = method_of(at, verb);
    return out->method != NULL;
}

/* `rest` is what follows the last '/', absent when the path is used up. */
static bool search(const struct route *at, struct str verb, struct str rest, int depth, struct route_match *out)
{
    size_t bound = out->n_params;
    if (!rest.ptr || depth > MAX_DEPTH)
        return !rest.ptr && arrive(at, verb, out);
    struct str after = rest, part;
    str_split(&after, '/', &part);
    for (const struct route *c = at->children; c; c = c->next)
        if (str_eq(c->part, part) && search(c, verb, after, depth + 1, out))
            return true;
    if (at->variable && part.len && bind(out, at->variable->part, part) &&
        search(at->variable, verb, after, depth + 1, out))
        return true;
    out->n_params = bound;
    if (at->greedy && rest.len && bind(out, at->greedy->part, rest) && arrive(at->greedy, verb, out))
        return true;
    out->n_params = bound;
    return false;
}

void route_find(const struct route *root, struct str verb, struct str path, struct route_match *out)
{
    out->method = NULL;
    out->resource_found = false;
    out->n_params = 0;
    struct str rest = str_from(path, 1);
    if (rest.len && rest.ptr[rest.len - 1] == '/') /* "/a/" is "/a"; recorded: the parameter has no slash */
        rest.len--;
    if (rest.len == 0) {
        arrive(root, verb, out);
        return;
    }
    search(root, verb, rest, 0, out);
}
