#include "functions/name.h"

static bool is_name(struct str s)
{
    if (str_empty(s) || s.len > 140)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return true;
}

static bool is_account(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len == 12;
}

/* "\$LATEST(\.PUBLISHED)?" or a version or an alias */
static bool is_qualifier(struct str s)
{
    return str_is(s, "$LATEST") || str_is(s, "$LATEST.PUBLISHED") || is_name(s);
}

bool function_name_parse(struct str text, struct function_name *out)
{
    struct str parts[9], part;
    size_t n = 0;
    *out = (struct function_name){ 0 };
    while (n < COUNT(parts) && str_split(&text, ':', &part))
        parts[n++] = part;
    if (text.ptr || n == 0)
        return false;
    size_t at = 0;
    if (str_is(parts[0], "arn")) {
        /* arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUAL]; cut after "function" that is the name */
        if (n < 6 || !str_is(parts[2], "lambda") || !is_account(parts[4]))
            return false;
        out->partition = parts[1];
        out->region = parts[3];
        out->account = parts[4];
        at = n > 6 && str_is(parts[5], "function") ? 6 : 5;
    } else if (n > 1 && is_account(parts[0])) {
        out->account = parts[0];
        at = n > 2 && str_is(parts[1], "function") ? 2 : 1;
    } else if (n > 1 && str_is(parts[0], "function")) {
        at = 1; /* the pattern's "(function:)?" takes it, even from a function of that name */
    }
    if (n - at > 2 || n <= at)
        return false;
    out->name = parts[at];
    if (n - at == 2)
        out->qualifier = parts[at + 1];
    return is_name(out->name) && (!out->qualifier.ptr || is_qualifier(out->qualifier));
}
