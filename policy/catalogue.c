#include "policy/catalogue.h"

#include <pthread.h>

#include "core/embed.h"
#include "core/glob.h"
#include "policy/arn.h"

static const struct jt *table;

static void read_table(void)
{
    struct str why;
    const struct embedded_file *file = &embedded_services[0];
    table = jt_parse(arena_new(1024 * 1024), (struct str){ file->bytes, file->len }, &why);
}

const struct jt *catalogue(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, read_table);
    return table;
}

static const struct jt *part(struct str service, const char *name)
{
    return jt_get(jt_get(catalogue(), service), str_of(name));
}

bool catalogue_has_service(struct str service)
{
    return !str_is(service, "aws") && jt_get(catalogue(), service) != NULL;
}

/* ---- what was meant ---- */

enum { LONGEST_NAME = 64, NEAR = 2 };

/* Letters to change, add or leave out, without regard to case; NEAR + 1 when the names are too long to ask.
 */
static int distance(struct str a, struct str b)
{
    int row[LONGEST_NAME + 1];
    if (a.len > LONGEST_NAME || b.len > LONGEST_NAME)
        return NEAR + 1;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = (int)j;
    for (size_t i = 0; i < a.len; i++) {
        int corner = row[0];
        row[0] = (int)i + 1;
        for (size_t j = 0; j < b.len; j++) {
            bool same = str_eq_nocase(str_sub(a, i, 1), str_sub(b, j, 1));
            int best = corner + !same;
            corner = row[j + 1];
            if (corner + 1 < best)
                best = corner + 1;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[b.len];
}

static struct str nearest(const struct jt *object, struct str name)
{
    struct str best = STR_NONE;
    int least = NEAR + 1;
    for (uint32_t i = 0; object && i < object->n; i++) {
        struct str one = object->object->members[i].name;
        int far = distance(one, name);
        if (far < least && (size_t)far * 2 < one.len) {
            least = far;
            best = one;
        }
    }
    return best;
}

struct str catalogue_nearest_service(struct str service)
{
    return nearest(catalogue(), service);
}

struct str catalogue_nearest_action(struct str service, struct str action)
{
    return nearest(part(service, "actions"), action);
}

/* ---- actions ---- */

bool catalogue_each_action(struct str pattern, catalogue_action *fn, void *ctx)
{
    bool any = false;
    struct str rest = pattern, vendor;
    bool everything = str_is(pattern, "*");
    str_split(&rest, ':', &vendor); /* without a colon nothing is left, and nothing fits */
    for (uint32_t s = 0; s < catalogue()->n; s++) {
        const struct jt_member *service = &catalogue()->object->members[s];
        const struct jt *actions = jt_get(&service->value, STR("actions"));
        if (!everything && !str_eq_nocase(service->name, vendor))
            continue;
        for (uint32_t i = 0; i < actions->n; i++) {
            struct str name = actions->object->members[i].name;
            if (!everything && !glob_match_nocase(rest, name))
                continue;
            any = true;
            if (!fn(service->name, name, ctx))
                return true;
        }
    }
    return any;
}

/* ---- keys ---- */

static const struct {
    const char *name;
    enum key_type type;
    bool multivalued;
} key_types[] = {
    { "String", KEY_STRING, false },       { "ARN", KEY_ARN, false },
    { "Bool", KEY_BOOL, false },           { "Date", KEY_DATE, false },
    { "Numeric", KEY_NUMERIC, false },     { "IPAddress", KEY_IP, false },
    { "ArrayOfString", KEY_STRING, true }, { "ArrayOfARN", KEY_ARN, true },
    { "ArrayOfBool", KEY_BOOL, true },
};

bool catalogue_key(struct str key, enum key_type *type, bool *multivalued)
{
    struct str rest = key, service;
    str_split(&rest, ':', &service);
    const struct jt *keys = part(service, "keys");
    for (uint32_t i = 0; keys && i < keys->n; i++) {
        const struct jt_member *row = &keys->object->members[i];
        if (!glob_match_nocase(row->name, key))
            continue;
        for (size_t t = 0; t < COUNT(key_types); t++)
            if (str_is(jt_text(&row->value), key_types[t].name)) {
                *type = key_types[t].type;
                *multivalued = key_types[t].multivalued;
                return true;
            }
    }
    return false;
}

/* ---- resources ---- */

/* Is there a text that both patterns match? Row by row over the places in `b` that are reachable. */
static bool overlap(struct arena *arena, struct str a, struct str b)
{
    bool *row = ARENA_ARRAY(arena, bool, b.len + 1);
    row[0] = true;
    for (size_t j = 0; j < b.len && b.ptr[j] == '*'; j++)
        row[j + 1] = true;
    for (size_t i = 0; i < a.len; i++) {
        bool corner = row[0];
        row[0] = row[0] && a.ptr[i] == '*';
        for (size_t j = 0; j < b.len; j++) {
            bool up = row[j + 1];
            char x = a.ptr[i], y = b.ptr[j];
            if (x == '*' || y == '*')
                row[j + 1] = corner || up || row[j];
            else
                row[j + 1] = corner && (x == '?' || y == '?' || x == y);
            corner = up;
        }
    }
    return row[b.len];
}

/* "user/${UserNameWithPath}" becomes "user/" and a star. */
static struct str without_variables(struct arena *arena, struct str text)
{
    struct strbuf out = strbuf_in(arena, text.len);
    while (text.len) {
        ptrdiff_t open = str_find_str(text, STR("${"));
        strbuf_add(&out, str_sub(text, 0, open < 0 ? text.len : (size_t)open));
        if (open < 0)
            break;
        text = str_from(text, (size_t)open);
        ptrdiff_t close = str_find(text, '}');
        strbuf_char(&out, '*');
        text = str_from(text, close < 0 ? text.len : (size_t)close + 1);
    }
    return strbuf_view(&out);
}

static bool like(struct arena *arena, struct str format, const struct arn *arn)
{
    struct arn known;
    if (!arn_split(without_variables(arena, format), &known))
        return false;
    for (int i = 3; i < ARN_PARTS; i++)
        if (!overlap(arena, without_variables(arena, arn->part[i]), known.part[i]))
            return false;
    return true;
}

bool catalogue_has_resource(struct arena *arena, struct str service, struct str arn)
{
    const struct jt *types = part(service, "resources");
    struct arn split;
    if (!types || types->n == 0 || !arn_split(arn, &split))
        return true;
    for (uint32_t i = 0; i < types->n; i++) {
        struct str rest = jt_text(&types->object->members[i].value), format;
        while (str_split(&rest, ',', &format)) /* some types have two forms: "arn:…, arn:…" */
            if (like(arena, str_trim(format), &split))
                return true;
    }
    return false;
}

struct catalogue_parts catalogue_parts(struct str service)
{
    const struct jt *types = part(service, "resources");
    struct catalogue_parts out = { types && types->n, types && types->n, types && types->n };
    for (uint32_t i = 0; types && i < types->n; i++) {
        struct arn arn;
        if (!arn_split(jt_text(&types->object->members[i].value), &arn))
            continue;
        out.region_always &= arn.part[3].len > 0;
        out.region_never &= arn.part[3].len == 0;
        out.account_never &= arn.part[4].len == 0;
    }
    return out;
}
