#include "gateway/material.h"

gh_err material_add(struct gateway *gateway, struct tx *tx, struct arena *arena, struct stage_source *source)
{
    (void)tx;
    (void)arena;
    source->outside = gateway->config.outside;
    return NULL;
}
