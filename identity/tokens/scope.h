/* Lists of scopes, as tokens have them ("a b c") and as requests do. */
#pragma once

#include "identity/pools/client.h"

bool scopes_have(struct str scopes, struct str one);
bool scopes_list(const struct idp_ScopeListType *list, struct str one);
/* Appends it unless it is there. */
void scopes_add(struct strbuf *scopes, struct str one);
