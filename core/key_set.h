/* The keys that an issuer publishes, parsed once; immutable, counted. */
#pragma once

#include "core/key.h"

struct key_set;

/* One reference. NULL: *why. Keys that may not verify signatures are left out. */
struct key_set *key_set_parse(struct str jwks, struct arena *scratch, const char **why);
void key_set_hold(struct key_set *set);
void key_set_release(void *set); /* NULL is fine */
/* The one key of that name for such signatures; NULL when there is none, or more than one. */
const struct key *key_set_find(const struct key_set *set, struct str kid, enum key_alg alg);
/* Made of the very same text? */
bool key_set_is(const struct key_set *set, struct str jwks);
