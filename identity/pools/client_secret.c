/* Secrets of app clients: AddUserPoolClientSecret, ListUserPoolClientSecrets, DeleteUserPoolClientSecret.
 * Every one of them is good wherever a secret is asked for, so that a client's servers can change theirs one by one. */
#include "core/base64.h"
#include "core/digest.h"
#include "core/id.h"
#include "core/json.h"
#include "identity/pools/client.h"
#include "identity/store/pool.h"

static struct str place_of(struct call *call, struct str client_id)
{
    return str_concat(call->arena, STR("pool-client/"), client_id);
}

bool client_secrets_open(struct call *call, struct str text, struct client *client)
{
    struct str place = place_of(call, client->id);
    const json_t *list = text.ptr ? json_parse(call->arena, text, NULL) : NULL;
    const json_t *one;
    size_t i;
    client->n_secrets = 0;
    client->secret = STR_NONE;
    if (text.ptr && json_array_size(list) > MOST_CLIENT_SECRETS)
        return false;
    json_array_foreach(list, i, one) {
        struct client_secret *secret = &client->secrets[client->n_secrets++];
        *secret = (struct client_secret){ json_str(one, "id"), STR_NONE, json_i64(one, "created_us", 0) };
        if (!unseal(call->sealer, call->arena, place, json_str(one, "sealed"), &secret->value))
            return false;
    }
    if (client->n_secrets)
        client->secret = client->secrets[0].value;
    return !text.ptr || list;
}

struct str client_secrets_text(struct call *call, const struct client *client)
{
    struct str place = place_of(call, client->id);
    json_t *list = json_own(call->arena, json_array());
    if (!client->n_secrets)
        return STR_NONE;
    for (size_t i = 0; i < client->n_secrets; i++) {
        json_t *one = json_object();
        json_set_str(one, "id", client->secrets[i].id);
        json_set_str(one, "sealed", seal(call->sealer, call->arena, place, client->secrets[i].value));
        json_set_i64(one, "created_us", client->secrets[i].created_us);
        json_array_append_new(list, one);
    }
    return json_print(call->arena, list);
}

void client_secret_add(struct call *call, struct client *client, struct str value)
{
    int64_t created_us = call->now_us;
    if (client->n_secrets && client->secrets[client->n_secrets - 1].created_us >= created_us)
        created_us = client->secrets[client->n_secrets - 1].created_us + 1; /* the id is to be unique */
    client->secrets[client->n_secrets++] = (struct client_secret){
        .id = str_printf(call->arena, "%.*s--%lld", STR_FMT(client->id), (long long)created_us),
        .value = value.ptr ? value : id_random(call->env, call->arena, 51, ID_LOWER_ALNUM),
        .created_us = created_us,
    };
    client->secret = client->secrets[0].value;
}

/* ---- asked for ---- */

bool client_secret_is(const struct client *client, struct str given)
{
    bool right = false;
    for (size_t i = 0; given.ptr && i < client->n_secrets; i++)
        right |= digest_equal(client->secrets[i].value, given);
    return right || (!client->n_secrets && !given.ptr);
}

static bool hash_is_right(struct call *call, const struct client *client, struct str username, struct str given)
{
    const struct str parts[] = { username, client->id };
    bool right = false;
    for (size_t i = 0; i < client->n_secrets; i++) {
        uint8_t mac[SHA256_BYTES];
        digest_hmac_sha256_parts(client->secrets[i].value, parts, COUNT(parts), mac);
        right |= digest_equal(base64_encode(call->arena, digest_str(mac, sizeof mac)), given);
    }
    return right;
}

gh_err client_check_secret_hash(struct call *call, const struct client *client, struct str username,
                                struct str secret_hash)
{
    if (!client->n_secrets) {
        if (!secret_hash.ptr)
            return NULL;
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "Client %.*s is not configured with secret but SECRET_HASH was received",
                       STR_FMT(client->id));
    }
    if (!secret_hash.ptr)
        return gh_fail(call->arena, &idp_NotAuthorizedException,
                       "Client %.*s is configured with secret but SECRET_HASH was not received",
                       STR_FMT(client->id));
    if (hash_is_right(call, client, username, secret_hash))
        return NULL;
    return gh_fail(call->arena, &idp_NotAuthorizedException, "Unable to verify secret hash for client %.*s",
                   STR_FMT(client->id));
}

/* ---- operations ---- */

static struct idp_ClientSecretDescriptorType *shown(struct call *call, const struct client_secret *secret)
{
    struct idp_ClientSecretDescriptorType *descriptor = ARENA_NEW(call->arena, struct idp_ClientSecretDescriptorType);
    descriptor->client_secret_id = secret->id;
    descriptor->client_secret_create_date = some_time_us(secret->created_us);
    return descriptor;
}

/* The client as it is within the transaction: of two changes at once the second sees the first. */
static gh_err load(struct call *call, struct tx *tx, struct str pool_id, struct str client_id, struct client *out)
{
    struct pool pool;
    gh_err err = pool_load_in(call, tx, pool_id, &pool);
    return err ? err : client_of_pool_in(call, tx, &pool, client_id, out);
}

static gh_err save(struct call *call, struct tx *tx, const struct client *client, gh_err err)
{
    if (err) {
        tx_rollback(tx);
        return err;
    }
    store_client_update_secrets(tx, client->id, client_secrets_text(call, client));
    return tx_commit(tx);
}

static gh_err add(struct call *call, struct client *client, struct str value)
{
    if (!client->n_secrets)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "Client %.*s is not configured with secret: secrets can be added to confidential clients only.",
                       STR_FMT(client->id));
    if (client->n_secrets == MOST_CLIENT_SECRETS)
        return gh_fail(call->arena, &idp_LimitExceededException, "Client secrets cannot exceed limit of %d secrets.",
                       MOST_CLIENT_SECRETS);
    client_secret_add(call, client, value);
    return NULL;
}

/* "The ClientSecretValue is only returned when Amazon Cognito generates the secret." */
gh_err idp_AddUserPoolClientSecret(struct call *call, const struct idp_AddUserPoolClientSecret_in *in,
                                   struct idp_AddUserPoolClientSecret_out *out)
{
    struct client client;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = load(call, &tx, in->user_pool_id, in->client_id, &client);
    if (!err)
        err = add(call, &client, in->client_secret);
    err = save(call, &tx, &client, err);
    if (err)
        return err;
    const struct client_secret *made = &client.secrets[client.n_secrets - 1];
    out->client_secret_descriptor = shown(call, made);
    if (!in->client_secret.ptr)
        out->client_secret_descriptor->client_secret_value = made->value;
    return NULL;
}

gh_err idp_ListUserPoolClientSecrets(struct call *call, const struct idp_ListUserPoolClientSecrets_in *in,
                                     struct idp_ListUserPoolClientSecrets_out *out)
{
    struct client client;
    struct str after;
    gh_err err = load(call, NULL, in->user_pool_id, in->client_id, &client);
    if (!err)
        err = page_open(call, "client-secrets", client.id, in->next_token, &after);
    if (err)
        return err;
    out->client_secrets.set = true;
    out->client_secrets.items = ARENA_ARRAY(call->arena, struct idp_ClientSecretDescriptorType *, client.n_secrets);
    for (size_t i = 0; i < client.n_secrets; i++)
        out->client_secrets.items[out->client_secrets.n++] = shown(call, &client.secrets[i]);
    return NULL;
}

/* "You cannot delete the last remaining secret for an app client." */
static gh_err drop(struct call *call, struct client *client, struct str id)
{
    size_t at = 0;
    while (at < client->n_secrets && !str_eq(client->secrets[at].id, id))
        at++;
    if (at == client->n_secrets)
        return gh_fail(call->arena, &idp_ResourceNotFoundException, "Client secret %.*s does not exist.", STR_FMT(id));
    if (client->n_secrets == 1)
        return gh_fail(call->arena, &idp_InvalidParameterException,
                       "The last remaining secret of an app client cannot be deleted.");
    client->secrets[at] = client->secrets[--client->n_secrets];
    return NULL;
}

gh_err idp_DeleteUserPoolClientSecret(struct call *call, const struct idp_DeleteUserPoolClientSecret_in *in,
                                      struct idp_DeleteUserPoolClientSecret_out *out)
{
    (void)out;
    struct client client;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = load(call, &tx, in->user_pool_id, in->client_id, &client);
    if (!err)
        err = drop(call, &client, in->client_secret_id);
    return save(call, &tx, &client, err);
}
