/* CreateUserPoolClient, DescribeUserPoolClient, UpdateUserPoolClient, ListUserPoolClients,
 * DeleteUserPoolClient. */
#include "identity/pools/client.h"

#include "core/id.h"
#include "core/json.h"
#include "identity/store/pool.h"
#include "wire/shape_memo.h"

static gh_err not_found(struct call *call, struct str id)
{
    return gh_fail(call->arena, &idp_ResourceNotFoundException, "User pool client %.*s does not exist.",
                   STR_FMT(id));
}

/* "Legacy clients always allow SRP and refresh (except CUSTOM_AUTH_FLOW_ONLY: custom only)." */
static const struct {
    const char *name;
    unsigned flows;
} flow_names[] = {
    { "ALLOW_USER_SRP_AUTH", FLOW_SRP },
    { "ALLOW_USER_PASSWORD_AUTH", FLOW_PASSWORD },
    { "ALLOW_ADMIN_USER_PASSWORD_AUTH", FLOW_ADMIN_PASSWORD },
    { "ALLOW_REFRESH_TOKEN_AUTH", FLOW_REFRESH },
    { "ALLOW_CUSTOM_AUTH", FLOW_CUSTOM },
    { "ALLOW_USER_AUTH", FLOW_USER_AUTH },
    { "ALLOW_TOKEN_EXCHANGE_IMPERSONATION", FLOW_IMPERSONATION },
    { "ALLOW_TOKEN_EXCHANGE_DELEGATION", FLOW_DELEGATION },
    { "ALLOW_CLIENT_TOKEN_AUTH", FLOW_CLIENT_TOKEN },
    { "USER_PASSWORD_AUTH", FLOW_PASSWORD | FLOW_SRP | FLOW_REFRESH },
    { "ADMIN_NO_SRP_AUTH", FLOW_ADMIN_PASSWORD | FLOW_SRP | FLOW_REFRESH },
    { "CUSTOM_AUTH_FLOW_ONLY", FLOW_CUSTOM | FLOW_REFRESH },
};

/* "No ExplicitAuthFlows = ALLOW_REFRESH_TOKEN_AUTH + ALLOW_USER_SRP_AUTH + ALLOW_CUSTOM_AUTH" */
static unsigned flows_of(const struct idp_ExplicitAuthFlowsListType *list)
{
    unsigned flows = list->n ? 0 : FLOW_REFRESH | FLOW_SRP | FLOW_CUSTOM;
    for (size_t i = 0; i < list->n; i++)
        for (size_t j = 0; j < COUNT(flow_names); j++)
            if (str_is(list->items[i], flow_names[j].name))
                flows |= flow_names[j].flows;
    return flows;
}

/* For those who only read it is decoded once, for those who change it each time. */
static struct idp_UserPoolClientType *decoded(struct call *call, const struct client_row *row, bool shared)
{
    if (shared)
        return (void *)(uintptr_t)shape_memo_get(pools_of(call)->client_docs, call->arena, row->id, row->doc);
    struct idp_UserPoolClientType *doc = ARENA_NEW(call->arena, struct idp_UserPoolClientType);
    return shape_parse(call->arena, &idp_shape_UserPoolClientType, row->doc, doc) ? doc : NULL;
}

static gh_err decode(struct call *call, const struct client_row *row, const struct pool *pool, bool shared,
                     struct client *out)
{
    struct idp_UserPoolClientType *doc = decoded(call, row, shared);
    *out = (struct client){ .id = row->id };
    if (!doc || !client_secrets_open(call, row->secrets, out))
        return gh_fail(call->arena, &GH_INTERNAL, "The record of client %.*s is damaged.", STR_FMT(row->id));
    const struct idp_TokenValidityUnitsType none = { 0 }, *units = doc->token_validity_units
                                                                       ? doc->token_validity_units
                                                                       : &none;
    out->pool = *pool;
    out->doc = doc;
    out->flows = flows_of(&doc->explicit_auth_flows);
    out->session_ttl_s = (doc->auth_session_validity.set ? doc->auth_session_validity.value : 3) * 60;
    out->hides_users = str_is(doc->prevent_user_existence_errors, "ENABLED");
    out->revocation = !doc->enable_token_revocation.set || doc->enable_token_revocation.value;
    const struct idp_RefreshTokenRotationType *rotation = doc->refresh_token_rotation;
    out->rotates = rotation && str_is(rotation->feature, "ENABLED");
    out->grace_s = rotation ? rotation->retry_grace_period_seconds.value : 0;
    validity_s(&doc->access_token_validity, units->access_token, "hours", 3600, &out->access_ttl_s);
    validity_s(&doc->id_token_validity, units->id_token, "hours", 3600, &out->id_ttl_s);
    validity_s(&doc->refresh_token_validity, units->refresh_token, "days", 30 * 86400, &out->refresh_ttl_s);
    return NULL;
}

gh_err client_find(struct call *call, struct str id, struct client *out)
{
    struct client_row row;
    struct pool pool;
    bool found;
    gh_err err = store_client_find(call->db, NULL, call->arena, id, &row, &found);
    if (!err && !found)
        return not_found(call, id);
    if (!err)
        err = pool_find(call, row.pool, &pool);
    return err ? err : decode(call, &row, &pool, true, out);
}

gh_err client_of_pool(struct call *call, const struct pool *pool, struct str id, struct client *out)
{
    return client_of_pool_in(call, NULL, pool, id, out);
}

gh_err client_of_pool_in(struct call *call, struct tx *tx, const struct pool *pool, struct str id,
                         struct client *out)
{
    struct client_row row;
    bool found;
    gh_err err = store_client_find(call->db, tx, call->arena, id, &row, &found);
    if (err)
        return err;
    return found && str_eq(row.pool, pool->id) ? decode(call, &row, pool, false, out) : not_found(call, id);
}

static bool permits(const struct idp_ClientPermissionListType *list, struct str attribute)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], attribute))
            return true;
    return !list->set;
}

json_t *client_metadata(struct call *call, const struct idp_ClientMetadataType *given)
{
    if (!given->set)
        return NULL;
    json_t *metadata = json_own(call->arena, json_object());
    for (size_t i = 0; i < given->n; i++)
        json_set_str(metadata, str_copy(call->arena, given->items[i].key).ptr, given->items[i].value);
    return metadata;
}

/* "Developer-only attributes can only be changed by an administrator", and are not for users to see. */
static bool is_developers(struct str attribute)
{
    return str_starts(attribute, STR("dev:"));
}

bool client_may_read(const struct client *client, struct str attribute)
{
    if (is_developers(attribute))
        return false;
    return permits(&client->doc->read_attributes, attribute);
}

bool client_may_write(const struct client *client, struct str attribute)
{
    if (str_is(attribute, "sub") || str_is(attribute, "email_verified") ||
        str_is(attribute, "phone_number_verified") || is_developers(attribute))
        return false;
    return permits(&client->doc->write_attributes, attribute);
}

/* ---- operations ---- */

#define COPY_SETTINGS(to, in)                                                                                \
    do {                                                                                                     \
        (to)->client_name = (in)->client_name;                                                               \
        (to)->refresh_token_validity = (in)->refresh_token_validity;                                         \
        (to)->access_token_validity = (in)->access_token_validity;                                           \
        (to)->id_token_validity = (in)->id_token_validity;                                                   \
        (to)->token_validity_units = (in)->token_validity_units;                                             \
        (to)->read_attributes = (in)->read_attributes;                                                       \
        (to)->write_attributes = (in)->write_attributes;                                                     \
        (to)->explicit_auth_flows = (in)->explicit_auth_flows;                                               \
        (to)->supported_identity_providers = (in)->supported_identity_providers;                             \
        (to)->callback_urls = (in)->callback_urls;                                                           \
        (to)->logout_urls = (in)->logout_urls;                                                               \
        (to)->default_redirect_uri = (in)->default_redirect_uri;                                             \
        (to)->allowed_oauth_flows = (in)->allowed_oauth_flows;                                               \
        (to)->allowed_oauth_scopes = (in)->allowed_oauth_scopes;                                             \
        (to)->allowed_oauth_flows_user_pool_client = (in)->allowed_oauth_flows_user_pool_client;             \
        (to)->prevent_user_existence_errors = (in)->prevent_user_existence_errors;                           \
        (to)->enable_token_revocation = (in)->enable_token_revocation;                                       \
        (to)->enable_propagate_additional_user_context_data =                                                \
            (in)->enable_propagate_additional_user_context_data;                                             \
        (to)->auth_session_validity = (in)->auth_session_validity;                                           \
        (to)->refresh_token_rotation = (in)->refresh_token_rotation;                                         \
    } while (0)

static struct str doc_text(struct call *call, const struct idp_UserPoolClientType *doc)
{
    struct idp_UserPoolClientType bare = *doc;
    bare.client_secret = STR_NONE; /* sealed, in its own column */
    return shape_print(call->arena, &idp_shape_UserPoolClientType, &bare);
}

gh_err idp_CreateUserPoolClient(struct call *call, const struct idp_CreateUserPoolClient_in *in,
                                struct idp_CreateUserPoolClient_out *out)
{
    struct pool pool;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (err)
        return err;
    struct idp_UserPoolClientType *doc = ARENA_NEW(call->arena, struct idp_UserPoolClientType);
    COPY_SETTINGS(doc, in);
    doc->user_pool_id = pool.id;
    doc->client_id = id_random(call->env, call->arena, 26, ID_LOWER_ALNUM);
    doc->creation_date = doc->last_modified_date = some_time_us(call->now_us);
    struct client client = { .id = doc->client_id };
    if (in->client_secret.ptr || in->generate_secret.value)
        client_secret_add(call, &client, in->client_secret);
    doc->client_secret = client.secret;
    client_set_defaults(doc);
    err = client_check_settings(call, &pool, doc);
    if (err)
        return err;
    const struct client_row row = {
        .id = doc->client_id,
        .pool = pool.id,
        .secrets = client_secrets_text(call, &client),
        .doc = doc_text(call, doc),
        .created_us = call->now_us,
    };
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_client_insert(&tx, &row);
    out->user_pool_client = doc;
    return tx_commit(&tx);
}

static gh_err load(struct call *call, struct str pool_id, struct str client_id, struct client *client)
{
    struct pool pool;
    gh_err err = pool_load(call, pool_id, &pool);
    return err ? err : client_of_pool(call, &pool, client_id, client);
}

gh_err idp_DescribeUserPoolClient(struct call *call, const struct idp_DescribeUserPoolClient_in *in,
                                  struct idp_DescribeUserPoolClient_out *out)
{
    struct client client;
    gh_err err = load(call, in->user_pool_id, in->client_id, &client);
    if (err)
        return err;
    client.doc->client_secret = client.secret;
    out->user_pool_client = client.doc;
    return NULL;
}

/* "If you don't provide a value for an attribute, Amazon Cognito sets it to its default value." */
gh_err idp_UpdateUserPoolClient(struct call *call, const struct idp_UpdateUserPoolClient_in *in,
                                struct idp_UpdateUserPoolClient_out *out)
{
    struct client client;
    gh_err err = load(call, in->user_pool_id, in->client_id, &client);
    if (err)
        return err;
    struct idp_UserPoolClientType *doc = ARENA_NEW(call->arena, struct idp_UserPoolClientType);
    COPY_SETTINGS(doc, in);
    doc->user_pool_id = client.pool.id;
    doc->client_id = client.id;
    if (!doc->client_name.ptr)
        doc->client_name = client.doc->client_name;
    if (!doc->enable_token_revocation.set)
        doc->enable_token_revocation = client.doc->enable_token_revocation;
    doc->creation_date = client.doc->creation_date;
    doc->last_modified_date = some_time_us(call->now_us);
    doc->client_secret = client.secret;
    client_set_defaults(doc);
    err = client_check_settings(call, &client.pool, doc);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_client_update(&tx, client.id, doc_text(call, doc));
    out->user_pool_client = doc;
    return tx_commit(&tx);
}

gh_err idp_ListUserPoolClients(struct call *call, const struct idp_ListUserPoolClients_in *in,
                               struct idp_ListUserPoolClients_out *out)
{
    struct pool pool;
    struct client_row *rows;
    size_t n;
    struct str after;
    int64_t limit = in->max_results.set ? in->max_results.value : 60;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = page_open(call, "clients", pool.id, in->next_token, &after);
    if (!err)
        err = store_client_list(call->db, call->arena, pool.id, after, limit + 1, &rows, &n);
    if (err)
        return err;
    out->user_pool_clients.set = true;
    if (str_is(in->client_type, "DCR"))
        return NULL; /* made by dynamic client registration: there are none here */
    bool more = n > (size_t)limit;
    n -= more;
    out->user_pool_clients.items = ARENA_ARRAY(call->arena, struct idp_UserPoolClientDescription *, n);
    for (size_t i = 0; i < n; i++) {
        struct idp_UserPoolClientType doc;
        if (!shape_parse(call->arena, &idp_shape_UserPoolClientType, rows[i].doc, &doc))
            continue;
        struct idp_UserPoolClientDescription *item =
            ARENA_NEW(call->arena, struct idp_UserPoolClientDescription);
        *item = (struct idp_UserPoolClientDescription){ rows[i].id, pool.id, doc.client_name };
        out->user_pool_clients.items[out->user_pool_clients.n++] = item;
    }
    if (more)
        out->next_token = page_token(call, "clients", pool.id, rows[n - 1].id);
    return NULL;
}

gh_err idp_DeleteUserPoolClient(struct call *call, const struct idp_DeleteUserPoolClient_in *in,
                                struct idp_DeleteUserPoolClient_out *out)
{
    (void)out;
    struct client client;
    gh_err err = load(call, in->user_pool_id, in->client_id, &client);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    store_client_delete(&tx, client.id);
    return tx_commit(&tx);
}
