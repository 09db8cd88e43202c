#include "identity/kms/key.h"

#include <stdlib.h>

#include "core/base64.h"
#include "core/digest.h"

static const struct str MARK = STR_INIT("GHK1"); /* then the ARN's length in two bytes, the ARN, what seal() made */

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct kms_pair *)a)->key, ((const struct kms_pair *)b)->key);
}

static void add_number(struct strbuf *buf, size_t n)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        strbuf_char(buf, (char)(n >> shift));
}

/* Sorted and with lengths, so that no two contexts look alike. */
static struct str place(struct arena *arena, struct str key_arn, const struct kms_context *context)
{
    struct kms_pair *sorted = ARENA_ARRAY(arena, struct kms_pair, context->n + 1);
    struct strbuf text = strbuf_in(arena, 256);
    uint8_t hash[SHA256_BYTES];
    if (context->n)
        memcpy(sorted, context->items, context->n * sizeof *sorted);
    qsort(sorted, context->n, sizeof *sorted, by_key);
    for (size_t i = 0; i < context->n; i++) {
        add_number(&text, sorted[i].key.len);
        strbuf_add(&text, sorted[i].key);
        add_number(&text, sorted[i].value.len);
        strbuf_add(&text, sorted[i].value);
    }
    digest_sha256(strbuf_view(&text), hash);
    return str_printf(arena, "kms/%.*s/%.*s", STR_FMT(key_arn),
                      STR_FMT(hex_encode(arena, digest_str(hash, sizeof hash))));
}

struct str kms_wrap(struct call *call, struct str key_arn, const struct kms_context *context, struct str plain)
{
    struct strbuf out = strbuf_in(call->arena, 256);
    strbuf_add(&out, MARK);
    strbuf_char(&out, (char)(key_arn.len >> 8));
    strbuf_char(&out, (char)key_arn.len);
    strbuf_add(&out, key_arn);
    strbuf_add(&out, seal(call->sealer, call->arena, place(call->arena, key_arn, context), plain));
    return strbuf_view(&out);
}

bool kms_wrapped_by(struct str ciphertext, struct str *key_arn)
{
    size_t head = MARK.len + 2;
    if (!str_starts(ciphertext, MARK) || ciphertext.len < head)
        return false;
    size_t len = (size_t)(unsigned char)ciphertext.ptr[MARK.len] << 8 | (unsigned char)ciphertext.ptr[MARK.len + 1];
    *key_arn = str_sub(ciphertext, head, len);
    return key_arn->len == len && len > 0;
}

bool kms_unwrap(struct call *call, const struct kms_context *context, struct str ciphertext, struct str *plain)
{
    struct str key_arn;
    if (!kms_wrapped_by(ciphertext, &key_arn))
        return false;
    struct str sealed = str_from(ciphertext, MARK.len + 2 + key_arn.len);
    return unseal(call->sealer, call->arena, place(call->arena, key_arn, context), sealed, plain);
}
