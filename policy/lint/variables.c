#include "policy/lint/findings.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-@+="

/* "aws:PrincipalTag/team, 'nobody'", between the braces. */
static void variable(struct lint *lint, struct str inside)
{
    struct str fallback = inside, name;
    if (str_is(inside, "*") || str_is(inside, "?") || str_is(inside, "$"))
        return;
    str_split(&fallback, ',', &name);
    if (str_trim(name).len == 0) {
        lint_found(lint, FINDING_ERROR, "EMPTY_VARIABLE",
                   "Empty policy variable. Remove the ${} variable structure or provide a variable within "
                   "the structure.");
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (strchr(NAME_CHARACTERS, name.ptr[i]))
            continue;
        if (name.ptr[i] == ' ')
            lint_found(lint, FINDING_ERROR, "UNSUPPORTED_SPACE_IN_VARIABLE",
                       "A space is not supported within the policy variable text. Remove the space.");
        else
            lint_found(lint, FINDING_ERROR, "UNSUPPORTED_SYMBOL_IN_VARIABLE",
                       "The symbol %c is not supported within the policy variable text. Remove the symbol.",
                       (unsigned char)name.ptr[i] < 0x80 ? name.ptr[i] : '?');
        return;
    }
    struct str quoted = str_trim(fallback);
    if (fallback.ptr && (quoted.len < 2 || quoted.ptr[0] != '\'' || quoted.ptr[quoted.len - 1] != '\''))
        lint_found(lint, FINDING_ERROR, "MISSING_QUOTE_IN_VARIABLE",
                   "The policy variable default value must begin and end with a single quote. Add the "
                   "missing quote.");
}

void lint_variables(struct lint *lint, struct str text, bool supported)
{
    bool told = false;
    for (ptrdiff_t at; (at = str_find_str(text, STR("${"))) >= 0;) {
        struct str inside = str_from(text, (size_t)at + 2);
        ptrdiff_t close = str_find(inside, '}');
        if (!supported && !told)
            lint_found(lint, FINDING_ERROR, "VARIABLE_UNSUPPORTED_IN_ELEMENT",
                       "Policy variables are supported in the Resource and Condition elements. Remove the "
                       "policy variable "
                       "%.*s from this element.",
                       STR_FMT(str_sub(text, (size_t)at, close < 0 ? text.len : (size_t)close + 3)));
        else if (!lint->variables && !told)
            lint_found(lint, FINDING_ERROR, "VARIABLE_UNSUPPORTED_IN_VERSION",
                       "To include variables in your policy, use the policy version 2012-10-17 or later.");
        told = true;
        if (close < 0) {
            lint_found(
                lint, FINDING_ERROR, "MISSING_BRACE_IN_VARIABLE",
                "The policy variable is missing a closing curly brace. Add } after the variable text.");
            return;
        }
        variable(lint, str_sub(inside, 0, (size_t)close));
        text = str_from(inside, (size_t)close + 1);
    }
}
