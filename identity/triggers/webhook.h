/* For the pool's options: which of its webhooks is no address that may be used. */
#pragma once

#include "core/json.h"

/* Absent: all are good. Else what to say. */
struct str webhook_options_bad(struct arena *arena, const json_t *options);
