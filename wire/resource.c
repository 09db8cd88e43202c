#include "wire/resource.h"

#include "core/uri.h"
#include "wire/member_path.h"

/* "arn:…:function:" before a name that may itself be "123456789012:function:name". */
static struct str without_repeated_head(struct str head, struct str value)
{
    if (!str_ends(head, STR(":")) || str_starts(value, STR("arn:")))
        return value;
    struct str before = str_sub(head, 0, head.len - 1);
    struct str label = str_from(head, (size_t)(str_find_last(before, ':') + 1)); /* "function:" */
    ptrdiff_t at = str_find_str(value, label);
    return at < 0 ? value : str_from(value, (size_t)at + label.len);
}

/* The value of {Name} after `head`. False: there is none. */
static bool fill_in(const struct call *call, const void *in, struct str name, struct str head,
                    struct str *value)
{
    if (str_is(name, "p") || str_is(name, "r") || str_is(name, "a")) {
        *value = name.ptr[0] == 'p' ? call->partition : name.ptr[0] == 'r' ? call->region : call->account;
        return true;
    }
    bool encoded = str_starts(name, STR("%"));
    *value = member_text(call->arena, call->operation->in, in, encoded ? str_from(name, 1) : name);
    if (encoded) {
        *value = value->ptr ? uri_encode(call->arena, *value, false) : STR_NONE;
        return value->ptr != NULL;
    }
    if (str_is(name, "Path") && !value->ptr)
        *value = STR("/");
    if (!value->ptr)
        return false;
    if (str_starts(*value, STR("https://"))) /* a provider's ARN has its URL without the scheme */
        *value = str_from(*value, 8);
    *value = without_repeated_head(head, *value);
    return true;
}

/* GetUser without UserName concerns the caller; of others the operation itself will say what is missing. */
static struct str whose(const struct call *call)
{
    bool caller = call->principal && str_starts(str_of(call->operation->action), STR("iam:"));
    return caller ? call->principal->arn : STR("*");
}

struct str resource_expand(const struct call *call, const void *in, struct str pattern)
{
    struct strbuf arn = strbuf_in(call->arena, 128);
    while (pattern.len) {
        ptrdiff_t open = str_find(pattern, '{'), optional = str_find(pattern, '[');
        if (optional >= 0 && (open < 0 || optional < open)) {
            ptrdiff_t end = str_find(pattern, ']');
            struct str part = str_sub(pattern, (size_t)optional + 1, (size_t)(end - optional - 1)), value;
            struct str literal = str_sub(part, 0, (size_t)str_find(part, '{'));
            strbuf_add(&arn, str_sub(pattern, 0, (size_t)optional));
            if (fill_in(call, in, str_sub(part, literal.len + 1, part.len - literal.len - 2), STR(""),
                        &value)) {
                strbuf_add(&arn, literal);
                strbuf_add(&arn, value);
            }
            pattern = str_from(pattern, (size_t)end + 1);
            continue;
        }
        strbuf_add(&arn, str_sub(pattern, 0, open < 0 ? pattern.len : (size_t)open));
        if (open < 0)
            break;
        ptrdiff_t close = str_find(pattern, '}');
        struct str value;
        if (!fill_in(call, in, str_sub(pattern, (size_t)open + 1, (size_t)(close - open - 1)),
                     strbuf_view(&arn), &value))
            return whose(call);
        if (str_starts(value, STR("arn:")))    /* a whole ARN is the resource */
            arn.len = 0;
        strbuf_add(&arn, value);
        pattern = str_from(pattern, (size_t)close + 1);
    }
    return strbuf_view(&arn);
}

/* The next of a row's parts: "a|b|c". Absent after the last. */
static struct str part_of(struct str *row)
{
    struct str part;
    return str_split(row, '|', &part) ? part : STR_NONE;
}

size_t resource_also(const struct call *call, const void *in, struct resource_ask **out)
{
    size_t n = 0, cap = 0;
    *out = NULL;
    for (const char *const *also = call->operation->also; also && *also; also++) {
        struct str row = str_of(*also), action = part_of(&row), when = part_of(&row), where = part_of(&row);
        struct member_values sent = member_values(call->arena, call->operation->in, in, when);
        struct str service = part_of(&row), fixed = str_is(where, "@") ? STR_NONE : resource_expand(call, in, where);
        size_t more = fixed.ptr && sent.n ? 1 : sent.n;
        if (n + more > cap) {
            struct resource_ask *grown = ARENA_ARRAY(call->arena, struct resource_ask, cap = (n + more) * 2);
            if (n)
                memcpy(grown, *out, n * sizeof *grown);
            *out = grown;
        }
        for (size_t i = 0; i < more; i++)
            if (fixed.ptr || sent.items[i].len)
                (*out)[n++] = (struct resource_ask){ action, fixed.ptr ? fixed : sent.items[i], service };
    }
    return n;
}

bool resource_is_foreign(const struct call *call, struct str arn)
{
    struct str rest = arn, part = STR_NONE;
    for (int i = 0; i < 5; i++)
        if (!str_split(&rest, ':', &part))
            return false;
    return part.len == 12 && !str_eq(part, call->account);
}

struct str resource_of(const struct call *call, const void *in, struct str *shown)
{
    struct str pattern = str_of(call->operation->arn);
    ptrdiff_t bar = str_find(pattern, '|');
    *shown = bar < 0 ? STR_NONE : resource_expand(call, in, str_from(pattern, (size_t)bar + 1));
    return resource_expand(call, in, bar < 0 ? pattern : str_sub(pattern, 0, (size_t)bar));
}
