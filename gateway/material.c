#include "gateway/material.h"

#include "gateway/store/vpc_link.h"

static gh_err add_links(struct gateway *gateway, struct arena *arena, struct stage_source *source)
{
    struct docs docs;
    json_t *links = json_own(arena, json_object());
    gh_err err = vpc_link_list(gateway->config.db, arena, source->account, source->region, &docs);
    for (size_t i = 0; !err && i < docs.n; i++)
        json_object_set(links, str_c(arena, json_str(docs.items[i], "id")), docs.items[i]);
    source->links = links;
    return err;
}

gh_err material_add(struct gateway *gateway, struct tx *tx, struct arena *arena, struct stage_source *source)
{
    (void)tx;
    source->outside = gateway->config.outside;
    return add_links(gateway, arena, source);
}
