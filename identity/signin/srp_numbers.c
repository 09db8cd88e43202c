#include "identity/signin/srp_numbers.h"

#include <openssl/bn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base64.h"
#include "core/digest.h"

enum { GROUP_BYTES = 384, GROUP_WORDS = GROUP_BYTES / 8, DIGITS = 2 * SRP_EXPONENT_BYTES };

/* Powers of g in Montgomery form: [i][d] is g^(d 16^i), so that g to any exponent is 64 multiplications
 * instead of 256 squarings and 50 multiplications. 393 KB, made with the group. */
typedef uint64_t power[GROUP_WORDS];

static const char N_HEX[] =
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF";

/* Made once: Montgomery form of N, k = H(pad(N) || pad(g)), the powers of g. */
static struct {
    pthread_once_t once;
    BIGNUM *N, *g, *k;
    BN_MONT_CTX *mont;
    power (*powers)[16];
} group = { .once = PTHREAD_ONCE_INIT };

static void group_make(void);
static void group_need(void);
static struct str padded(struct arena *arena, struct str number);
static struct str padded_bn(struct arena *arena, const BIGNUM *bn);

/* What one computation needs, freed together. */
struct work {
    BN_CTX *ctx;
    BIGNUM *a, *b, *c;
};

static void work_begin(struct work *work)
{
    group_need();
    *work = (struct work){ BN_CTX_secure_new(), BN_new(), BN_new(), BN_new() };
    if (!work->ctx || !work->a || !work->b || !work->c)
        abort(); /* no memory: as the arena does */
}

static void work_end(struct work *work)
{
    BN_clear_free(work->a);
    BN_clear_free(work->b);
    BN_clear_free(work->c);
    BN_CTX_free(work->ctx);
}

static struct str number_of(struct arena *arena, const BIGNUM *bn)
{
    size_t len = (size_t)BN_num_bytes(bn);
    char *out = arena_alloc(arena, len + 1, 1);
    BN_bn2bin(bn, (unsigned char *)out);
    return (struct str){ out, len };
}

static void set(BIGNUM *bn, struct str bytes)
{
    if (!BN_bin2bn((const unsigned char *)bytes.ptr, (int)bytes.len, bn))
        abort();
}

/* Every power of the digit is read, whatever the digit is. */
static void pick(power out, const power powers[16], unsigned digit)
{
    memset(out, 0, sizeof(power));
    for (unsigned d = 0; d < 16; d++) {
        uint64_t mask = (uint64_t)0 - (uint64_t)(((d ^ digit) - 1) >> 31);
        for (size_t i = 0; i < GROUP_WORDS; i++)
            out[i] |= mask & powers[d][i];
    }
}

/* result = g^exponent mod N; the exponent as big-endian bytes. */
static void power_of_g(struct work *work, BIGNUM *result, const uint8_t exponent[SRP_EXPONENT_BYTES])
{
    power picked;
    BIGNUM *factor = BN_secure_new();
    for (size_t i = 0; i < DIGITS; i++) {
        unsigned byte = exponent[SRP_EXPONENT_BYTES - 1 - i / 2];
        pick(picked, group.powers[i], i % 2 ? byte >> 4 : byte & 15);
        if (!BN_lebin2bn((const unsigned char *)picked, GROUP_BYTES, i ? factor : result) ||
            (i && !BN_mod_mul_montgomery(result, result, factor, group.mont, work->ctx)))
            abort();
    }
    BN_from_montgomery(result, result, group.mont, work->ctx);
    BN_clear_free(factor);
    digest_wipe(picked, sizeof picked);
}

struct str srp_verifier(struct arena *arena, struct str salt, struct str pool_name, struct str user,
                        struct str password)
{
    uint8_t identity[SHA256_BYTES], x[SHA256_BYTES];
    digest_sha256_of(identity, pool_name, user, STR(":"), password);
    digest_sha256_of(x, padded(arena, salt), digest_str(identity, sizeof identity));

    struct work work;
    work_begin(&work);
    power_of_g(&work, work.b, x);
    struct str v = number_of(arena, work.b);
    work_end(&work);
    digest_wipe(identity, sizeof identity);
    digest_wipe(x, sizeof x);
    return v;
}

struct str srp_public(struct arena *arena, struct str v, const uint8_t b[SRP_EXPONENT_BYTES])
{
    struct work work;
    work_begin(&work);
    power_of_g(&work, work.b, b);
    set(work.a, v);
    BN_mod_mul(work.c, group.k, work.a, group.N, work.ctx);
    BN_mod_add(work.c, work.c, work.b, group.N, work.ctx);
    struct str B = number_of(arena, work.c);
    work_end(&work);
    return B;
}

bool srp_key(struct arena *arena, struct str A, struct str B, struct str v,
             const uint8_t b[SRP_EXPONENT_BYTES], uint8_t key[SRP_KEY_BYTES])
{
    uint8_t u[SHA256_BYTES];
    digest_sha256_of(u, padded(arena, A), padded(arena, B));
    struct work work;
    work_begin(&work);
    set(work.a, A);
    bool ok = A.len <= GROUP_BYTES && BN_nnmod(work.a, work.a, group.N, work.ctx) == 1 && !BN_is_zero(work.a);
    if (ok) {
        /* S = (A v^u)^b; u is public, b is not */
        set(work.b, v);
        set(work.c, digest_str(u, sizeof u));
        BN_mod_exp_mont(work.b, work.b, work.c, group.N, work.ctx, group.mont);
        BN_mod_mul(work.a, work.a, work.b, group.N, work.ctx);
        set(work.c, digest_str(b, SRP_EXPONENT_BYTES));
        BN_mod_exp_mont_consttime(work.b, work.a, work.c, group.N, work.ctx, group.mont);

        BIGNUM *bn_u = work.c;
        set(bn_u, digest_str(u, sizeof u));
        struct str S = padded_bn(arena, work.b);
        uint8_t prk[SHA256_BYTES], okm[SHA256_BYTES];
        digest_hmac_sha256(padded_bn(arena, bn_u), S, prk);
        digest_hmac_sha256(digest_str(prk, sizeof prk), STR("Caldera Derived Key\x01"), okm);
        memcpy(key, okm, SRP_KEY_BYTES);
        digest_wipe((void *)(uintptr_t)S.ptr, S.len);
        digest_wipe(prk, sizeof prk);
        digest_wipe(okm, sizeof okm);
    }
    work_end(&work);
    return ok;
}

void srp_claim(const uint8_t key[SRP_KEY_BYTES], struct str pool_name, struct str user,
               struct str secret_block, struct str timestamp, uint8_t claim[SRP_CLAIM_BYTES])
{
    const struct str parts[] = { pool_name, user, secret_block, timestamp };
    digest_hmac_sha256_parts(digest_str(key, SRP_KEY_BYTES), parts, COUNT(parts), claim);
}

struct str srp_hex(struct arena *arena, struct str number)
{
    return hex_encode(arena, padded(arena, number));
}

bool srp_number(struct arena *arena, struct str hex, struct str *number)
{
    if (hex.len == 0 || hex.len > GROUP_BYTES * 2 + 2)
        return false;
    struct str even = hex.len % 2 ? str_concat(arena, STR("0"), hex) : hex;
    if (!hex_decode(arena, str_lower(arena, even), number))
        return false;
    while (number->len > 0 && number->ptr[0] == 0)
        *number = str_from(*number, 1);
    return true;
}

bool srp_timestamp_is_canonical(struct str text)
{
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    char copy[40], day[4], month[4], canonical[64];
    struct tm tm = { 0 };
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (sscanf(copy, "%3s %3s %d %d:%d:%d UTC %d", day, month, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &tm.tm_year) != 7)
        return false;
    for (tm.tm_mon = 0; tm.tm_mon < 12 && strcmp(months[tm.tm_mon], month) != 0;)
        tm.tm_mon++;
    if (tm.tm_mon == 12 || tm.tm_year < 1970 || tm.tm_year > 9999)
        return false;
    tm.tm_year -= 1900;
    struct tm real = tm;
    time_t at = timegm(&real); /* normalises: 31 Sep becomes 1 Oct, and the texts differ */
    if (!gmtime_r(&at, &real))
        return false;
    snprintf(canonical, sizeof canonical, "%s %s %d %02d:%02d:%02d UTC %d", days[real.tm_wday],
             months[real.tm_mon], real.tm_mday, real.tm_hour, real.tm_min, real.tm_sec, real.tm_year + 1900);
    return str_is(text, canonical);
}

/* base is g^(16^i) in row i. */
static void make_powers(BN_CTX *ctx)
{
    group.powers = malloc(DIGITS * sizeof *group.powers);
    BIGNUM *base = BN_new(), *one = BN_new(), *at = BN_new();
    if (!group.powers || !base || !one || !at || !BN_to_montgomery(base, group.g, group.mont, ctx) ||
        !BN_to_montgomery(one, BN_value_one(), group.mont, ctx))
        abort();
    for (size_t i = 0; i < DIGITS; i++) {
        BN_copy(at, one);
        for (size_t d = 0; d < 16; d++) {
            if (BN_bn2lebinpad(at, (unsigned char *)group.powers[i][d], GROUP_BYTES) < 0 ||
                !BN_mod_mul_montgomery(at, at, base, group.mont, ctx))
                abort();
        }
        BN_copy(base, at);
    }
    BN_free(base);
    BN_free(one);
    BN_free(at);
}

static void group_make(void)
{
    struct arena *arena = arena_new(4096);
    BN_CTX *ctx = BN_CTX_new();
    group.g = BN_new();
    group.k = BN_new();
    group.mont = BN_MONT_CTX_new();
    if (!ctx || !group.g || !group.k || !group.mont || !BN_hex2bn(&group.N, N_HEX) ||
        !BN_set_word(group.g, 2) || !BN_MONT_CTX_set(group.mont, group.N, ctx))
        abort();
    uint8_t k[SHA256_BYTES];
    digest_sha256_of(k, padded_bn(arena, group.N), padded_bn(arena, group.g));
    set(group.k, digest_str(k, sizeof k));
    make_powers(ctx);
    BN_CTX_free(ctx);
    arena_free(arena);
}

static void group_need(void)
{
    pthread_once(&group.once, group_make);
}

/* As Java's BigInteger.toByteArray writes a positive number. */
static struct str padded(struct arena *arena, struct str number)
{
    while (number.len > 0 && number.ptr[0] == 0)
        number = str_from(number, 1);
    if (number.len > 0 && !(number.ptr[0] & 0x80))
        return number;
    char *out = arena_alloc(arena, number.len + 1, 1);
    out[0] = 0;
    if (number.len > 0)
        memcpy(out + 1, number.ptr, number.len);
    return (struct str){ out, number.len + 1 };
}

static struct str padded_bn(struct arena *arena, const BIGNUM *bn)
{
    return padded(arena, number_of(arena, bn));
}
