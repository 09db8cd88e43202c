#include "identity/pools/css.h"

/* "You can only use the class names that are already in the template." */
static const char *const classes[] = {
    ".background-customizable",
    ".banner-customizable",
    ".errorMessage-customizable",
    ".idpButton-customizable",
    ".idpButton-customizable:hover",
    ".idpDescription-customizable",
    ".inputField-customizable",
    ".inputField-customizable:focus",
    ".label-customizable",
    ".legalText-customizable",
    ".logo-customizable",
    ".passwordCheck-notValid-customizable",
    ".passwordCheck-valid-customizable",
    ".redirect-customizable",
    ".socialButton-customizable",
    ".socialButton-customizable:hover",
    ".submitButton-customizable",
    ".submitButton-customizable:hover",
    ".textDescription-customizable",
};

/* Comments become blanks. Absent: one does not end. */
static struct str without_comments(struct arena *arena, struct str css)
{
    struct strbuf out = strbuf_in(arena, css.len + 1);
    while (css.len) {
        ptrdiff_t at = str_find_str(css, STR("/*"));
        strbuf_add(&out, at < 0 ? css : str_sub(css, 0, (size_t)at));
        if (at < 0)
            break;
        strbuf_char(&out, ' ');
        css = str_from(css, (size_t)at + 2);
        ptrdiff_t end = str_find_str(css, STR("*/"));
        if (end < 0)
            return STR_NONE;
        css = str_from(css, (size_t)end + 2);
    }
    return strbuf_view(&out);
}

static bool is_class(struct str selector)
{
    for (size_t i = 0; i < COUNT(classes); i++)
        if (str_is(selector, classes[i]))
            return true;
    return false;
}

/* What a declaration must not hold: it would leave the sheet, fetch, or run something. */
static const char *bad_declaration(struct str text)
{
    static const char *const words[] = { "<", "@", "\\", "expression", "javascript:", "behavior", "-moz-binding", "{" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_find_str(text, str_of(words[i])) >= 0)
            return words[i];
    return NULL;
}

const char *css_refuses(struct arena *arena, struct str css)
{
    struct str rest = without_comments(arena, css);
    if (!rest.ptr)
        return "a comment does not end";
    for (rest = str_trim(rest); rest.len; rest = str_trim(rest)) {
        ptrdiff_t open = str_find(rest, '{'), shut = str_find(rest, '}');
        if (open < 0 || shut < open)
            return "a rule needs a selector and { }";
        struct str selectors = str_sub(rest, 0, (size_t)open), one;
        struct str body = str_lower(arena, str_sub(rest, (size_t)open + 1, (size_t)(shut - open - 1)));
        while (str_split(&selectors, ',', &one))
            if (!is_class(str_trim(one)))
                return str_printf(arena, "the selector %.*s is not one that can be customized",
                                  STR_FMT(str_sub(str_trim(one), 0, 100)))
                    .ptr;
        const char *bad = bad_declaration(body);
        if (bad)
            return str_printf(arena, "%s is not allowed", bad).ptr;
        rest = str_from(rest, (size_t)shut + 1);
    }
    return NULL;
}
