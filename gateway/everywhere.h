/* The same on every loop, and back when all have done it. */
#pragma once

#include "gateway/state.h"

/* Not from a loop's thread. Before the loops run nothing would come back. */
void gateway_everywhere(struct gateway *gateway, struct arena *arena, void (*fn)(struct gw_loop *home, void *ctx),
                        void *ctx);
