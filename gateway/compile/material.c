#include "gateway/compile/material.h"

#include "core/tls.h"
#include "gateway/store/client_certificate.h"
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

static void let_go(void *identity)
{
    tls_identity_unref(identity);
}

static gh_err add_certificate(struct gateway *gateway, struct arena *arena, struct stage_source *source)
{
    const struct gateway_config *config = &gateway->config;
    struct str id = json_str(source->settings, "clientCertificateId"), key;
    json_t *doc = NULL;
    if (!id.len)
        return NULL;
    gh_err err = certificate_load(config->db, NULL, arena, (struct api_key){ source->account, source->region, id }, &doc);
    if (!err && doc)
        err = certificate_key(config->db, config->sealer, arena, id, &key);
    if (err || !doc || !key.ptr)
        return err;
    source->certificate = tls_identity_new(id, json_str(doc, "pemEncodedCertificate"), key);
    explicit_bzero((char *)(uintptr_t)key.ptr, key.len);
    if (source->certificate)
        arena_defer(arena, let_go, source->certificate);
    return NULL;
}

gh_err material_add(struct gateway *gateway, struct tx *tx, struct arena *arena, struct stage_source *source)
{
    (void)tx;
    source->outside = gateway->config.outside;
    gh_err err = add_links(gateway, arena, source);
    return err ? err : add_certificate(gateway, arena, source);
}
