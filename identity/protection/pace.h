/* How long sending a message takes, kept of the last ones: an answer for nobody waits as long, so that time does not
 * tell who exists. */
#pragma once

#include "core/env.h"

void pace_note(int64_t took_us);
void pace_wait(const struct env *env); /* blocks: job threads. At most 3 s */
