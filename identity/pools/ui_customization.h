/* The logo of the classic sign-in pages, for whoever shows it. */
#pragma once

#include "identity/state.h"
#include "wire/call.h"

/* Of the client, or the pool's. False: there is none. Job threads. */
bool ui_logo(struct identity *identity, struct arena *arena, struct str pool_id, struct str client, struct str *bytes,
             const char **content_type);
