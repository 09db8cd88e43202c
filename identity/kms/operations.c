/* Decrypt, GenerateDataKey, DescribeKey: what a function's encryption client asks for. */
#include "core/digest.h"
#include "gen/kms.h"
#include "identity/kms/key.h"

static const struct gh_kind VALIDATION = { "ValidationException", 400, false, NULL };

static gh_err not_found(struct call *call, struct str arn)
{
    return gh_fail(call->arena, &kms_NotFoundException, "Key '%.*s' does not exist", STR_FMT(arn));
}

/* An id or an ARN of a key of this account and region. */
static gh_err key_named(struct call *call, struct str given, struct str *arn)
{
    struct str home = str_printf(call->arena, "arn:%.*s:kms:%.*s:%.*s:key/", STR_FMT(call->partition),
                                 STR_FMT(call->region), STR_FMT(call->account));
    if (!given.ptr)
        return gh_fail(call->arena, &VALIDATION,
                       "KeyId is needed here: without it, nothing could be asked about who may use the key");
    *arn = str_starts(given, STR("arn:")) ? given : str_concat(call->arena, home, given);
    bool key = str_starts(*arn, home) && arn->len > home.len && str_find(str_from(*arn, home.len), '/') < 0;
    return key ? NULL : not_found(call, *arn);
}

static struct kms_context context_of(struct call *call, const struct kms_EncryptionContextType *given)
{
    struct kms_context context = { ARENA_ARRAY(call->arena, struct kms_pair, given->n + 1), given->n };
    for (size_t i = 0; i < given->n; i++)
        context.items[i] = (struct kms_pair){ given->items[i].key, given->items[i].value };
    return context;
}

gh_err kms_Decrypt(struct call *call, const struct kms_Decrypt_in *in, struct kms_Decrypt_out *out)
{
    struct str arn, by;
    const struct kms_context context = context_of(call, &in->encryption_context);
    gh_err err = key_named(call, in->key_id, &arn);
    if (err)
        return err;
    if (!kms_wrapped_by(in->ciphertext_blob, &by))
        return gh_fail(call->arena, &kms_InvalidCiphertextException, "The ciphertext is not one of this server's.");
    if (!str_eq(by, arn))
        return gh_fail(call->arena, &kms_IncorrectKeyException,
                       "The key ID in the request does not identify a CMK that can perform this operation.");
    if (!kms_unwrap(call, &context, in->ciphertext_blob, &out->plaintext))
        return gh_fail(call->arena, &kms_InvalidCiphertextException,
                       "The ciphertext or its encryption context is not what was encrypted.");
    out->key_id = arn;
    out->encryption_algorithm = STR("SYMMETRIC_DEFAULT");
    return NULL;
}

gh_err kms_GenerateDataKey(struct call *call, const struct kms_GenerateDataKey_in *in, struct kms_GenerateDataKey_out *out)
{
    struct str arn;
    const struct kms_context context = context_of(call, &in->encryption_context);
    gh_err err = key_named(call, in->key_id, &arn);
    if (err)
        return err;
    if (in->number_of_bytes.set == (in->key_spec.ptr != NULL))
        return gh_fail(call->arena, &VALIDATION, "Please specify either number of bytes or key spec.");
    size_t n = in->number_of_bytes.set ? (size_t)in->number_of_bytes.value : str_is(in->key_spec, "AES_128") ? 16 : 32;
    char *bytes = arena_alloc(call->arena, n, 1);
    env_random(call->env, bytes, n);
    out->plaintext = (struct str){ bytes, n };
    out->ciphertext_blob = kms_wrap(call, arn, &context, out->plaintext);
    out->key_id = arn;
    return NULL;
}

gh_err kms_DescribeKey(struct call *call, const struct kms_DescribeKey_in *in, struct kms_DescribeKey_out *out)
{
    static struct str algorithms[] = { STR_INIT("SYMMETRIC_DEFAULT") };
    struct str arn;
    gh_err err = key_named(call, in->key_id, &arn);
    if (err)
        return err;
    out->key_metadata = ARENA_NEW(call->arena, struct kms_KeyMetadata);
    *out->key_metadata = (struct kms_KeyMetadata){
        .aws_account_id = call->account,
        .key_id = str_from(arn, (size_t)str_find_last(arn, '/') + 1),
        .arn = arn,
        .enabled = some_bool(true),
        .key_state = STR("Enabled"),
        .key_usage = STR("ENCRYPT_DECRYPT"),
        .key_spec = STR("SYMMETRIC_DEFAULT"),
        .key_manager = STR("CUSTOMER"),
        .encryption_algorithms = { true, 1, algorithms },
    };
    return NULL;
}
