#include "policy/arn.h"

bool arn_is_account(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len == 12;
}

bool arn_split(struct str text, struct arn *out)
{
    const char *at = text.ptr, *end = text.ptr + text.len;
    *out = (struct arn){ 0 };
    for (size_t i = 0; i < ARN_PARTS - 1; i++) {
        const char *colon = at < end ? memchr(at, ':', (size_t)(end - at)) : NULL;
        out->part[i] = (struct str){ at, (size_t)((colon ? colon : end) - at) };
        if (!colon)
            return false;
        at = colon + 1;
    }
    out->part[ARN_PARTS - 1] = (struct str){ at, (size_t)(end - at) };
    return true;
}

/* As arn_split, but colons inside ${aws:variables} do not count. */
static bool pattern_split(struct str text, struct arn *out)
{
    *out = (struct arn){ 0 };
    size_t part = 0, start = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len && part < ARN_PARTS - 1; i++) {
        char c = text.ptr[i];
        if (inside || (c == '$' && i + 1 < text.len && text.ptr[i + 1] == '{')) {
            inside = c != '}';
        } else if (c == ':') {
            out->part[part++] = str_sub(text, start, i - start);
            start = i + 1;
        }
    }
    out->part[part] = str_from(text, start);
    return part == ARN_PARTS - 1;
}

/* "If you omit a part it counts as *" — what AWS's partition error text prints for a short ARN. */
struct arn_pattern arn_pattern_compile(struct arena *arena, struct str text, bool variables,
                                       bool variables_everywhere)
{
    struct arn_pattern out = { .everything = str_is(text, "*") };
    struct arn split;
    if (out.everything)
        return out;
    struct template *parts = ARENA_ARRAY(arena, struct template, ARN_PARTS);
    out.part = parts;
    out.loose = !pattern_split(text, &split) && !str_starts(text, STR("arn:"));
    if (out.loose) {
        parts[ARN_PARTS - 1] = template_compile(arena, text, variables, true);
        return out;
    }
    bool plain = split.part[ARN_PARTS - 1].ptr && str_find(text, '*') < 0 && str_find(text, '?') < 0 && str_find(text, '$') < 0;
    for (size_t i = 0; i < ARN_PARTS; i++) {
        if (plain) {
            parts[i].text = split.part[i];
            continue;
        }
        struct str part = split.part[i].ptr ? split.part[i] : STR("*");
        bool may_vary = variables && (variables_everywhere || i == ARN_PARTS - 1);
        parts[i] = template_compile(arena, part, may_vary, true);
    }
    return out;
}

static bool part_match(struct arena *arena, const struct template *template, const struct policy_request *request,
                       struct str text)
{
    struct str marked;
    return template_fill(arena, template, request, &marked) && template_match(template, marked, text);
}

bool arn_pattern_match(struct arena *arena, const struct arn_pattern *pattern, const struct policy_request *request,
                       struct str whole, const struct arn *split)
{
    if (pattern->everything)
        return true;
    if (pattern->loose)
        return part_match(arena, &pattern->part[ARN_PARTS - 1], request, whole);
    if (!split->part[ARN_PARTS - 1].ptr)
        return false; /* "*", the resource of actions that have none: only a "*" names it */
    for (size_t i = ARN_PARTS; i-- > 0;) /* the resource part tells most ARNs apart */
        if (!part_match(arena, &pattern->part[i], request, split->part[i]))
            return false;
    return true;
}
