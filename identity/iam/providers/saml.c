/* SAML providers: whose assertions STS takes in. */
#include <openssl/pem.h>

#include "core/id.h"
#include "core/json.h"
#include "core/log.h"
#include "identity/federation/saml.h"
#include "identity/iam/iam.h"
#include "identity/iam/providers/provider.h"
#include "identity/store/iam_provider.h"

enum { MOST_KEYS = 2 };
#define CENTURY_US (36525LL * 24 * 3600 * 1000000)

struct details {
    struct str metadata, mode; /* mode: "Required", "Allowed", or absent */
    int64_t valid_until_us;
};

static struct str print(struct arena *arena, const struct details *details)
{
    json_t *json = json_own(arena, json_object());
    json_set_str(json, "metadata", details->metadata);
    json_set_str(json, "mode", details->mode);
    json_set_i64(json, "validUntil", details->valid_until_us);
    return json_print(arena, json);
}

static gh_err load(struct call *call, struct tx *tx, const struct entity *entity, struct details *out)
{
    struct str doc, why;
    gh_err err = provider_doc(call->db, tx, call->arena, entity->id, &doc);
    if (err)
        return err;
    json_t *json = json_parse(call->arena, doc, &why);
    *out = (struct details){ json_str(json, "metadata"), json_str(json, "mode"), json_i64(json, "validUntil", 0) };
    return NULL;
}

/* "The document includes the issuer's name, expiration information, and keys." Without a date of its own it lives a
 * hundred years from now, as AWS shows it. */
static gh_err set_metadata(struct call *call, struct details *details, struct str text)
{
    struct str why, entity_id;
    int64_t until_s = 0;
    if (!saml_metadata_read(call->arena, text, &entity_id, &until_s, &why))
        return gh_fail(call->arena, &iam_InvalidInputException, "%.*s", STR_FMT(why));
    details->metadata = text;
    details->valid_until_us = until_s ? until_s * 1000000 : call->now_us + CENTURY_US;
    return NULL;
}

static bool is_private_key(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t)"") : NULL;
    bool fine = key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return fine;
}

/* "You can have up to two private keys": for rotation. */
static gh_err add_key(struct call *call, struct tx *tx, const struct entity *provider, struct str pem)
{
    struct provider_keys keys;
    if (!is_private_key(pem))
        return gh_fail(call->arena, &iam_InvalidInputException, "The private key must be an RSA key in PEM format.");
    gh_err err = provider_key_list(call->db, tx, call->sealer, call->arena, provider->id, &keys);
    if (!err && keys.n >= MOST_KEYS)
        err = gh_fail(call->arena, &iam_LimitExceededException, "Cannot exceed quota for PrivateKeysPerSAMLProvider: %d",
                      MOST_KEYS);
    if (err)
        return err;
    struct provider_key key = { .pem = pem, .created_us = call->now_us,
                                .id = str_concat(call->arena, STR("SAMLPK"),
                                                 id_random(call->env, call->arena, 17, ID_UPPER_BASE32)) };
    provider_key_insert(tx, call->sealer, provider->id, &key);
    return NULL;
}

static gh_err remove_key(struct call *call, struct tx *tx, const struct entity *provider, struct str id)
{
    provider_key_delete(tx, provider->id, id);
    if (tx->err || tx->changes)
        return NULL; /* a failure of the transaction is told when it ends */
    return gh_fail(call->arena, &iam_NoSuchEntityException, "The private key with id %.*s cannot be found.",
                   STR_FMT(id));
}

/* Assertions that must be encrypted could never be read without a key. */
static gh_err check_mode(struct call *call, struct tx *tx, const struct entity *provider, const struct details *details)
{
    struct provider_keys keys;
    if (!str_is(details->mode, "Required"))
        return NULL;
    gh_err err = provider_key_list(call->db, tx, call->sealer, call->arena, provider->id, &keys);
    if (!err && keys.n == 0)
        err = gh_fail(call->arena, &iam_InvalidInputException,
                      "A private key is required when AssertionEncryptionMode is Required.");
    return err;
}

gh_err iam_CreateSAMLProvider(struct call *call, const struct iam_CreateSAMLProvider_in *in,
                              struct iam_CreateSAMLProvider_out *out)
{
    struct entity provider = { .kind = ENTITY_SAML, .name = in->name, .tags = in->tags };
    struct details details = { .mode = in->assertion_encryption_mode };
    gh_err err = set_metadata(call, &details, in->saml_metadata_document);
    if (err)
        return err;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    err = iam_create(call, &tx, &provider);
    if (!err && in->add_private_key.ptr)
        err = add_key(call, &tx, &provider, in->add_private_key);
    if (!err)
        err = check_mode(call, &tx, &provider, &details);
    if (!err)
        provider_put(&tx, provider.id, print(call->arena, &details));
    err = iam_finish(&tx, err);
    if (err)
        return err;
    out->saml_provider_arn = provider.arn;
    out->tags = provider.tags;
    return NULL;
}

gh_err iam_UpdateSAMLProvider(struct call *call, const struct iam_UpdateSAMLProvider_in *in,
                              struct iam_UpdateSAMLProvider_out *out)
{
    struct entity provider;
    struct details details;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_arn(call, &tx, ENTITY_SAML, in->saml_provider_arn, &provider);
    if (!err)
        err = load(call, &tx, &provider, &details);
    if (!err && in->saml_metadata_document.ptr)
        err = set_metadata(call, &details, in->saml_metadata_document);
    if (!err && in->remove_private_key.ptr)
        err = remove_key(call, &tx, &provider, in->remove_private_key);
    if (!err && in->add_private_key.ptr)
        err = add_key(call, &tx, &provider, in->add_private_key);
    if (!err && in->assertion_encryption_mode.ptr)
        details.mode = in->assertion_encryption_mode;
    if (!err)
        err = check_mode(call, &tx, &provider, &details);
    if (!err)
        provider_put(&tx, provider.id, print(call->arena, &details));
    out->saml_provider_arn = in->saml_provider_arn;
    return iam_finish(&tx, err);
}

gh_err iam_GetSAMLProvider(struct call *call, const struct iam_GetSAMLProvider_in *in,
                           struct iam_GetSAMLProvider_out *out)
{
    struct entity provider;
    struct details details;
    struct provider_keys keys;
    gh_err err = iam_find_arn(call, NULL, ENTITY_SAML, in->saml_provider_arn, &provider);
    if (!err)
        err = load(call, NULL, &provider, &details);
    if (!err)
        err = provider_key_list(call->db, NULL, call->sealer, call->arena, provider.id, &keys);
    if (err)
        return err;
    out->saml_provider_uuid = provider.id;
    out->saml_metadata_document = details.metadata;
    out->create_date = iam_time(provider.created_us);
    out->valid_until = iam_time(details.valid_until_us);
    out->tags = provider.tags;
    out->assertion_encryption_mode = details.mode;
    out->private_key_list = (struct iam_privateKeyList){
        true, keys.n, ARENA_ARRAY(call->arena, struct iam_SAMLPrivateKey *, keys.n) };
    for (size_t i = 0; i < keys.n; i++) {
        out->private_key_list.items[i] = ARENA_NEW(call->arena, struct iam_SAMLPrivateKey);
        *out->private_key_list.items[i] = (struct iam_SAMLPrivateKey){ keys.items[i].id,
                                                                       iam_time(keys.items[i].created_us) };
    }
    return NULL;
}

gh_err iam_ListSAMLProviders(struct call *call, const struct iam_ListSAMLProviders_in *in,
                             struct iam_ListSAMLProviders_out *out)
{
    (void)in;
    struct entity_list all;
    gh_err err = entity_list(call->db, call->arena, call->account, ENTITY_SAML, STR_NONE, STR_NONE, 1 << 20, &all);
    if (err)
        return err;
    struct iam_SAMLProviderListType *list = &out->saml_provider_list;
    *list = (struct iam_SAMLProviderListType){ true, all.n,
                                               ARENA_ARRAY(call->arena, struct iam_SAMLProviderListEntry *, all.n) };
    for (size_t i = 0; !err && i < all.n; i++) {
        struct details details = { 0 };
        err = load(call, NULL, &all.items[i], &details);
        list->items[i] = ARENA_NEW(call->arena, struct iam_SAMLProviderListEntry);
        *list->items[i] = (struct iam_SAMLProviderListEntry){ all.items[i].arn, iam_time(details.valid_until_us),
                                                              iam_time(all.items[i].created_us) };
    }
    return err;
}

gh_err iam_DeleteSAMLProvider(struct call *call, const struct iam_DeleteSAMLProvider_in *in,
                              struct iam_DeleteSAMLProvider_out *out)
{
    (void)out;
    struct entity provider;
    struct tx tx;
    tx_begin(&tx, call->db, call->arena);
    gh_err err = iam_find_arn(call, &tx, ENTITY_SAML, in->saml_provider_arn, &provider);
    if (!err)
        entity_delete(&tx, provider.id);
    return iam_finish(&tx, err);
}

/* "arn:aws:iam::1:saml-provider/Name" */
bool saml_provider_find(struct call *call, struct str arn, struct saml_provider *out)
{
    struct call as = *call; /* an assertion comes in without a signature: the account is the ARN's */
    struct entity provider;
    struct details details;
    struct provider_keys keys;
    struct str rest = arn, account = STR_NONE;
    for (int i = 0; i < 5; i++)
        if (!str_split(&rest, ':', &account))
            return false;
    as.account = account;
    gh_err err = iam_find_arn(&as, NULL, ENTITY_SAML, arn, &provider);
    if (!err)
        err = load(&as, NULL, &provider, &details);
    if (!err)
        err = provider_key_list(call->db, NULL, call->sealer, call->arena, provider.id, &keys);
    if (err && err->kind != &iam_NoSuchEntityException)
        log_at(LOG_ERROR, "identity provider could not be read", { "arn", arn }, { "error", err->message });
    if (err)
        return false;
    struct str *pems = ARENA_ARRAY(call->arena, struct str, keys.n);
    for (size_t i = 0; i < keys.n; i++)
        pems[i] = keys.items[i].pem;
    *out = (struct saml_provider){
        .arn = provider.arn,
        .account = provider.account,
        .name = provider.name,
        .uuid = provider.id,
        .metadata = details.metadata,
        .encryption_required = str_is(details.mode, "Required"),
        .private_keys = pems,
        .n_private_keys = keys.n,
    };
    return true;
}
