#include "policy/index.h"

#include <stdlib.h>

/* What fixed text a pattern begins with is its key. A pattern that is fixed text throughout has a NUL behind
 * it, as the request's own key has: so "s3:Get" is no beginning of "s3:GetObject". */
struct filing {
    struct str action, resource;
    uint32_t statement;
};

/* One of the keys, in order. Keys that are beginnings of one another are a chain: from any key, `parent` is
 * the longest shorter one. */
struct row {
    struct str key;
    uint32_t parent; /* row + 1; 0: none */
    uint32_t first, n;
};

struct policy_index {
    struct arena *arena;   /* of the index; the keys are in the set's */
    struct filing *filings; /* in order of action, resource, statement */
    size_t n, filed;       /* filed: statements */
    struct row *actions;   /* first, n: of `resources` */
    struct row *resources; /* first, n: of `filings` */
    uint32_t n_actions;
};

/* A statement with many actions on many resources is filed under what all its resources begin with. */
#define FILINGS_EACH 64

static size_t file(struct arena *arena, const struct statement *statement, uint32_t number, struct filing *out);
static int compare(const void *a, const void *b);
static void merge(struct policy_index *index, const struct policy_index *old, struct filing *fresh, size_t n);
static void build_rows(struct policy_index *index);

void index_update(struct policy_set *set)
{
    struct policy_index *old = set->index;
    size_t from = old ? old->filed : 0, n = 0, room = 0;
    if (set->n_all <= INDEX_FROM)
        return;
    for (size_t i = from; i < set->n_all; i++)
        room += file(NULL, set->all[i].statement, 0, NULL);
    struct arena *arena = arena_new(512 + (room + (old ? old->n : 0)) * (sizeof(struct filing) + 2 * sizeof(struct row)));
    struct filing *fresh = malloc((room + 1) * sizeof *fresh);
    if (!fresh)
        abort(); /* as every allocation of this server */
    for (size_t i = from; i < set->n_all; i++)
        n += file(set->arena, set->all[i].statement, (uint32_t)i, fresh + n);
    qsort(fresh, n, sizeof *fresh, compare);

    struct policy_index *index = ARENA_NEW(arena, struct policy_index);
    index->arena = arena;
    index->filed = set->n_all;
    merge(index, old, fresh, n);
    build_rows(index);
    free(fresh);
    index_free(old);
    set->index = index;
}

void index_free(struct policy_index *index)
{
    if (index)
        arena_free(index->arena);
}

/* --- what a statement is filed under --- */

/* Up to the first wild card or variable; *fixed: that is all. */
static struct str beginning(struct str text, bool *fixed)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '*' || text.ptr[i] == '?' || (text.ptr[i] == '$' && i + 1 < text.len && text.ptr[i + 1] == '{')) {
            *fixed = false;
            return str_sub(text, 0, i);
        }
    *fixed = true;
    return text;
}

/* The NUL that str_copy puts behind its copy becomes part of it. */
static struct str closed(struct arena *arena, struct str text)
{
    text = str_copy(arena, text);
    text.len++;
    return text;
}

static size_t put_lower(char *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] + 32 : text.ptr[i]);
    return text.len;
}

static struct str action_key(struct arena *arena, const struct action_pattern *action)
{
    bool fixed;
    if (action->everything)
        return STR("");
    struct str name = beginning(action->name, &fixed);
    char *bytes = arena_alloc(arena, action->vendor.len + name.len + 2, 1);
    size_t n = put_lower(bytes, action->vendor);
    bytes[n++] = ':';
    n += put_lower(bytes + n, name);
    bytes[n] = '\0';
    return (struct str){ bytes, n + fixed };
}

/* An ARN with parts missing counts them as "*": such a pattern is not fixed, whatever it says. */
static struct str resource_key(struct arena *arena, const struct resource_pattern *resource)
{
    bool fixed;
    struct arn split;
    struct str begin = beginning(resource->text, &fixed);
    return fixed && (resource->arn.loose || arn_split(resource->text, &split)) ? closed(arena, begin) : begin;
}

static struct str common(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.len && n < b.len && a.ptr[n] == b.ptr[n])
        n++;
    return str_sub(a, 0, n);
}

/* The keys of a statement's resources: "" for those that are not told by what they match. */
static size_t resource_keys(struct arena *arena, const struct statement *statement, struct str *keys, bool one)
{
    size_t n = 0;
    bool any = !statement->has_resource || statement->not_resource || statement->n_resources == 0;
    for (size_t i = 0; !any && i < statement->n_resources; i++) {
        any = statement->resources[i].arn.everything;
        struct str key = any ? STR("") : resource_key(arena, &statement->resources[i]);
        if (one && n)
            keys[0] = common(keys[0], key);
        else
            keys[n++] = key;
    }
    if (any)
        keys[0] = STR("");
    return any ? 1 : n;
}

/* out: NULL only counts, at least as many as there will be. */
static size_t file(struct arena *arena, const struct statement *statement, uint32_t number, struct filing *out)
{
    size_t n_actions = statement->not_action || statement->n_actions == 0 ? 1 : statement->n_actions;
    size_t n_resources = statement->n_resources ? statement->n_resources : 1;
    bool one = n_actions * n_resources > FILINGS_EACH;
    if (!out)
        return one ? n_actions : n_actions * n_resources;
    struct str keys[FILINGS_EACH];
    size_t n = 0;
    n_resources = resource_keys(arena, statement, keys, one);
    for (size_t a = 0; a < n_actions; a++) {
        bool all = statement->not_action || statement->n_actions == 0;
        struct str action = all ? STR("") : action_key(arena, &statement->actions[a]);
        for (size_t r = 0; r < n_resources; r++)
            out[n++] = (struct filing){ action, keys[r], number };
    }
    return n;
}

/* --- building --- */

static int compare(const void *a, const void *b)
{
    const struct filing *one = a, *other = b;
    int order = str_cmp(one->action, other->action);
    if (order == 0)
        order = str_cmp(one->resource, other->resource);
    return order ? order : (one->statement > other->statement) - (one->statement < other->statement);
}

static void merge(struct policy_index *index, const struct policy_index *old, struct filing *fresh, size_t n)
{
    size_t n_old = old ? old->n : 0, o = 0, f = 0;
    index->filings = arena_alloc(index->arena, (n_old + n) * sizeof *index->filings, _Alignof(struct filing));
    while (o < n_old || f < n) {
        bool take_old = f == n || (o < n_old && compare(&old->filings[o], &fresh[f]) < 0);
        struct filing *next = take_old ? &old->filings[o++] : &fresh[f++];
        if (index->n == 0 || compare(&index->filings[index->n - 1], next) != 0)
            index->filings[index->n++] = *next;
    }
}

/* The rows before have shorter beginnings of this key at the end of a chain of parents. */
static uint32_t parent_of(const struct row *rows, uint32_t first, uint32_t at)
{
    uint32_t parent = at > first ? at : 0;
    while (parent && !str_starts(rows[at].key, rows[parent - 1].key))
        parent = rows[parent - 1].parent;
    return parent;
}

static void build_rows(struct policy_index *index)
{
    uint32_t n_resources = 0, n_actions = 0;
    index->actions = arena_alloc(index->arena, index->n * sizeof *index->actions, _Alignof(struct row));
    index->resources = arena_alloc(index->arena, index->n * sizeof *index->resources, _Alignof(struct row));
    for (size_t i = 0; i < index->n; i++) {
        const struct filing *filing = &index->filings[i];
        struct row *action = n_actions ? &index->actions[n_actions - 1] : NULL;
        if (!action || !str_eq(action->key, filing->action)) {
            action = &index->actions[n_actions];
            *action = (struct row){ .key = filing->action, .first = n_resources };
            action->parent = parent_of(index->actions, 0, n_actions++);
        }
        struct row *resource = action->n ? &index->resources[n_resources - 1] : NULL;
        if (!resource || !str_eq(resource->key, filing->resource)) {
            resource = &index->resources[n_resources];
            *resource = (struct row){ .key = filing->resource, .first = (uint32_t)i };
            resource->parent = parent_of(index->resources, action->first, n_resources++);
            action->n++;
        }
        resource->n++;
    }
    index->n_actions = n_actions;
}

/* --- asking --- */

/* The row with the longest key that is a beginning of `text`, + 1; 0: none. Of the keys up to `text` the last
 * one has it in its chain: whatever stands between a beginning and the text begins with it, too. */
static uint32_t longest_beginning(const struct row *rows, uint32_t first, uint32_t n, struct str text)
{
    uint32_t low = first, high = first + n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (str_cmp(rows[middle].key, text) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == first)
        return 0;
    size_t shared = common(rows[low - 1].key, text).len;
    uint32_t at = low;
    while (at && rows[at - 1].key.len > shared)
        at = rows[at - 1].parent;
    return at;
}

#define KEY_LOCAL 256

static char *room(struct arena *arena, char local[KEY_LOCAL], size_t bytes)
{
    return bytes <= KEY_LOCAL ? local : arena_alloc(arena, bytes, 1);
}

/* The request's action and resource as keys are: "s3:getobject" and a NUL. */
static struct str asked_action(struct arena *arena, char local[KEY_LOCAL], const struct prepared *prepared)
{
    char *bytes = room(arena, local, prepared->vendor.len + prepared->name.len + 2);
    size_t n = put_lower(bytes, prepared->vendor);
    bytes[n++] = ':';
    n += put_lower(bytes + n, prepared->name);
    bytes[n++] = '\0';
    return (struct str){ bytes, n };
}

static struct str asked_resource(struct arena *arena, char local[KEY_LOCAL], struct str text)
{
    char *bytes = room(arena, local, text.len + 1);
    if (text.len)
        memcpy(bytes, text.ptr, text.len);
    bytes[text.len] = '\0';
    return (struct str){ bytes, text.len + 1 };
}

void candidates_find(struct arena *arena, const struct policy_set *set, const struct prepared *prepared,
                     struct candidates *out)
{
    out->set = set;
    out->next = 0;
    out->more = NULL;
    const struct policy_index *index = set ? set->index : NULL;
    if (!index)
        return;
    size_t words = (set->n_all + 63) / 64;
    if (words > CANDIDATES_LOCAL)
        out->more = arena_alloc(arena, words * sizeof *out->more, _Alignof(uint64_t));
    uint64_t *bits = out->more ? out->more : out->local;
    memset(bits, 0, words * sizeof *bits);

    char action_bytes[KEY_LOCAL], resource_bytes[KEY_LOCAL];
    struct str action = asked_action(arena, action_bytes, prepared);
    struct str resource = asked_resource(arena, resource_bytes, prepared->request->resource);
    uint32_t a = longest_beginning(index->actions, 0, index->n_actions, action), r;
    for (; a; a = index->actions[a - 1].parent) {
        const struct row *row = &index->actions[a - 1];
        for (r = longest_beginning(index->resources, row->first, row->n, resource); r; r = index->resources[r - 1].parent) {
            const struct row *found = &index->resources[r - 1];
            for (uint32_t i = found->first; i < found->first + found->n; i++)
                bits[index->filings[i].statement / 64] |= 1ull << index->filings[i].statement % 64;
        }
    }
}

/* The first number from `next` on whose bit is set. */
static size_t next_bit(const uint64_t *bits, size_t next, size_t n)
{
    while (next < n) {
        uint64_t rest = bits[next / 64] >> next % 64;
        if (rest)
            return next + (size_t)__builtin_ctzll(rest);
        next = (next / 64 + 1) * 64;
    }
    return n;
}

const struct statement *candidates_next(struct candidates *candidates, const struct policy **policy)
{
    const struct policy_set *set = candidates->set;
    if (!set)
        return NULL;
    size_t at = candidates->next;
    if (set->index)
        at = next_bit(candidates->more ? candidates->more : candidates->local, at, set->n_all);
    if (at >= set->n_all)
        return NULL;
    candidates->next = at + 1;
    *policy = set->all[at].policy;
    return set->all[at].statement;
}
