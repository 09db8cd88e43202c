/* How it is done: all resources of one shape (how many parts, and which of them are parameters) are told
 * apart by one hash over their literal parts. A look-up splits the path, hashes its parts once, and asks
 * for each shape of that length, the more exact first, whether there is such a resource: one slot, one
 * record. Among ten thousand routes it is the processor's cache that decides, so a record holds all that
 * a look-up reads, in one piece.
 *
 * Shapes are ordered part by part (literal, parameter, greedy), which is the order in which somebody who
 * goes down the tree of resources would find them. */
#include "gateway/route.h"

#include <stdlib.h>
#include <string.h>

#include "core/map.h"

enum { MAX_PARTS = 64, UNIT = 8, LONGEST_PATH = 60000 };

struct verb {
    uint64_t key; /* verb_key */
    const struct gw_method *method;
};

struct shape {
    uint32_t n;        /* parts before a greedy one */
    bool greedy;
    uint64_t variable; /* bit i: part i is a parameter */
};

/* A resource as it is found: then the parts' lengths (a greedy one's, too), their text without slashes,
 * and the verbs. */
struct record {
    const struct gw_method *any;
    uint32_t verbs_at; /* bytes from the record's begin */
    uint16_t n_verbs, n_lens;
    uint16_t lens[];
};

struct slot {
    uint32_t tag, at; /* upper half of the hash; units into records, 0: empty */
};

/* While routes are added. */
struct pending {
    struct str path;
    struct shape shape;
    uint64_t hash;
    const struct gw_method *any;
    struct verb *verbs;
    size_t n_verbs;
    struct pending *next;
};
struct building {
    struct arena *arena;
    struct map *by_path;   /* -> struct pending */
    struct map *variables; /* "/pets/{" -> the name, as a struct str */
    struct pending *first;
    size_t n;
};

struct route {
    struct shape *shapes;
    size_t n_shapes;
    uint32_t deepest;      /* most parts of a shape */
    struct slot *slots;
    uint64_t mask;
    const uint64_t *records;
    struct building *building; /* NULL once it is sealed */
};

/* --- hashing. Only the API's owner puts paths in, so that nobody can aim for collisions. --- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    __uint128_t product = (__uint128_t)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *at, size_t bytes)
{
    uint64_t value = 0;
    memcpy(&value, at, bytes);
    return value;
}

static uint64_t part_hash(struct str part)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ part.len;
    const char *at = part.ptr;
    size_t left = part.len;
    for (; left > 8; at += 8, left -= 8)
        hash = mix(hash ^ load(at, 8), 0xa0761d6478bd642fu);
    return mix(hash ^ load(at, left), 0xe7037ed1a0b428dbu);
}

static uint64_t shape_hash(const struct shape *shape, const uint64_t *parts)
{
    uint64_t hash = 0x8ebc6af09c88c6e3u + shape->n * 2 + shape->greedy;
    for (uint32_t i = 0; i < shape->n; i++)
        hash = mix(hash ^ (shape->variable >> i & 1 ? 0x589965cc75374cc3u : parts[i]), 0xa0761d6478bd642fu);
    return hash;
}

/* A verb is a number: its bytes, of which no method that can be configured has more than eight. */
static uint64_t verb_key(struct str verb)
{
    return verb.len > 8 ? 0 : load(verb.ptr, verb.len);
}

/* --- adding --- */

static void drop_building(void *ptr)
{
    struct route *root = ptr;
    if (!root->building)
        return;
    map_free(root->building->by_path, NULL);
    map_free(root->building->variables, NULL);
    arena_free(root->building->arena);
    root->building = NULL;
}

struct route *route_new(struct arena *arena)
{
    struct route *root = ARENA_NEW(arena, struct route);
    struct arena *own = arena_new(4096);
    root->building = ARENA_NEW(own, struct building);
    *root->building = (struct building){ .arena = own, .by_path = map_new(), .variables = map_new() };
    arena_defer(arena, drop_building, root);
    return root;
}

/* A resource has one parameter below it, under one name. */
static bool only_name(struct building *b, struct str prefix, struct str name)
{
    struct str *known = map_get(b->variables, prefix);
    if (known)
        return str_eq(*known, name);
    known = ARENA_NEW(b->arena, struct str);
    *known = str_copy(b->arena, name);
    map_set(b->variables, prefix, known);
    return true;
}

/* Finds the shape and the hash of `path`, or says what is wrong with it. */
static bool understand(struct building *b, struct str path, struct pending *out, const char **why)
{
    struct str rest = str_from(path, 1), part;
    uint64_t parts[MAX_PARTS];
    int params = 0;
    struct shape *shape = &out->shape;
    while (rest.len && str_split(&rest, '/', &part)) {
        bool variable = part.len > 2 && part.ptr[0] == '{' && part.ptr[part.len - 1] == '}';
        bool greedy = variable && part.ptr[part.len - 2] == '+';
        struct str prefix = { path.ptr, (size_t)(part.ptr - path.ptr) + 1 }; /* with the '{' */
        *why = !part.len || (rest.ptr && !rest.len) ? "A path part is empty"
               : shape->greedy          ? "A greedy path part must be the last one"
               : shape->n == MAX_PARTS  ? "A path has more than 64 parts"
               : variable && ++params > ROUTE_MAX_PARAMS ? "A path has more than 32 parameters"
                                        : NULL;
        if (*why)
            return false;
        if (variable && !only_name(b, greedy ? str_concat(b->arena, prefix, STR("+")) : prefix, part)) {
            *why = "A sibling of this resource already has a variable path part";
            return false;
        }
        shape->greedy = greedy;
        shape->variable |= (uint64_t)(variable && !greedy) << (shape->n & 63);
        if (!greedy)
            parts[shape->n++] = variable ? 0 : part_hash(part);
    }
    out->hash = shape_hash(shape, parts);
    return true;
}

static struct pending *pending_of(struct building *b, struct str path, const char **why)
{
    struct pending *found = map_get(b->by_path, path), made = { 0 };
    if (found)
        return found;
    *why = "A path is too long";
    if (path.len > LONGEST_PATH || !understand(b, path, &made, why))
        return NULL;
    made.path = str_copy(b->arena, path);
    made.next = b->first;
    b->first = ARENA_NEW(b->arena, struct pending);
    *b->first = made;
    b->n++;
    map_set(b->by_path, path, b->first);
    return b->first;
}

bool route_add(struct route *root, struct str path, struct str verb, const struct gw_method *method, const char **why)
{
    struct building *b = root->building;
    struct pending *at = pending_of(b, path, why);
    if (!at)
        return false;
    if (str_is(verb, "ANY")) {
        at->any = method;
        return true;
    }
    at->verbs = arena_grow(b->arena, at->verbs, at->n_verbs * sizeof *at->verbs, (at->n_verbs + 1) * sizeof *at->verbs);
    at->verbs[at->n_verbs++] = (struct verb){ verb_key(verb), method };
    return true;
}

/* --- sealing --- */

/* Literal, parameter, greedy: 0, 1, 2; past the end: 3. */
static int kind_at(const struct shape *shape, uint32_t i)
{
    if (i < shape->n)
        return (int)(shape->variable >> i & 1);
    return i == shape->n && shape->greedy ? 2 : 3;
}

static int by_exactness(const void *a, const void *b)
{
    const struct shape *one = a, *other = b;
    for (uint32_t i = 0; i <= MAX_PARTS; i++)
        if (kind_at(one, i) != kind_at(other, i))
            return kind_at(one, i) - kind_at(other, i);
    return 0;
}

static void collect_shapes(struct route *root, struct arena *arena)
{
    struct building *b = root->building;
    struct shape *all = ARENA_ARRAY(b->arena, struct shape, b->n + 1);
    size_t n = 0, kept = 0;
    for (const struct pending *p = b->first; p; p = p->next)
        all[n++] = p->shape;
    qsort(all, n, sizeof *all, by_exactness);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || by_exactness(&all[i - 1], &all[i]) != 0)
            all[kept++] = all[i];
    root->shapes = ARENA_ARRAY(arena, struct shape, kept + 1);
    memcpy(root->shapes, all, kept * sizeof *all);
    root->n_shapes = kept;
    for (size_t i = 0; i < kept; i++)
        root->deepest = all[i].n > root->deepest ? all[i].n : root->deepest;
}

static size_t round_up(size_t bytes)
{
    return (bytes + UNIT - 1) / UNIT * UNIT;
}

static size_t record_bytes(const struct pending *p)
{
    size_t n_lens = p->shape.n + p->shape.greedy;
    return round_up(sizeof(struct record) + n_lens * sizeof(uint16_t) + p->path.len) + p->n_verbs * sizeof(struct verb);
}

static void write_record(struct record *record, const struct pending *p)
{
    struct str rest = str_from(p->path, 1), part;
    uint32_t n_lens = p->shape.n + p->shape.greedy;
    char *text = (char *)(record->lens + n_lens);
    record->any = p->any;
    record->n_verbs = (uint16_t)p->n_verbs;
    record->n_lens = (uint16_t)n_lens;
    record->verbs_at = (uint32_t)(record_bytes(p) - p->n_verbs * sizeof(struct verb));
    for (uint32_t i = 0; i < n_lens && str_split(&rest, '/', &part); i++) {
        record->lens[i] = (uint16_t)part.len;
        memcpy(text, part.ptr, part.len);
        text += part.len;
    }
    if (p->n_verbs)
        memcpy((char *)record + record->verbs_at, p->verbs, p->n_verbs * sizeof *p->verbs);
}

void route_seal(struct arena *arena, struct route *root)
{
    struct building *b = root->building;
    size_t bytes = UNIT, n_slots = 4, used = 1;
    for (const struct pending *p = b->first; p; p = p->next)
        bytes += record_bytes(p);
    while (n_slots < b->n * 2)
        n_slots *= 2;
    collect_shapes(root, arena);
    uint64_t *records = ARENA_ARRAY(arena, uint64_t, bytes / UNIT);
    root->records = records;
    root->slots = ARENA_ARRAY(arena, struct slot, n_slots);
    root->mask = n_slots - 1;
    for (const struct pending *p = b->first; p; p = p->next) {
        uint64_t i = p->hash & root->mask;
        while (root->slots[i].at)
            i = (i + 1) & root->mask;
        root->slots[i] = (struct slot){ (uint32_t)(p->hash >> 32), (uint32_t)used };
        write_record((struct record *)(void *)&records[used], p);
        used += record_bytes(p) / UNIT;
    }
    drop_building(root);
}

/* --- looking up --- */

struct split {
    struct str parts[MAX_PARTS];
    uint64_t hashes[MAX_PARTS];
    uint32_t n;
    struct str more; /* what follows them; absent: nothing */
    const char *end;
};

static void split_path(struct str path, uint32_t deepest, struct split *out)
{
    const char *at = path.ptr;
    out->end = path.ptr ? path.ptr + path.len : NULL;
    out->n = 0;
    out->more = path;
    while (out->more.ptr && out->n < deepest) {
        while (at < out->end && *at != '/')
            at++;
        struct str part = { out->more.ptr, (size_t)(at - out->more.ptr) };
        out->parts[out->n] = part;
        out->hashes[out->n++] = part_hash(part);
        out->more = at < out->end ? (struct str){ at + 1, (size_t)(out->end - at - 1) } : STR_NONE;
        at = out->more.ptr;
    }
}

/* What a greedy part behind `n` others takes; absent: nothing is there. */
static struct str rest_behind(const struct split *split, uint32_t n)
{
    const char *begin = n < split->n ? split->parts[n].ptr : n == split->n ? split->more.ptr : NULL;
    return begin ? (struct str){ begin, (size_t)(split->end - begin) } : STR_NONE;
}

/* Do the literal parts agree, and are the parameters not empty? Fills in the parameters. */
static bool agrees(const struct record *record, const struct shape *shape, const struct split *split,
                   struct route_match *out)
{
    const char *text = (const char *)(record->lens + record->n_lens);
    size_t n = 0;
    if (record->n_lens != shape->n + shape->greedy)
        return false;
    for (uint32_t i = 0; i < shape->n; text += record->lens[i], i++) {
        struct str part = split->parts[i];
        if (shape->variable >> i & 1) {
            if (!part.len)
                return false;
            out->params[n].name = (struct str){ text + 1, record->lens[i] - 2u };
            out->params[n++].value = part;
        } else if (part.len != record->lens[i] || memcmp(part.ptr, text, part.len) != 0) {
            return false;
        }
    }
    if (shape->greedy) {
        out->params[n].name = (struct str){ text + 1, record->lens[shape->n] - 3u };
        out->params[n++].value = rest_behind(split, shape->n);
    }
    out->n_params = n;
    return true;
}

static const struct gw_method *method_of(const struct record *record, uint64_t verb)
{
    const struct verb *verbs = (const struct verb *)(const void *)((const char *)record + record->verbs_at);
    for (uint16_t i = 0; i < record->n_verbs; i++)
        if (verbs[i].key == verb)
            return verbs[i].method;
    return record->any;
}

static const struct record *find(const struct route *root, const struct shape *shape, const struct split *split,
                                 struct route_match *out)
{
    uint64_t hash = shape_hash(shape, split->hashes);
    for (uint64_t i = hash & root->mask; root->slots[i].at; i = (i + 1) & root->mask) {
        const struct record *record = (const struct record *)(const void *)&root->records[root->slots[i].at];
        if (root->slots[i].tag == (uint32_t)(hash >> 32) && agrees(record, shape, split, out))
            return record;
    }
    return NULL;
}

/* "ANY covers DELETE GET HEAD OPTIONS PATCH POST PUT", and no other method can be created. */
static bool is_verb(struct str verb)
{
    static const char *const verbs[] = { "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD" };
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_is(verb, verbs[i]))
            return true;
    return false;
}

/* A resource without a method for this verb does not end the search, since a less exact one may have
 * it; when none has, the answer is as recorded: the same 403 as for a path that is not there. */
void route_find(const struct route *root, struct str verb, struct str path, struct route_match *out)
{
    struct split split;
    uint64_t key = verb_key(verb);
    out->method = NULL;
    out->resource_found = false;
    struct str rest = str_from(path, 1);
    if (rest.len && rest.ptr[rest.len - 1] == '/') /* "/a/" is "/a"; recorded: the parameter has no slash */
        rest.len--;
    split_path(rest.len ? rest : STR_NONE, root->deepest, &split);
    for (size_t i = 0; i < root->n_shapes; i++) {
        const struct shape *shape = &root->shapes[i];
        bool fits = shape->greedy ? rest_behind(&split, shape->n).len > 0 : shape->n == split.n && !split.more.ptr;
        const struct record *record = fits ? find(root, shape, &split, out) : NULL;
        if (!record)
            continue;
        out->resource_found = true;
        out->method = method_of(record, key);
        if (out->method == record->any && !is_verb(verb))
            out->method = NULL;
        if (out->method)
            return;
    }
    out->n_params = 0;
}
