/* What identity/ remembers of others' issuers: where their keys are, and the keys. */
#pragma once

#include "core/issuer.h"
#include "identity/state.h"

struct federation *federation_open(struct identity *identity);
void federation_close(struct federation *federation);

/* The key that an issuer signed with, by its discovery document and key set. The key lives as long as the arena.
 * Job threads. Not ISSUER_KEY: *why. ISSUER_DOWN: nobody answered, or nothing that could be used. */
enum issuer_answer federation_key(struct federation *federation, struct arena *arena, struct str issuer, struct str kid,
                                  enum key_alg alg, const struct key **key, const char **why);
/* https; or http to this machine, where tests run theirs (net_guard says whether that may be reached). */
bool federation_may_ask(struct arena *arena, struct str url);
