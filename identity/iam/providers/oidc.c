/* OpenID Connect providers: whose web identity tokens STS takes in. */
#include "identity/iam/providers/provider.h"

#include "core/json.h"
#include "core/log.h"
#include "core/uri.h"
#include "identity/iam/iam.h"
#include "identity/store/iam_provider.h"

enum { MOST_CLIENTS = 100, MOST_THUMBPRINTS = 5 };

struct words {
    size_t n;
    struct str *items;
};

struct details {
    struct str issuer;
    struct words clients, thumbprints;
};

static struct words read_words(struct arena *arena, const json_t *list)
{
    struct words out = { json_array_size(list), ARENA_ARRAY(arena, struct str, json_array_size(list)) };
    for (size_t i = 0; i < out.n; i++)
        out.items[i] = json_value_str(json_array_get(list, i));
    return out;
}

static json_t *print_words(const struct words *words)
{
    json_t *list = json_array();
    for (size_t i = 0; i < words->n; i++)
        json_array_append_new(list, json_of(words->items[i]));
    return list;
}

static gh_err load(struct call *call, struct tx *tx, struct str arn, struct entity *entity, struct details *out)
{
    struct str doc, why;
    gh_err err = iam_find_arn(call, tx, ENTITY_OIDC, arn, entity);
    if (!err)
        err = provider_doc(call->db, tx, call->arena, entity->id, &doc);
    if (err)
        return err;
    json_t *json = json_parse(call->arena, doc, &why);
    *out = (struct details){ json_str(json, "issuer"), read_words(call->arena, json_object_get(json, "clients")),
                             read_words(call->arena, json_object_get(json, "thumbprints")) };
    return NULL;
}

static void save(struct tx *tx, const struct entity *entity, const struct details *details)
{
    json_t *json = json_own(tx->arena, json_object());
    json_set_str(json, "issuer", details->issuer);
    json_object_set_new(json, "clients", print_words(&details->clients));
    json_object_set_new(json, "thumbprints", print_words(&details->thumbprints));
    provider_put(tx, entity->id, json_print(tx->arena, json));
}

static struct str without_scheme(struct str url)
{
    ptrdiff_t at = str_find_str(url, STR("://"));
    return at < 0 ? url : str_from(url, (size_t)at + 3);
}

static bool is_of_this_machine(struct call *call, const struct uri *uri)
{
    struct uri own;
    return str_is(uri->host, "localhost") || str_is(uri->host, "127.0.0.1") || str_is(uri->host, "::1") ||
           (uri_parse(call->arena, call->base_url, &own) && str_eq(uri->host, own.host) && uri->port == own.port);
}

/* "The URL must begin with https:// and should correspond to the iss claim … path components are allowed but query
 * parameters are not." Issuers of this machine, our own user pools among them, may do without TLS. */
static gh_err check_url(struct call *call, struct str url)
{
    struct uri uri;
    bool fine = uri_parse(call->arena, url, &uri) && uri.host.len && !uri.userinfo.ptr && !uri.query.ptr &&
                !uri.fragment.ptr && (str_is(uri.scheme, "https") || is_of_this_machine(call, &uri));
    for (size_t i = 0; fine && i < url.len; i++)
        fine = url.ptr[i] > ' ' && url.ptr[i] < 0x7f;
    return fine ? NULL : gh_fail(call->arena, &IAM_VALIDATION_ERROR, "Invalid Open ID Connect Provider URL");
}

static bool has(const struct words *words, struct str one)
{
    for (size_t i = 0; i < words->n; i++)
        if (str_eq(words->items[i], one))
            return true;
    return false;
}

static gh_err add_clients(struct call *call, struct details *details, const struct str *ids, size_t n)
{
    struct words all = { 0, ARENA_ARRAY(call->arena, struct str, details->clients.n + n) };
    for (size_t i = 0; i < details->clients.n + n; i++) {
        struct str id = i < details->clients.n ? details->clients.items[i] : ids[i - details->clients.n];
        if (!has(&all, id))
            all.items[all.n++] = id;
    }
    if (all.n > MOST_CLIENTS)
        return gh_fail(call->arena, &iam_LimitExceededException,
                       "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", MOST_CLIENTS);
    details->clients = all;
    return NULL;
}

static gh_err set_thumbprints(struct call *call, struct details *details, const struct iam_thumbprintListType *list)
{
    if (list->n > MOST_THUMBPRINTS)
        return gh_fail(call->arena, &iam_InvalidInputException, "Thumbprint list must contain fewer than %d entries.",
                       MOST_THUMBPRINTS);
    details->thumbprints = (struct words){ list->n, list->items };
    return NULL;
}

gh_err iam_CreateOpenIDConnectProvider(struct call *call, const struct iam_CreateOpenIDConnectProvider_in *in,
                                       struct iam_CreateOpenIDConnectProvider_out *out)
{
    struct entity entity = { .kind = ENTITY_OIDC, .name = without_scheme(in->url), .tags = in->tags };
    struct details details = { .issuer = in->url };
    gh_err err = check_url(call, in->url);
    if (!err)
        err = add_clients(call, &details, in->client_id_list.items, in->client_id_list.n);
    if (!err)
        err = set_thumbprints(call, &details, &in->thumbprint_list);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = iam_create(call, &tx, &entity);
    if (!err)
        save(&tx, &entity, &details);
    err = iam_finish(&tx, err);
    if (err)
        return err;
    out->open_id_connect_provider_arn = entity.arn;
    out->tags = entity.tags;
    return NULL;
}

gh_err iam_GetOpenIDConnectProvider(struct call *call, const struct iam_GetOpenIDConnectProvider_in *in,
                                    struct iam_GetOpenIDConnectProvider_out *out)
{
    struct entity entity;
    struct details details;
    gh_err err = load(call, NULL, in->open_id_connect_provider_arn, &entity, &details);
    if (err)
        return err;
    out->url = entity.name;
    out->client_id_list = (struct iam_clientIDListType){ true, details.clients.n, details.clients.items };
    out->thumbprint_list = (struct iam_thumbprintListType){ true, details.thumbprints.n, details.thumbprints.items };
    out->create_date = iam_time(entity.created_us);
    out->tags = entity.tags;
    return NULL;
}

gh_err iam_ListOpenIDConnectProviders(struct call *call, const struct iam_ListOpenIDConnectProviders_in *in,
                                      struct iam_ListOpenIDConnectProviders_out *out)
{
    (void)in;
    struct entity_list all;
    gh_err err = entity_list(call->db, call->arena, call->account, ENTITY_OIDC, STR_NONE, STR_NONE, 1 << 20, &all);
    if (err)
        return err;
    struct iam_OpenIDConnectProviderListType *list = &out->open_id_connect_provider_list;
    *list = (struct iam_OpenIDConnectProviderListType){
        true, all.n, ARENA_ARRAY(call->arena, struct iam_OpenIDConnectProviderListEntry *, all.n) };
    for (size_t i = 0; i < all.n; i++) {
        list->items[i] = ARENA_NEW(call->arena, struct iam_OpenIDConnectProviderListEntry);
        list->items[i]->arn = all.items[i].arn;
    }
    return NULL;
}

/* "This operation is idempotent; it does not fail or return an error if you call the operation for a provider that
 * does not exist." */
gh_err iam_DeleteOpenIDConnectProvider(struct call *call, const struct iam_DeleteOpenIDConnectProvider_in *in,
                                       struct iam_DeleteOpenIDConnectProvider_out *out)
{
    (void)out;
    struct entity entity;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_arn(call, &tx, ENTITY_OIDC, in->open_id_connect_provider_arn, &entity);
    if (!err)
        entity_delete(&tx, entity.id);
    else if (err->kind == &iam_NoSuchEntityException)
        err = NULL;
    return iam_finish(&tx, err);
}

/* "This operation is idempotent": an id that is there already, or not there, is no error. */
static gh_err change(struct call *call, struct str arn, struct str add, struct str remove,
                     const struct iam_thumbprintListType *thumbprints)
{
    struct entity entity;
    struct details details;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = load(call, &tx, arn, &entity, &details);
    if (!err && add.ptr)
        err = add_clients(call, &details, &add, 1);
    if (!err && remove.ptr) {
        struct words kept = { 0, ARENA_ARRAY(call->arena, struct str, details.clients.n) };
        for (size_t i = 0; i < details.clients.n; i++)
            if (!str_eq(details.clients.items[i], remove))
                kept.items[kept.n++] = details.clients.items[i];
        details.clients = kept;
    }
    if (!err && thumbprints)
        err = set_thumbprints(call, &details, thumbprints);
    if (!err)
        save(&tx, &entity, &details);
    return iam_finish(&tx, err);
}

gh_err iam_AddClientIDToOpenIDConnectProvider(struct call *call, const struct iam_AddClientIDToOpenIDConnectProvider_in *in,
                                              struct iam_AddClientIDToOpenIDConnectProvider_out *out)
{
    (void)out;
    return change(call, in->open_id_connect_provider_arn, in->client_id, STR_NONE, NULL);
}

gh_err iam_RemoveClientIDFromOpenIDConnectProvider(struct call *call,
                                                   const struct iam_RemoveClientIDFromOpenIDConnectProvider_in *in,
                                                   struct iam_RemoveClientIDFromOpenIDConnectProvider_out *out)
{
    (void)out;
    return change(call, in->open_id_connect_provider_arn, STR_NONE, in->client_id, NULL);
}

gh_err iam_UpdateOpenIDConnectProviderThumbprint(struct call *call,
                                                 const struct iam_UpdateOpenIDConnectProviderThumbprint_in *in,
                                                 struct iam_UpdateOpenIDConnectProviderThumbprint_out *out)
{
    (void)out;
    return change(call, in->open_id_connect_provider_arn, STR_NONE, STR_NONE, &in->thumbprint_list);
}

bool oidc_provider_find(struct call *call, struct str account, struct str url, struct oidc_provider *out)
{
    struct call as = *call; /* a token may come in without a signature: the account is the role's */
    struct entity entity;
    struct details details;
    struct str name = without_scheme(url);
    as.account = account;
    gh_err err = load(&as, NULL, entity_arn(call->arena, ENTITY_OIDC, account, STR("/"), name), &entity, &details);
    if (err && err->kind != &iam_NoSuchEntityException)
        log_at(LOG_ERROR, "identity provider could not be read", { "url", url }, { "error", err->message });
    if (err)
        return false;
    *out = (struct oidc_provider){
        .arn = entity.arn,
        .url = entity.name,
        .issuer = details.issuer,
        .client_ids = details.clients.items,
        .n_client_ids = details.clients.n,
        .thumbprints = details.thumbprints.items,
        .n_thumbprints = details.thumbprints.n,
    };
    return true;
}
