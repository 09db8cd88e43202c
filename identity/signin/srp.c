/* USER_SRP_AUTH and its PASSWORD_VERIFIER.
 *
 * Between question and answer nothing is kept here: b, A, B and the user travel sealed in the
 * SECRET_BLOCK, which the client signs and sends back. A user who is not there gets a challenge like
 * any other, the same for the same name: "stable for the same (username, pool)" (RFC 5054, 2.5.1.3). */
#include "core/base64.h"
#include "core/digest.h"
#include "core/json.h"
#include "identity/signin/sign_in.h"
#include "identity/signin/srp_numbers.h"

enum { NUMBER = 384 };

struct block {
    int64_t at_us;
    uint8_t b[SRP_EXPONENT_BYTES];
    uint8_t B[NUMBER], A[NUMBER]; /* left-padded with zeros */
    char sub[36];                 /* all zero: nobody */
    char nobody[64];              /* as whom guesses at a name that is nobody's are counted; all zero: somebody */
    char sign_in[36];             /* id of the sign-in whose Session goes with it; all zero: it goes alone */
};

/* Who is asked: a user, or somebody made up. */
struct asked {
    struct str user_id, sub, salt_hex, verifier;
};

static struct str block_place(const struct sign_in *s)
{
    return str_concat(s->call->arena, STR("pool-srp/"), s->client.id);
}

static void pad_into(uint8_t out[NUMBER], struct str number)
{
    memset(out, 0, NUMBER);
    memcpy(out + NUMBER - number.len, number.ptr, number.len);
}

static struct str unpadded(const uint8_t number[NUMBER])
{
    struct str n = digest_str(number, NUMBER);
    while (n.len > 0 && n.ptr[0] == 0)
        n = str_from(n, 1);
    return n;
}

/* A sealed value is text; SECRET_BLOCK is base64 of bytes. One encoding instead of two. */
static struct str block_encode(const struct sign_in *s, const struct block *block)
{
    struct str bytes, text = seal(s->call->sealer, s->call->arena, block_place(s),
                                  (struct str){ (const char *)block, sizeof *block });
    if (!base64url_decode(s->call->arena, str_from(text, 3), &bytes))
        return STR_NONE;
    return base64_encode(s->call->arena, bytes);
}

static bool block_decode(const struct sign_in *s, struct str bytes, struct block *out)
{
    struct str plain;
    struct str text = str_concat(s->call->arena, STR("v1."), base64url_encode(s->call->arena, bytes));
    if (!unseal(s->call->sealer, s->call->arena, block_place(s), text, &plain) || plain.len != sizeof *out)
        return false;
    memcpy(out, plain.ptr, sizeof *out);
    return true;
}

/* Numbers out of the name and a key of ours: nobody can tell them from a user's. */
static struct asked nobody(const struct sign_in *s, struct str name)
{
    struct arena *arena = s->call->arena;
    uint8_t mac[SHA256_BYTES], *v = arena_alloc(arena, NUMBER, 1);
    struct str who = str_printf(arena, "%.*s/%.*s", STR_FMT(s->client.pool.id),
                                STR_FMT(pool_fold(s->call, &s->client.pool, name)));
    for (size_t i = 0; i < NUMBER / sizeof mac; i++) {
        sealer_mac(s->call->sealer, STR("pool-nobody-v"), str_printf(arena, "%zu/%.*s", i, STR_FMT(who)),
                   mac);
        memcpy(v + i * sizeof mac, mac, sizeof mac);
    }
    v[0] &= 0x7f; /* below N */
    sealer_mac(s->call->sealer, STR("pool-nobody"), who, mac);
    const char *hex = hex_encode(arena, digest_str(mac, 16)).ptr;
    return (struct asked){
        .user_id = str_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20),
        .salt_hex = srp_hex(arena, digest_str(mac + 16, SRP_SALT_BYTES)),
        .verifier = digest_str(v, NUMBER),
    };
}

static struct asked somebody(const struct sign_in *s)
{
    return (struct asked){ s->user.username, s->user.sub, s->user.salt, user_verifier(s->call, &s->user) };
}

/* SRP_A, of this request. */
static gh_err given_number(const struct sign_in *s, struct str *A)
{
    struct str hex;
    gh_err err = sign_in_need(s, "SRP_A", &hex);
    if (err)
        return err;
    if (srp_number(s->call->arena, hex, A) && A->len > 0 && A->len <= NUMBER)
        return NULL;
    return gh_fail(s->call->arena, &idp_InvalidParameterException, "SRP_A is not a valid number.");
}

gh_err srp_begin(struct sign_in *s)
{
    struct str name, A;
    gh_err err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = given_number(s, &A);
    if (!err)
        err = sign_in_find_user(s);
    return err ? err : sign_in_ask(s, "PASSWORD_VERIFIER");
}

gh_err srp_start(struct sign_in *s)
{
    struct str name = json_str(s->state, "name"), A;
    gh_err err = given_number(s, &A);
    if (err)
        return err;
    struct asked asked = s->user.sub.ptr ? somebody(s) : nobody(s, name);
    if (!asked.verifier.ptr) /* a user without a password: cannot succeed, must not show */
        asked.verifier = nobody(s, name).verifier;
    if (!asked.salt_hex.ptr)
        asked.salt_hex = nobody(s, name).salt_hex;

    struct block block = { .at_us = s->call->now_us };
    env_random(s->call->env, block.b, sizeof block.b);
    struct str B = srp_public(s->call->arena, asked.verifier, block.b);
    pad_into(block.A, A);
    pad_into(block.B, B);
    if (asked.sub.ptr)
        memcpy(block.sub, asked.sub.ptr, asked.sub.len < sizeof block.sub ? asked.sub.len : sizeof block.sub);
    struct str who = asked.sub.ptr ? STR_NONE : guard_who(s->call, &s->client.pool, STR_NONE, name);
    if (who.ptr)
        memcpy(block.nobody, who.ptr, who.len < sizeof block.nobody ? who.len : sizeof block.nobody);
    struct str id = json_str(s->state, "id");
    if (!sign_in_is_bare(s) && id.len == sizeof block.sign_in)
        memcpy(block.sign_in, id.ptr, sizeof block.sign_in);
    sign_in_parameter(s, "SALT", asked.salt_hex);
    sign_in_parameter(s, "SECRET_BLOCK", block_encode(s, &block));
    sign_in_parameter(s, "SRP_B", srp_hex(s->call->arena, B));
    sign_in_parameter(s, "USERNAME", asked.user_id);
    sign_in_parameter(s, "USER_ID_FOR_SRP", asked.user_id);
    digest_wipe(&block, sizeof block);
    return NULL;
}

/* A block that was made within another flow must not be answered without that flow's Session. */
static bool block_fits(const struct sign_in *s, const struct block *block)
{
    struct str id =
        digest_str((const uint8_t *)block->sign_in, strnlen(block->sign_in, sizeof block->sign_in));
    return s->given_session.ptr ? str_eq(id, json_str(s->state, "id")) : id.len == 0;
}

/* USERNAME in the answer is USER_ID_FOR_SRP, or what was typed. */
static gh_err find_answerer(struct sign_in *s, const struct block *block, struct str name, bool *right)
{
    struct user named = { .sub = STR_NONE };
    bool found = false, is_named = false;
    struct str sub = digest_str((const uint8_t *)block->sub, strnlen(block->sub, sizeof block->sub));
    gh_err err = NULL;
    if (sub.len)
        err = store_user_find(s->call->db, NULL, s->call->arena, s->client.pool.id, USER_BY_SUB, sub,
                              &s->user, &found);
    if (!err && found && !str_eq(name, s->user.username))
        err = user_find(s->call, &s->client.pool, name, &named, &is_named);
    *right = found && (str_eq(name, s->user.username) || (is_named && str_eq(named.sub, sub)));
    return err;
}

/* The name in the answer may be the one that was made up, so that of the question counts. */
static gh_err guess(struct sign_in *s, const struct block *block, struct str name)
{
    if (!json_str(s->state, "name").ptr)
        json_set_str(s->state, "name", name);
    if (block->nobody[0])
        json_set_str(s->state, "nobody",
                     digest_str((const uint8_t *)block->nobody, strnlen(block->nobody, sizeof block->nobody)));
    return sign_in_guess(s);
}

/* "Wrong password, wrong signature or altered SECRET_BLOCK: NotAuthorizedException". The arithmetic is
 * done for nobody, too, so that time tells nothing. */
gh_err srp_answer(struct sign_in *s)
{
    struct str name, block_b64, claim_b64, timestamp, bytes, claim;
    gh_err err = sign_in_need(s, "USERNAME", &name);
    if (!err)
        err = sign_in_need(s, "PASSWORD_CLAIM_SECRET_BLOCK", &block_b64);
    if (!err)
        err = sign_in_need(s, "PASSWORD_CLAIM_SIGNATURE", &claim_b64);
    if (!err)
        err = sign_in_need(s, "TIMESTAMP", &timestamp);
    if (!err)
        err = sign_in_check_secret_hash(s, name);
    if (err)
        return err;

    struct block block;
    bool someone;
    if (!base64_decode(s->call->arena, block_b64, &bytes) ||
        !base64_decode(s->call->arena, claim_b64, &claim) || !block_decode(s, bytes, &block) ||
        !block_fits(s, &block) || !srp_timestamp_is_canonical(timestamp))
        return sign_in_refused(s);
    int64_t until_s = block.at_us / 1000000 + s->client.session_ttl_s;
    if (s->call->now_us / 1000000 >= until_s)
        return sign_in_refused(s);
    if (!s->given_session.ptr)
        s->spend_until_s = until_s;
    err = find_answerer(s, &block, name, &someone);
    if (!err)
        err = guess(s, &block, name);
    if (err)
        return err;
    struct asked asked = someone ? somebody(s) : nobody(s, name);
    bool has_password = someone && asked.verifier.ptr;
    if (!asked.verifier.ptr)
        asked.verifier = nobody(s, name).verifier;

    uint8_t key[SRP_KEY_BYTES], expected[SRP_CLAIM_BYTES];
    bool right = srp_key(s->call->arena, unpadded(block.A), unpadded(block.B), asked.verifier, block.b, key);
    if (right) {
        srp_claim(key, s->client.pool.name, asked.user_id, bytes, timestamp, expected);
        right = digest_equal(digest_str(expected, sizeof expected), claim) && has_password;
    }
    digest_wipe(key, sizeof key);
    digest_wipe(&block, sizeof block);
    if (!right)
        return sign_in_wrong_password(s);
    err = sign_in_check_user(s);
    if (!s->given_session.ptr) {
        s->spend = block_b64;
        json_set_str(s->state, "name", name);
        json_set_str(s->state, "sub", s->user.sub);
    }
    return err ? err : sign_in_passed(s, "PASSWORD_VERIFIER");
}
