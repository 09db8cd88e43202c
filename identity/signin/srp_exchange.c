#include "identity/signin/srp_exchange.h"

#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"

struct str srp_text(const char *member, size_t size)
{
    size_t len = strnlen(member, size);
    return len ? (struct str){ member, len } : STR_NONE;
}

void srp_set_text(char *member, size_t size, struct str value)
{
    if (value.ptr)
        memcpy(member, value.ptr, value.len < size ? value.len : size);
}

static struct str seal_place(const struct sign_in *s, const char *place)
{
    return str_printf(s->call->arena, "%s/%.*s", place, STR_FMT(s->client.id));
}

static void pad_into(uint8_t out[SRP_NUMBER_BYTES], struct str number)
{
    memset(out, 0, SRP_NUMBER_BYTES);
    memcpy(out + SRP_NUMBER_BYTES - number.len, number.ptr, number.len);
}

static struct str unpadded(const uint8_t number[SRP_NUMBER_BYTES])
{
    struct str n = digest_str(number, SRP_NUMBER_BYTES);
    while (n.len > 0 && n.ptr[0] == 0)
        n = str_from(n, 1);
    return n;
}

/* A sealed value is text; SECRET_BLOCK is base64 of bytes. One encoding instead of two. */
static struct str encode(const struct sign_in *s, const char *place, const struct srp_exchange *exchange)
{
    struct str bytes, text = seal(s->call->sealer, s->call->arena, seal_place(s, place),
                                  (struct str){ (const char *)exchange, sizeof *exchange });
    if (!base64url_decode(s->call->arena, str_from(text, 3), &bytes))
        return STR_NONE;
    return base64_encode(s->call->arena, bytes);
}

static bool decode(const struct sign_in *s, const char *place, struct str bytes, struct srp_exchange *out)
{
    struct str plain;
    struct str text = str_concat(s->call->arena, STR("v1."), base64url_encode(s->call->arena, bytes));
    if (!unseal(s->call->sealer, s->call->arena, seal_place(s, place), text, &plain) ||
        plain.len != sizeof *out)
        return false;
    memcpy(out, plain.ptr, sizeof *out);
    return true;
}

gh_err srp_given(const struct sign_in *s, struct str *A)
{
    struct str hex;
    gh_err err = sign_in_need(s, "SRP_A", &hex);
    if (err)
        return err;
    if (srp_number(s->call->arena, hex, A) && A->len > 0 && A->len <= SRP_NUMBER_BYTES)
        return NULL;
    return gh_fail(s->call->arena, &idp_InvalidParameterException, "SRP_A is not a valid number.");
}

void srp_question(struct sign_in *s, const char *place, struct srp_exchange *exchange, struct str A,
                  struct str salt_hex, struct str verifier)
{
    exchange->at_us = s->call->now_us;
    env_random(s->call->env, exchange->b, sizeof exchange->b);
    struct str B = srp_public(s->call->arena, verifier, exchange->b);
    pad_into(exchange->A, A);
    pad_into(exchange->B, B);
    if (!sign_in_is_bare(s))
        SRP_SET_TEXT(exchange->sign_in, json_str(s->state, "id"));
    sign_in_parameter(s, "SALT", salt_hex);
    sign_in_parameter(s, "SECRET_BLOCK", encode(s, place, exchange));
    sign_in_parameter(s, "SRP_B", srp_hex(s->call->arena, B));
    digest_wipe(exchange, sizeof *exchange);
}

gh_err srp_need_proof(const struct sign_in *s, struct srp_proof *proof)
{
    gh_err err = sign_in_need(s, "PASSWORD_CLAIM_SECRET_BLOCK", &proof->block_base64);
    if (!err)
        err = sign_in_need(s, "PASSWORD_CLAIM_SIGNATURE", &proof->claim);
    return err ? err : sign_in_need(s, "TIMESTAMP", &proof->timestamp);
}

/* A block that was made within another flow must not be answered without that flow's Session. */
static bool fits(const struct sign_in *s, const struct srp_exchange *exchange)
{
    struct str id = SRP_TEXT(exchange->sign_in);
    return s->given_session.ptr ? str_eq(id, json_str(s->state, "id")) : !id.ptr;
}

bool srp_open(const struct sign_in *s, const char *place, struct srp_proof *proof,
              struct srp_exchange *exchange)
{
    return base64_decode(s->call->arena, proof->block_base64, &proof->block) &&
           base64_decode(s->call->arena, proof->claim, &proof->claim) &&
           decode(s, place, proof->block, exchange) && fits(s, exchange) &&
           srp_timestamp_is_canonical(proof->timestamp) &&
           s->call->now_us / 1000000 < exchange->at_us / 1000000 + s->client.session_ttl_s;
}

bool srp_proves(struct arena *arena, struct srp_exchange *exchange, const struct srp_proof *proof,
                struct str group, struct str who, struct str verifier)
{
    uint8_t key[SRP_KEY_BYTES], expected[SRP_CLAIM_BYTES];
    bool right = srp_key(arena, unpadded(exchange->A), unpadded(exchange->B), verifier, exchange->b, key);
    if (right) {
        srp_claim(key, group, who, proof->block, proof->timestamp, expected);
        right = digest_equal(digest_str(expected, sizeof expected), proof->claim);
    }
    digest_wipe(key, sizeof key);
    digest_wipe(exchange, sizeof *exchange);
    return right;
}
