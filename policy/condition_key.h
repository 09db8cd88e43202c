/* What is known of condition keys by their names: the type of their values, and whether there may be several. */
#pragma once

#include "core/str.h"

enum key_type { KEY_STRING, KEY_ARN, KEY_BOOL, KEY_NUMBER, KEY_DATE, KEY_ADDRESS };

struct condition_key {
    const char *name; /* as AWS spells it; compared without case */
    enum key_type type;
    bool multivalued; /* "Multivalued context keys require a condition set operator." */
};

/* NULL: not one of AWS's global keys, nor of a service here; a claim of an identity provider, another service's. */
const struct condition_key *condition_key_find(struct str name);
/* "You can't use a multivalued context key as a policy variable": whatever number of values it has at the moment.
 * How somebody signed in (amr) is a list with every identity provider. */
bool condition_key_is_multivalued(struct str name);
