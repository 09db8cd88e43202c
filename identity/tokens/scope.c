#include "identity/tokens/scope.h"

bool scopes_have(struct str scopes, struct str one)
{
    struct str scope;
    while (str_split(&scopes, ' ', &scope))
        if (str_eq(scope, one))
            return true;
    return false;
}

bool scopes_list(const struct idp_ScopeListType *list, struct str one)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], one))
            return true;
    return false;
}

void scopes_add(struct strbuf *scopes, struct str one)
{
    if (!one.len || scopes_have(strbuf_view(scopes), one))
        return;
    if (scopes->len)
        strbuf_char(scopes, ' ');
    strbuf_add(scopes, one);
}
