#include "core/json_place.h"

static size_t skip_space(struct str text, size_t at)
{
    while (at < text.len && strchr(" \t\r\n", text.ptr[at]))
        at++;
    return at;
}

static size_t after_string(struct str text, size_t at)
{
    for (at++; at < text.len && text.ptr[at] != '"'; at++)
        if (text.ptr[at] == '\\')
            at++;
    return at + 1;
}

static size_t after_value(struct str text, size_t at)
{
    size_t depth = 0;
    do {
        if (text.ptr[at] == '"') {
            at = after_string(text, at);
            continue;
        }
        char c = text.ptr[at];
        if ((c == ',' || c == ':' || strchr(" \t\r\n", c)) && depth == 0)
            return at;
        if (c == '}' || c == ']') {
            if (depth == 0)
                return at;
            depth--;
        }
        depth += c == '{' || c == '[';
        at++;
    } while (at < text.len && (depth > 0 || !strchr("}] \t\r\n,:", text.ptr[at])));
    return at;
}

/* A name of a document may be written with escapes; such a one is not found, which costs a position. */
static bool enter(struct str text, const struct json_step *step, struct json_spot *name, size_t *at)
{
    size_t i = skip_space(text, *at), count = 0;
    bool object = i < text.len && text.ptr[i] == '{';
    if (i >= text.len || object != (step->name.ptr != NULL) || (!object && text.ptr[i] != '['))
        return false;
    for (i = skip_space(text, i + 1); i < text.len && text.ptr[i] != '}' && text.ptr[i] != ']';) {
        if (object) {
            *name = (struct json_spot){ i, after_string(text, i) };
            i = skip_space(text, skip_space(text, name->end) + 1); /* over the colon */
        }
        bool here = object ? str_eq(str_sub(text, name->offset + 1, name->end - name->offset - 2), step->name)
                           : count++ == step->index;
        if (here) {
            *at = i;
            return i < text.len;
        }
        i = skip_space(text, after_value(text, i));
        if (i < text.len && text.ptr[i] == ',')
            i = skip_space(text, i + 1);
    }
    return false;
}

bool json_place(struct str text, const struct json_step *steps, size_t n, bool name, struct json_spot *out)
{
    size_t at = skip_space(text, 0);
    struct json_spot named = { at, at };
    for (size_t i = 0; i < n; i++)
        if (!enter(text, &steps[i], &named, &at))
            return false;
    if (name && n > 0 && steps[n - 1].name.ptr)
        *out = named;
    else
        *out = (struct json_spot){ at, after_value(text, at) };
    return at < text.len;
}
