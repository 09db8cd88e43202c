/* Section (a) of the security exam, the rows that have a meaning where tokens are verified: a table of
 * headers, one of claims, one of shapes, and every bit of a signature. Rows about authorizers, scopes,
 * header fields and remote JWKS are tested where those live. */
#include "tests/support/identity_fixture.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "core/digest.h"

enum { NOW_S = 1800000000 };

static struct identity_fixture fixture;
static struct arena *arena;
static const struct listed_pool *pool, *other;
static const struct key *id_key, *access_key, *other_key;

static const struct key *signer_of(const struct listed_pool *of, enum key_use use)
{
    return listed_key_signer(fixture.identity->pools, of, listed_pool_current(of, use, INT64_MAX - 1));
}

static struct str kid_of(const struct listed_pool *of, enum key_use use)
{
    return listed_pool_current(of, use, INT64_MAX - 1)->stored.kid;
}

static int setup(void **state)
{
    (void)state;
    fixture_new(&fixture);
    arena = arena_new(1 << 16);
    pool = fixture_pool(&fixture, STR("us-east-1_AbCdEfGhI"));
    other = fixture_pool(&fixture, STR("us-east-1_OtherPool"));
    id_key = signer_of(pool, KEY_FOR_ID);
    access_key = signer_of(pool, KEY_FOR_ACCESS);
    other_key = signer_of(other, KEY_FOR_ID);
    return id_key && access_key && other_key ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    fixture_end(&fixture);
    return 0;
}

/* "$KID", "$AKID" (access), "$OKID" (the other pool's), "$ISS", "$BIG" (64 KiB of x). */
static struct str filled(const char *template)
{
    struct str big = { memset(arena_alloc(arena, 65536, 1), 'x', 65536), 65536 };
    const struct {
        struct str mark, value;
    } marks[] = {
        { STR_INIT("$KID"), kid_of(pool, KEY_FOR_ID) },
        { STR_INIT("$AKID"), kid_of(pool, KEY_FOR_ACCESS) },
        { STR_INIT("$OKID"), kid_of(other, KEY_FOR_ID) },
        { STR_INIT("$ISS"), pool->issuer },
        { STR_INIT("$BIG"), big },
    };
    struct strbuf out = strbuf_in(arena, 512);
    struct str rest = str_of(template);
    while (rest.len) {
        size_t i = 0;
        while (i < COUNT(marks) && !str_starts(rest, marks[i].mark))
            i++;
        if (i < COUNT(marks))
            strbuf_add(&out, marks[i].value);
        else
            strbuf_char(&out, rest.ptr[0]);
        rest = str_from(rest, i < COUNT(marks) ? marks[i].mark.len : 1);
    }
    return strbuf_view(&out);
}

static const char HEADER[] = "{\"kid\":\"$KID\",\"alg\":\"RS256\"}";
static const char CLAIMS[] =
    "{\"sub\":\"s\",\"iss\":\"$ISS\",\"aud\":\"c\",\"token_use\":\"id\",\"exp\":1800003600,"
    "\"iat\":1800000000}";

static enum token_verdict judge_at(struct str token, int64_t now_s)
{
    struct verified_token out;
    return identity_verify_token(fixture.identity, arena, token, &pool->arn, 1, true, now_s, &out);
}

static enum token_verdict judge(struct str token)
{
    return judge_at(token, NOW_S);
}

static struct str good_token(void)
{
    return fixture_sign(arena, id_key, filled(HEADER), filled(CLAIMS));
}

static void expect(const char *name, struct str token, enum token_verdict verdict)
{
    for (int round = 0; round < 2; round++) { /* a refusal must not have got into the cache */
        enum token_verdict is = judge(token);
        if (is != verdict)
            fail_msg("%s: %s, not %s", name, token_verdict_text(is), token_verdict_text(verdict));
    }
    if (judge(good_token()) != TOKEN_OK)
        fail_msg("after %s a good token is refused", name);
}

/* ---- headers: signed by the right key, so that only the header can be the reason ---- */

static const struct {
    const char *name, *header;
    enum token_verdict verdict;
} headers[] = {
    { "as it should be", HEADER, TOKEN_OK },
    { "a01 alg none", "{\"kid\":\"$KID\",\"alg\":\"none\"}", TOKEN_MALFORMED },
    { "a02 alg None", "{\"kid\":\"$KID\",\"alg\":\"None\"}", TOKEN_MALFORMED },
    { "a02 alg NONE", "{\"kid\":\"$KID\",\"alg\":\"NONE\"}", TOKEN_MALFORMED },
    { "a02 alg nOnE", "{\"kid\":\"$KID\",\"alg\":\"nOnE\"}", TOKEN_MALFORMED },
    { "a04 alg missing", "{\"kid\":\"$KID\"}", TOKEN_MALFORMED },
    { "a05 alg empty", "{\"kid\":\"$KID\",\"alg\":\"\"}", TOKEN_MALFORMED },
    { "a05 alg null", "{\"kid\":\"$KID\",\"alg\":null}", TOKEN_MALFORMED },
    { "a05 alg a list", "{\"kid\":\"$KID\",\"alg\":[\"RS256\"]}", TOKEN_MALFORMED },
    { "a05 alg a number", "{\"kid\":\"$KID\",\"alg\":1}", TOKEN_MALFORMED },
    { "a09 alg RS384", "{\"kid\":\"$KID\",\"alg\":\"RS384\"}", TOKEN_MALFORMED },
    { "a09 alg RS512", "{\"kid\":\"$KID\",\"alg\":\"RS512\"}", TOKEN_MALFORMED },
    { "a09 alg PS256", "{\"kid\":\"$KID\",\"alg\":\"PS256\"}", TOKEN_MALFORMED },
    { "a10 alg ES256 against an RSA kid", "{\"kid\":\"$KID\",\"alg\":\"ES256\"}", TOKEN_MALFORMED },
    { "a11 kid unknown", "{\"kid\":\"AAAA\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a12 kid missing", "{\"alg\":\"RS256\"}", TOKEN_MALFORMED },
    { "a13 kid a path", "{\"kid\":\"../../../../dev/null\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a13 kid environ", "{\"kid\":\"/proc/self/environ\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a13 kid backslashes", "{\"kid\":\"..\\\\..\\\\x\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a13 kid a file URL", "{\"kid\":\"file:///etc/passwd\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a14 kid SQL union", "{\"kid\":\"' UNION SELECT 'k'--\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a14 kid SQL drop", "{\"kid\":\"1;DROP TABLE pool_keys\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a14 kid SQL or", "{\"kid\":\"x' OR '1'='1\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a15 kid a pipe", "{\"kid\":\"|id\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a15 kid a substitution", "{\"kid\":\"$(id)\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a15 kid backticks", "{\"kid\":\"`id`\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a16 NUL behind the right kid", "{\"kid\":\"$KID\\u0000x\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a17 kid of 64 KiB", "{\"kid\":\"$BIG\",\"alg\":\"RS256\"}", TOKEN_MALFORMED },
    { "a18 kid a number", "{\"kid\":1,\"alg\":\"RS256\"}", TOKEN_MALFORMED },
    { "a18 kid a list", "{\"kid\":[\"$KID\"],\"alg\":\"RS256\"}", TOKEN_MALFORMED },
    { "a18 kid an object", "{\"kid\":{\"a\":\"$KID\"},\"alg\":\"RS256\"}", TOKEN_MALFORMED },
    { "a20 jku", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"jku\":\"https://evil/jwks\"}", TOKEN_MALFORMED },
    { "a21 jku like the issuer", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"jku\":\"$ISS@evil\"}",
      TOKEN_MALFORMED },
    { "a22 x5u", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"x5u\":\"https://evil/cert\"}", TOKEN_MALFORMED },
    { "a23 jwk", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\"}}", TOKEN_MALFORMED },
    { "a24 x5c", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"x5c\":[\"AAAA\"]}", TOKEN_MALFORMED },
    { "a25 x5t is not a key", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"x5t\":\"AAAA\"}", TOKEN_OK },
    { "a26 crit exp", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"crit\":[\"exp\"]}", TOKEN_MALFORMED },
    { "a27 crit unknown", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"crit\":[\"x\"]}", TOKEN_MALFORMED },
    { "a27 crit with its header", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"crit\":[\"x\"],\"x\":1}",
      TOKEN_MALFORMED },
    { "a28 crit empty", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"crit\":[]}", TOKEN_MALFORMED },
    { "a28 crit a string", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"crit\":\"b64\"}", TOKEN_MALFORMED },
    { "a28 crit twice", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"crit\":[\"b64\",\"b64\"]}", TOKEN_MALFORMED },
    { "a29 b64 false with crit", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"b64\":false,\"crit\":[\"b64\"]}",
      TOKEN_MALFORMED },
    { "a30 b64 false without", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"b64\":false}", TOKEN_MALFORMED },
    { "a31 alg twice, none last", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"alg\":\"none\"}", TOKEN_MALFORMED },
    { "a31 alg twice, none first", "{\"kid\":\"$KID\",\"alg\":\"none\",\"alg\":\"RS256\"}", TOKEN_MALFORMED },
    { "a56 a kid that is not published (any more)", "{\"kid\":\"$OKIDx\",\"alg\":\"RS256\"}",
      TOKEN_BAD_SIGNATURE },
    { "the other pool's kid", "{\"kid\":\"$OKID\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "the access key's kid", "{\"kid\":\"$AKID\",\"alg\":\"RS256\"}", TOKEN_BAD_SIGNATURE },
    { "a66 zip", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"zip\":\"DEF\"}", TOKEN_MALFORMED },
    { "a66 enc", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"enc\":\"A256GCM\"}", TOKEN_MALFORMED },
    { "a67 cty JWT", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"cty\":\"JWT\"}", TOKEN_MALFORMED },
    { "a68 typ at+jwt", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"typ\":\"at+jwt\"}", TOKEN_OK },
    { "a68 typ JWT", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"typ\":\"JWT\"}", TOKEN_OK },
    { "a68 typ logout+jwt", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"typ\":\"logout+jwt\"}", TOKEN_MALFORMED },
    { "a68 typ dpop+jwt", "{\"kid\":\"$KID\",\"alg\":\"RS256\",\"typ\":\"dpop+jwt\"}", TOKEN_MALFORMED },
    { "a62 invalid UTF-8 in the kid", "{\"kid\":\"\xff\",\"alg\":\"RS256\"}", TOKEN_MALFORMED },
};

static void header_attacks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(headers); i++)
        expect(headers[i].name, fixture_sign(arena, id_key, filled(headers[i].header), filled(CLAIMS)),
               headers[i].verdict);
}

/* ---- claims: validly signed, so that only they can be the reason ---- */

#define WITH(rest) "{\"sub\":\"s\",\"iss\":\"$ISS\",\"aud\":\"c\",\"token_use\":\"id\"," rest "}"
#define TIMES      "\"exp\":1800003600,\"iat\":1800000000"

static const struct {
    const char *name, *claims;
    enum token_verdict verdict;
} claims[] = {
    { "as they should be", CLAIMS, TOKEN_OK },
    { "a32 sub twice",
      "{\"sub\":\"admin\",\"sub\":\"s\",\"iss\":\"$ISS\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}",
      TOKEN_MALFORMED },
    { "a32 exp twice, late first", WITH(TIMES ",\"exp\":1"), TOKEN_MALFORMED },
    { "a32 exp twice, late last", WITH("\"exp\":1," TIMES), TOKEN_MALFORMED },
    { "a32 aud twice", WITH(TIMES ",\"aud\":\"d\""), TOKEN_MALFORMED },
    { "a32 scope twice", WITH(TIMES ",\"scope\":\"a\",\"scope\":\"b\""), TOKEN_MALFORMED },
    { "a32 token_use twice", WITH(TIMES ",\"token_use\":\"access\""), TOKEN_MALFORMED },
    { "a33 exp a second ago", WITH("\"exp\":1799999999,\"iat\":1799996400"), TOKEN_EXPIRED },
    { "a34 exp exactly now", WITH("\"exp\":1800000000,\"iat\":1799996400"), TOKEN_EXPIRED },
    { "exp in a second", WITH("\"exp\":1800000001,\"iat\":1799996400"), TOKEN_OK },
    { "a35 exp missing", WITH("\"iat\":1800000000"), TOKEN_MALFORMED },
    { "a36 exp a string", WITH("\"exp\":\"1800003600\",\"iat\":1800000000"), TOKEN_MALFORMED },
    { "a36 exp 1e99", WITH("\"exp\":1e99,\"iat\":1800000000"), TOKEN_MALFORMED },
    { "a36 exp negative", WITH("\"exp\":-1,\"iat\":1800000000"), TOKEN_MALFORMED },
    { "a36 exp 2^63", WITH("\"exp\":9223372036854775808,\"iat\":1800000000"), TOKEN_MALFORMED },
    { "a36 exp NaN", WITH("\"exp\":NaN,\"iat\":1800000000"), TOKEN_MALFORMED },
    { "a37 nbf in a minute", WITH(TIMES ",\"nbf\":1800000060"), TOKEN_MALFORMED },
    { "a38 nbf now", WITH(TIMES ",\"nbf\":1800000000"), TOKEN_OK },
    { "a39 iat in a minute", WITH("\"exp\":1800003600,\"iat\":1800000060"), TOKEN_MALFORMED },
    { "a40 leeway is 0: iat in a second", WITH("\"exp\":1800003600,\"iat\":1800000001"), TOKEN_MALFORMED },
    { "iat missing", WITH("\"exp\":1800003600"), TOKEN_MALFORMED },
    { "a41 iss another pool",
      "{\"sub\":\"s\",\"iss\":\"http://127.0.0.1:4566/"
      "us-east-1_OtherPool\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}",
      TOKEN_WRONG_ISSUER },
    { "a41 iss trailing slash",
      "{\"sub\":\"s\",\"iss\":\"$ISS/\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}", TOKEN_WRONG_ISSUER },
    { "a41 iss https for http",
      "{\"sub\":\"s\",\"iss\":\"https://127.0.0.1:4566/"
      "us-east-1_AbCdEfGhI\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}",
      TOKEN_WRONG_ISSUER },
    { "a41 iss upper case",
      "{\"sub\":\"s\",\"iss\":\"HTTP://127.0.0.1:4566/"
      "us-east-1_AbCdEfGhI\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}",
      TOKEN_WRONG_ISSUER },
    { "a41 iss with a suffix",
      "{\"sub\":\"s\",\"iss\":\"$ISSx\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}", TOKEN_WRONG_ISSUER },
    { "iss with a NUL behind it",
      "{\"sub\":\"s\",\"iss\":\"$ISS\\u0000\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}",
      TOKEN_WRONG_ISSUER },
    { "iss missing", "{\"sub\":\"s\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}", TOKEN_MALFORMED },
    { "a42 aud missing", "{\"sub\":\"s\",\"iss\":\"$ISS\",\"token_use\":\"id\"," TIMES "}", TOKEN_MALFORMED },
    { "aud a number", "{\"sub\":\"s\",\"iss\":\"$ISS\",\"aud\":1,\"token_use\":\"id\"," TIMES "}",
      TOKEN_MALFORMED },
    { "aud an empty list", "{\"sub\":\"s\",\"iss\":\"$ISS\",\"aud\":[],\"token_use\":\"id\"," TIMES "}",
      TOKEN_MALFORMED },
    { "a43 aud a list",
      "{\"sub\":\"s\",\"iss\":\"$ISS\",\"aud\":[\"d\",\"c\"],\"token_use\":\"id\"," TIMES "}", TOKEN_OK },
    { "sub missing", "{\"iss\":\"$ISS\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}", TOKEN_MALFORMED },
    { "sub a number", "{\"sub\":1,\"iss\":\"$ISS\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}",
      TOKEN_MALFORMED },
    { "a45 the ID key says access",
      "{\"sub\":\"s\",\"iss\":\"$ISS\",\"client_id\":\"c\",\"token_use\":\"access\"," TIMES "}",
      TOKEN_MALFORMED },
    { "token_use missing", "{\"sub\":\"s\",\"iss\":\"$ISS\",\"aud\":\"c\"," TIMES "}", TOKEN_MALFORMED },
    { "a60 deep claims",
      WITH(TIMES ",\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
      TOKEN_MALFORMED },
    { "a62 invalid UTF-8", WITH(TIMES ",\"x\":\"\xff\""), TOKEN_MALFORMED },
    { "a62 a lone surrogate", WITH(TIMES ",\"x\":\"\\ud800\""), TOKEN_MALFORMED },
    { "a62 overlong", WITH(TIMES ",\"x\":\"\xc0\xaf\""), TOKEN_MALFORMED },
    { "a list", "[1]", TOKEN_MALFORMED },
    { "a sentence", "It's a dangerous business", TOKEN_MALFORMED },
};

static void claim_attacks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(claims); i++)
        expect(claims[i].name, fixture_sign(arena, id_key, filled(HEADER), filled(claims[i].claims)),
               claims[i].verdict);
}

/* a61: a NUL inside is compared like any byte, never the end. */
static void names_are_compared_whole(void **state)
{
    (void)state;
    struct verified_token out;
    struct str token = fixture_sign(
        arena, id_key, filled(HEADER),
        filled("{\"sub\":\"admin\\u0000x\",\"iss\":\"$ISS\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}"));
    assert_int_equal(identity_verify_token(fixture.identity, arena, token, &pool->arn, 1, true, NOW_S, &out),
                     TOKEN_OK);
    assert_int_equal(out.sub.len, 7);
    assert_false(str_is(out.sub, "admin"));
}

/* a06, a07, a08: our public key as an HMAC secret, in every form somebody may have it in. */
static void hmac_with_the_public_key(void **state)
{
    (void)state;
    struct str n, e, secrets[6];
    assert_true(base64url_decode(arena, listed_pool_current(pool, KEY_FOR_ID, INT64_MAX - 1)->stored.modulus, &n));
    assert_true(base64url_decode(arena, listed_pool_current(pool, KEY_FOR_ID, INT64_MAX - 1)->stored.exponent, &e));
    EVP_PKEY *pkey = NULL;
    struct str der = key_private_der(arena, id_key);
    const unsigned char *at = (const unsigned char *)der.ptr;
    pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    assert_non_null(pkey);
    BIO *pem = BIO_new(BIO_s_mem()), *spki = BIO_new(BIO_s_mem());
    PEM_write_bio_PUBKEY(pem, pkey);
    i2d_PUBKEY_bio(spki, pkey);
    char *bytes;
    long len = BIO_get_mem_data(pem, &bytes);
    secrets[0] = str_copy(arena, (struct str){ bytes, (size_t)len });
    secrets[1] = str_trim(secrets[0]);
    len = BIO_get_mem_data(spki, &bytes);
    secrets[2] = str_copy(arena, (struct str){ bytes, (size_t)len });
    secrets[3] = listed_pool_jwks(pool, arena, 0);
    secrets[4] = n;
    secrets[5] = STR("");
    BIO_free(pem);
    BIO_free(spki);
    EVP_PKEY_free(pkey);

    static const struct {
        const char *alg;
        const EVP_MD *(*md)(void);
    } algorithms[] = {
        { "HS256", EVP_sha256 }, { "HS384", EVP_sha384 }, { "HS512", EVP_sha512 }, { "RS256", EVP_sha256 }
    };
    for (size_t a = 0; a < COUNT(algorithms); a++)
        for (size_t s = 0; s < COUNT(secrets); s++) {
            struct str header = str_printf(arena, "{\"kid\":\"%s\",\"alg\":\"%s\"}",
                                           kid_of(pool, KEY_FOR_ID).ptr, algorithms[a].alg);
            struct str input = str_printf(arena, "%s.%s", base64url_encode(arena, header).ptr,
                                          base64url_encode(arena, filled(CLAIMS)).ptr);
            unsigned char mac[EVP_MAX_MD_SIZE];
            unsigned mac_len;
            HMAC(algorithms[a].md(), secrets[s].ptr, (int)secrets[s].len, (const unsigned char *)input.ptr,
                 input.len, mac, &mac_len);
            struct str token =
                str_printf(arena, "%s.%s", input.ptr, base64url_encode(arena, digest_str(mac, mac_len)).ptr);
            expect(algorithms[a].alg, token, a == 3 ? TOKEN_BAD_SIGNATURE : TOKEN_MALFORMED);
        }
}

/* ---- the shape of a token ---- */

static void shapes(void **state)
{
    (void)state;
    struct str good = good_token(), rest = good, head, payload, sig, raw;
    str_split(&rest, '.', &head);
    str_split(&rest, '.', &payload);
    str_split(&rest, '.', &sig);
    assert_true(base64url_decode(arena, sig, &raw));
    const char *h = str_c(arena, head), *p = str_c(arena, payload), *s = str_c(arena, sig);
    char *bits =
        (char *)(uintptr_t)str_copy(arena, sig).ptr; /* 256 bytes leave 4 unused bits in the last character */
    bits[sig.len - 1] = bits[sig.len - 1] == 'A' ? 'B' : (char)(bits[sig.len - 1] + 1);
    const struct {
        const char *name;
        struct str token;
        enum token_verdict verdict;
    } rows[] = {
        { "whole", good, TOKEN_OK },
        { "a01 no signature", str_printf(arena, "%s.%s.", h, p), TOKEN_MALFORMED },
        { "a03 alg none over the old signature",
          str_printf(arena, "%s.%s.%s",
                     base64url_encode(arena, filled("{\"kid\":\"$KID\",\"alg\":\"none\"}")).ptr, p, s),
          TOKEN_MALFORMED },
        { "a50 last byte removed",
          str_printf(arena, "%s.%s.%s", h, p, base64url_encode(arena, str_sub(raw, 0, raw.len - 1)).ptr),
          TOKEN_BAD_SIGNATURE },
        { "a50 first byte removed",
          str_printf(arena, "%s.%s.%s", h, p, base64url_encode(arena, str_from(raw, 1)).ptr),
          TOKEN_BAD_SIGNATURE },
        { "a50 doubled",
          str_printf(arena, "%s.%s.%s", h, p, base64url_encode(arena, str_concat(arena, raw, raw)).ptr),
          TOKEN_BAD_SIGNATURE },
        { "a50 a zero byte more",
          str_printf(arena, "%s.%s.%s", h, p,
                     base64url_encode(arena, str_concat(arena, raw, (struct str){ "\0", 1 })).ptr),
          TOKEN_BAD_SIGNATURE },
        { "a63 padding", str_printf(arena, "%s.%s.%s==", h, p, s), TOKEN_MALFORMED },
        { "a63 white space", str_printf(arena, "%s.%s. %s", h, p, s), TOKEN_MALFORMED },
        { "a63 new line at the end", str_printf(arena, "%s.%s.%s\n", h, p, s), TOKEN_MALFORMED },
        { "a63 the other alphabet", str_printf(arena, "%s.%s.%.*s+%s", h, p, 10, s, s + 11),
          TOKEN_MALFORMED },
        { "a63 the other alphabet's slash", str_printf(arena, "%s.%s.%.*s/%s", h, p, 10, s, s + 11),
          TOKEN_MALFORMED },
        { "a63 trailing bits", str_printf(arena, "%s.%s.%s", h, p, bits), TOKEN_MALFORMED },
        { "a64 no segment", STR(""), TOKEN_MALFORMED },
        { "a64 one segment", head, TOKEN_MALFORMED },
        { "a64 two segments", str_printf(arena, "%s.%s", h, p), TOKEN_MALFORMED },
        { "a64 four segments", str_printf(arena, "%s.%s.%s.%s", h, p, s, s), TOKEN_MALFORMED },
        { "a64 five segments", str_printf(arena, "%s.%s.%s.%s.%s", h, p, s, s, s), TOKEN_MALFORMED },
        { "a64 two dots", STR(".."), TOKEN_MALFORMED },
        { "a64 trailing dot", str_printf(arena, "%s.", good.ptr), TOKEN_MALFORMED },
        { "a65 JSON serialisation",
          str_printf(arena,
                     "{\"payload\":\"%s\",\"signatures\":[{\"protected\":\"%s\",\"signature\":\"%s\"}]}", p,
                     h, s),
          TOKEN_MALFORMED },
        { "a66 JWE dir",
          str_printf(arena, "%s..%s.%s.%s",
                     base64url_encode(arena, STR("{\"alg\":\"dir\",\"enc\":\"A256GCM\"}")).ptr, p, p, p),
          TOKEN_MALFORMED },
        { "a54 a DER signature",
          str_printf(arena, "%s.%s.%s", h, p,
                     base64url_encode(arena, STR("\x30\x06\x02\x01\x01\x02\x01\x01")).ptr),
          TOKEN_BAD_SIGNATURE },
        { "a59 1 MB", (struct str){ memset(arena_alloc(arena, 1 << 20, 1), 'A', 1 << 20), 1 << 20 },
          TOKEN_MALFORMED },
        { "signed by the pool's other key", fixture_sign(arena, access_key, filled(HEADER), filled(CLAIMS)),
          TOKEN_BAD_SIGNATURE },
        { "signed by another pool", fixture_sign(arena, other_key, filled(HEADER), filled(CLAIMS)),
          TOKEN_BAD_SIGNATURE },
        { "another pool's kid and key, our issuer",
          fixture_sign(arena, other_key, filled("{\"kid\":\"$OKID\",\"alg\":\"RS256\"}"), filled(CLAIMS)),
          TOKEN_WRONG_ISSUER },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        expect(rows[i].name, rows[i].token, rows[i].verdict);
}

/* a51: each of the 2,048 bits. */
static void every_bit_of_the_signature(void **state)
{
    (void)state;
    struct str good = good_token(), sig, raw;
    size_t start = (size_t)str_find_last(good, '.') + 1;
    sig = str_from(good, start);
    assert_true(base64url_decode(arena, sig, &raw));
    assert_int_equal(raw.len, 256);
    assert_int_equal(judge(good), TOKEN_OK);
    size_t refused = 0;
    for (size_t bit = 0; bit < 2048; bit++) {
        struct arena *round = arena_new(8192);
        char bent[256];
        memcpy(bent, raw.ptr, sizeof bent);
        bent[bit / 8] ^= (char)(1 << bit % 8);
        struct str token =
            str_concat(round, str_sub(good, 0, start), base64url_encode(round, (struct str){ bent, 256 }));
        struct verified_token out;
        refused += identity_verify_token(fixture.identity, round, token, &pool->arn, 1, true, NOW_S, &out) ==
                   TOKEN_BAD_SIGNATURE;
        arena_free(round);
    }
    assert_int_equal(refused, 2048);
    assert_int_equal(judge(good), TOKEN_OK);
}

/* a58, a60: big is fine, deep and bulky is quick to be refused. */
static void sizes(void **state)
{
    (void)state;
    for (size_t size = 4096; size <= 8192; size += 4096) {
        char *fat = memset(arena_alloc(arena, size / 2 + 1, 1), 'x', size / 2);
        fat[size / 2] = '\0';
        struct str token = fixture_sign(arena, id_key, filled(HEADER),
                                        filled(str_printf(arena, WITH(TIMES ",\"fat\":\"%s\""), fat).ptr));
        expect("a58", token, TOKEN_OK);
    }
    size_t deep = 10000;
    char *brackets = memset(arena_alloc(arena, deep, 1), '[', deep);
    struct str bomb =
        str_printf(arena, "%s.e30.AAAA", base64url_encode(arena, (struct str){ brackets, deep }).ptr);
    struct timespec before, after;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    assert_int_equal(judge(bomb), TOKEN_MALFORMED);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    assert_true((after.tv_sec - before.tv_sec) * 1000000000 + (after.tv_nsec - before.tv_nsec) < 10000000);
}

/* ---- the cache, revocation ---- */

static void the_cache_asks_the_same_questions(void **state)
{
    (void)state;
    struct verified_token out;
    struct str token = good_token();
    struct identity *identity = fixture.identity;
    assert_int_equal(identity_verify_token(identity, arena, token, &pool->arn, 1, true, NOW_S, &out),
                     TOKEN_OK);
    assert_int_equal(identity_verify_token(identity, arena, token, &pool->arn, 1, true, NOW_S + 5, &out),
                     TOKEN_OK);
    assert_true(out.from_cache);
    assert_string_equal(json_str(out.claims, "aud").ptr, "c");
    assert_int_equal(out.expires_s, 1800003600);
    /* expiry, clock set back, another pool's authorizer, none at all: never the cached answer */
    assert_int_equal(judge_at(token, 1800003599), TOKEN_OK);
    assert_int_equal(judge_at(token, 1800003600), TOKEN_EXPIRED);
    assert_int_equal(judge_at(token, NOW_S - 1), TOKEN_MALFORMED);
    assert_int_equal(identity_verify_token(identity, arena, token, &other->arn, 1, true, NOW_S, &out),
                     TOKEN_WRONG_ISSUER);
    assert_int_equal(identity_verify_token(identity, arena, token, NULL, 0, true, NOW_S, &out),
                     TOKEN_WRONG_ISSUER);
    const struct str both[] = { other->arn, pool->arn };
    assert_int_equal(identity_verify_token(identity, arena, token, both, 2, true, NOW_S, &out), TOKEN_OK);
    /* the same signature under another head or payload is another token */
    struct str head = str_sub(token, 0, (size_t)str_find(token, '.'));
    struct str tail = str_from(token, (size_t)str_find_last(token, '.'));
    struct str forged = str_printf(
        arena, "%s.%s%s", str_c(arena, head),
        base64url_encode(arena, filled(WITH(TIMES ",\"cognito:groups\":[\"admin\"]"))).ptr, tail.ptr);
    expect("a74", forged, TOKEN_BAD_SIGNATURE);
}

static struct str session_token(int64_t stamp, struct str sub, struct str *origin)
{
    *origin = stamp_uuid(&fixture.env, arena, stamp);
    return fixture_sign(
        arena, id_key, filled(HEADER),
        str_printf(
            arena,
            "{\"sub\":\"%.*s\",\"iss\":\"%s\",\"aud\":\"c\",\"token_use\":\"id\",\"origin_jti\":\"%s\"," TIMES
            "}",
            STR_FMT(sub), pool->issuer.ptr, origin->ptr));
}

static void commit_user(struct str sub, int64_t stamp)
{
    struct tx tx;
    tx_begin(&tx, fixture.db, arena);
    store_revoke_user(&tx, pool->id, sub, stamp);
    assert_null(tx_commit(&tx));
    revocation_publish_user(fixture.identity->pools->revocations, pool->id, sub, stamp);
}

/* a70, a71: exact to the microsecond, kept over a restart, ignored where AWS's behaviour is asked for. */
static void revocation(void **state)
{
    (void)state;
    struct str o1, o2, o3, o4;
    const int64_t base = INT64_C(1800000000000000);
    struct str first = session_token(base + 1, STR("ada"), &o1),
               second = session_token(base + 2, STR("ada"), &o2),
               later = session_token(base + 4, STR("ada"), &o3),
               stranger = session_token(base + 1, STR("bob"), &o4);
    assert_int_equal(judge(first), TOKEN_OK);
    assert_int_equal(judge(stranger), TOKEN_OK);
    commit_user(STR("ada"), base + 3);
    assert_int_equal(judge(first), TOKEN_REVOKED);  /* was in the cache */
    assert_int_equal(judge(second), TOKEN_REVOKED); /* was not */
    assert_int_equal(judge(later), TOKEN_OK);       /* the same second, after the sign-out */
    assert_int_equal(judge(stranger), TOKEN_OK);
    struct verified_token out;
    assert_int_equal(identity_verify_token(fixture.identity, arena, first, &pool->arn, 1, false, NOW_S, &out),
                     TOKEN_OK);

    struct tx tx;
    tx_begin(&tx, fixture.db, arena);
    store_revoke_origin(&tx, pool->id, o4, NOW_S + 3600);
    assert_null(tx_commit(&tx));
    revocation_publish_origin(fixture.identity->pools->revocations, o4, NOW_S + 3600);
    assert_int_equal(judge(stranger), TOKEN_REVOKED);
    assert_int_equal(judge(later), TOKEN_OK);
}

static void a_deleted_pool_has_no_tokens(void **state)
{
    (void)state;
    const struct listed_pool *gone = fixture_pool(&fixture, STR("us-east-1_GonePool1"));
    const struct key *key = signer_of(gone, KEY_FOR_ID);
    struct str token = fixture_sign(
        arena, key, str_printf(arena, "{\"kid\":\"%s\",\"alg\":\"RS256\"}", kid_of(gone, KEY_FOR_ID).ptr),
        str_printf(arena, "{\"sub\":\"s\",\"iss\":\"%s\",\"aud\":\"c\",\"token_use\":\"id\"," TIMES "}",
                   gone->issuer.ptr));
    struct verified_token out;
    struct str jwks;
    assert_int_equal(identity_verify_token(fixture.identity, arena, token, &gone->arn, 1, true, NOW_S, &out),
                     TOKEN_OK);
    assert_true(identity_pool_exists(fixture.identity, gone->arn));
    pool_directory_remove(fixture.identity->pools, gone->id);
    assert_int_equal(identity_verify_token(fixture.identity, arena, token, &gone->arn, 1, true, NOW_S, &out),
                     TOKEN_BAD_SIGNATURE);
    assert_false(identity_pool_exists(fixture.identity, gone->arn));
    assert_false(identity_jwks(fixture.identity, arena, gone->id, &jwks));
    assert_int_equal(json_integer_value(json_object_get(out.claims, "exp")), 1800003600); /* still held */
}

/* A day's worth at most: no token lives longer. */
static void old_revocations_are_forgotten(void **state)
{
    (void)state;
    struct revocations *revocations = fixture.identity->pools->revocations;
    const int64_t day_us = INT64_C(86400000000), base = INT64_C(1900000000000000);
    for (int i = 0; i < 3000; i++)
        revocation_publish_user(revocations, pool->id, str_printf(arena, "old%d", i), base + i);
    for (int i = 0; i < 3000; i++)
        revocation_publish_origin(revocations, str_printf(arena, "old-origin%d", i), base / 1000000 + 1);
    for (int i = 0; i < 9000; i++)
        revocation_publish_user(revocations, pool->id, str_printf(arena, "new%d", i % 50),
                                base + 2 * day_us + i);
    assert_true(revocation_count(revocations) < 100);
    assert_true(revocation_holds(revocations, pool->id, STR("new49"), STR_NONE, base + 2 * day_us));
    assert_false(revocation_holds(revocations, pool->id, STR("old1"), STR_NONE, base));
}

static void after_a_restart(void **state)
{
    (void)state;
    int64_t now_us = env_now_us(&fixture.env);
    struct str sub = STR("carl");
    commit_user(sub, now_us);
    struct str pool_id = str_copy(arena, pool->id);
    fixture_close(&fixture);
    fixture_open(&fixture);
    pool = pool_directory_find(fixture.identity->pools, fixture.arena, pool_id);
    other = pool_directory_find(fixture.identity->pools, fixture.arena, STR("us-east-1_OtherPool"));
    assert_non_null(pool);
    id_key = signer_of(pool, KEY_FOR_ID);
    access_key = signer_of(pool, KEY_FOR_ACCESS);
    other_key = signer_of(other, KEY_FOR_ID);
    assert_non_null(id_key);
    assert_true(revocation_holds(fixture.identity->pools->revocations, pool->id, sub, STR_NONE, now_us));
    /* a sign-in now gets a later stamp, though the clock may have been set back */
    int64_t stamp = revocation_stamp(fixture.identity->pools->revocations, now_us - 1000000);
    assert_true(stamp > now_us);
    assert_int_equal(judge(good_token()), TOKEN_OK);
}

static void stamps_in_uuids(void **state)
{
    (void)state;
    const int64_t stamps[] = { 1, 999, 1000, 1800000000123456, 4102444800999999 };
    for (size_t i = 0; i < COUNT(stamps); i++)
        assert_int_equal(uuid_stamp(stamp_uuid(&fixture.env, arena, stamps[i])), stamps[i]);
    assert_int_equal(uuid_stamp(STR("2488f448-8061-4026-9197-ec3eb9eb3ce8")), 0);
    assert_int_equal(uuid_stamp(STR("")), 0);
    struct revocations *revocations = fixture.identity->pools->revocations;
    int64_t a = revocation_stamp(revocations, 5), b = revocation_stamp(revocations, 5);
    assert_true(b > a);
}

/* Many threads over few tokens, while users are signed out: for the sanitizers. */
static atomic_int wrong_verdicts;

static void *hammer(void *ptr)
{
    const struct str *tokens = ptr;
    for (int i = 0; i < 3000; i++) {
        struct arena *round = arena_new(2048);
        struct verified_token out;
        enum token_verdict verdict =
            identity_verify_token(fixture.identity, round, tokens[i % 8], &pool->arn, 1, i % 2, NOW_S, &out);
        bool may_be_revoked = i % 2 && i % 8 == 7;
        if (verdict == TOKEN_OK ? !str_is(json_str(out.claims, "aud"), "c")
                                : !(may_be_revoked && verdict == TOKEN_REVOKED))
            wrong_verdicts++;
        arena_free(round);
    }
    return NULL;
}

static void many_threads(void **state)
{
    (void)state;
    struct str tokens[8], origin;
    for (int i = 0; i < 8; i++)
        tokens[i] = session_token(INT64_C(1800000000000000) + i, str_printf(arena, "u%d", i), &origin);
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_create(&threads[i], NULL, hammer, tokens);
    commit_user(STR("u7"), INT64_C(1800000000000007));
    for (size_t i = 0; i < COUNT(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong_verdicts, 0);
    assert_int_equal(judge(tokens[7]), TOKEN_REVOKED);
    assert_int_equal(judge(tokens[6]), TOKEN_OK);
}

static void well_known_documents(void **state)
{
    (void)state;
    struct str text;
    assert_true(identity_jwks(fixture.identity, arena, pool->id, &text));
    const json_t *keys = json_object_get(json_parse(arena, text, NULL), "keys");
    assert_int_equal(json_array_size(keys), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *jwk = json_array_get(keys, i);
        assert_int_equal(json_str(jwk, "kid").len, 44);
        struct key *key = key_from_jwk(arena, jwk);
        struct str signature = key_sign_rs256(arena, i == 0 ? id_key : access_key, STR("x"));
        assert_true(key_verify_rs256(key, STR("x"), signature));
        key_free(key);
    }
    assert_true(identity_discovery(fixture.identity, arena, pool->id, &text));
    const json_t *document = json_parse(arena, text, NULL);
    assert_string_equal(json_str(document, "issuer").ptr, pool->issuer.ptr);
    assert_string_equal(json_str(document, "jwks_uri").ptr,
                        str_printf(arena, "%s/.well-known/jwks.json", pool->issuer.ptr).ptr);
    assert_false(identity_jwks(fixture.identity, arena, STR("us-east-1_nobody"), &text));
    assert_false(identity_discovery(fixture.identity, arena, STR(""), &text));
    assert_false(identity_pool_exists(
        fixture.identity, STR("arn:aws:cognito-idp:us-east-1:111111111111:userpool/us-east-1_AbCdEfGhI")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_attacks),
        cmocka_unit_test(claim_attacks),
        cmocka_unit_test(names_are_compared_whole),
        cmocka_unit_test(hmac_with_the_public_key),
        cmocka_unit_test(shapes),
        cmocka_unit_test(every_bit_of_the_signature),
        cmocka_unit_test(sizes),
        cmocka_unit_test(the_cache_asks_the_same_questions),
        cmocka_unit_test(revocation),
        cmocka_unit_test(a_deleted_pool_has_no_tokens),
        cmocka_unit_test(stamps_in_uuids),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(well_known_documents),
        cmocka_unit_test(old_revocations_are_forgotten),
        cmocka_unit_test(after_a_restart),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
