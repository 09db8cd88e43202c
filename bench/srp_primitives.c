/* What an SRP sign-in cannot do without, and nothing else: three exponentiations modulo a
 * 3072-bit prime with 256-bit exponents (g^b, v^u, (A v^u)^b) and two RSA-2048 signatures
 * (id and access token). Prints the microseconds of CPU that one sign-in's worth takes. */
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { ROUNDS = 200 };

static double cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static void exponentiations(BN_CTX *ctx, BN_MONT_CTX *mont, const BIGNUM *n, const BIGNUM *const bases[3])
{
    BIGNUM *exponent = BN_new(), *result = BN_new();
    for (int i = 0; i < 3; i++) {
        BN_rand(exponent, 256, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
        BN_set_flags(exponent, BN_FLG_CONSTTIME);
        if (BN_mod_exp_mont_consttime(result, bases[i], exponent, n, ctx, mont) != 1)
            abort();
    }
    BN_free(exponent);
    BN_free(result);
}

static void signature(EVP_PKEY *key)
{
    unsigned char text[700] = { 'x' }, out[256];
    size_t size = sizeof out;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, out, &size, text, sizeof text) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
}

int main(void)
{
    BN_CTX *ctx = BN_CTX_new();
    BN_MONT_CTX *mont = BN_MONT_CTX_new();
    BIGNUM *n = BN_get_rfc3526_prime_3072(NULL), *g = BN_new(), *v = BN_new(), *a = BN_new();
    EVP_PKEY *key = EVP_RSA_gen(2048);
    BN_set_word(g, 2);
    BN_rand_range(v, n);
    BN_rand_range(a, n);
    BN_MONT_CTX_set(mont, n, ctx);
    const BIGNUM *const bases[3] = { g, v, a };
    signature(key); /* the first one sets up blinding */
    double begun = cpu_us();
    for (int i = 0; i < ROUNDS; i++) {
        exponentiations(ctx, mont, n, bases);
        signature(key);
        signature(key);
    }
    printf("%.1f\n", (cpu_us() - begun) / ROUNDS);
    EVP_PKEY_free(key);
    BN_free(n);
    BN_free(g);
    BN_free(v);
    BN_free(a);
    BN_MONT_CTX_free(mont);
    BN_CTX_free(ctx);
    return 0;
}
