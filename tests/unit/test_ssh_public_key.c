/* SSH public keys as people paste them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "core/base64.h"
#include "identity/iam/credentials/ssh_public_key.h"

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* A blob of fields, each of that many bytes: the first byte, then 0xff, odd at the end. */
static struct str blob_of(const char *type, size_t e_bytes, uint8_t e_first, size_t n_bytes, uint8_t n_first, int extra)
{
    struct strbuf blob = strbuf_in(arena, 1024);
    const struct {
        struct str text;
        size_t bytes;
        uint8_t first;
    } fields[] = { { str_of(type), strlen(type), 0 }, { STR_NONE, e_bytes, e_first }, { STR_NONE, n_bytes, n_first } };
    for (size_t i = 0; i < COUNT(fields); i++) {
        for (int shift = 24; shift >= 0; shift -= 8)
            strbuf_char(&blob, (char)(fields[i].bytes >> shift & 0xff));
        strbuf_add(&blob, fields[i].text);
        for (size_t b = 0; !fields[i].text.ptr && b < fields[i].bytes; b++)
            strbuf_char(&blob, (char)(b ? 0xff : fields[i].first));
    }
    for (int i = 0; i < extra; i++)
        strbuf_char(&blob, 'x');
    return strbuf_view(&blob);
}

static enum ssh_key_verdict read_blob(const char *type, struct str blob, struct ssh_public_key *key)
{
    return ssh_public_key_read(
        arena, str_printf(arena, "%s %.*s a comment\n", type, STR_FMT(base64_encode(arena, blob))), key);
}

static void blobs(void **state)
{
    (void)state;
    struct ssh_public_key key;
    const struct {
        const char *name, *type;
        struct str blob;
        enum ssh_key_verdict verdict;
    } rows[] = {
        { "2048 bits", "ssh-rsa", blob_of("ssh-rsa", 3, 1, 257, 0, 0), SSH_KEY_OK },
        { "16384 bits", "ssh-rsa", blob_of("ssh-rsa", 3, 1, 2049, 0, 0), SSH_KEY_OK },
        { "too many bits", "ssh-rsa", blob_of("ssh-rsa", 3, 1, 2050, 0, 0), SSH_KEY_INVALID },
        { "2047 bits", "ssh-rsa", blob_of("ssh-rsa", 3, 1, 256, 0x7f, 0), SSH_KEY_INVALID },
        { "a negative modulus", "ssh-rsa", blob_of("ssh-rsa", 3, 1, 256, 0x80, 0), SSH_KEY_INVALID },
        { "a long exponent", "ssh-rsa", blob_of("ssh-rsa", 9, 1, 257, 0, 0), SSH_KEY_INVALID },
        { "no exponent", "ssh-rsa", blob_of("ssh-rsa", 0, 1, 257, 0, 0), SSH_KEY_INVALID },
        { "exponent 1", "ssh-rsa", blob_of("ssh-rsa", 1, 1, 257, 0, 0), SSH_KEY_INVALID },
        { "bytes behind it", "ssh-rsa", blob_of("ssh-rsa", 3, 1, 257, 0, 1), SSH_KEY_INVALID },
        { "cut off", "ssh-rsa", str_sub(blob_of("ssh-rsa", 3, 1, 257, 0, 0), 0, 200), SSH_KEY_INVALID },
        { "another kind inside", "ssh-rsa", blob_of("ssh-dss", 3, 1, 257, 0, 0), SSH_KEY_INVALID },
        { "another kind", "ssh-ed25519", blob_of("ssh-ed25519", 3, 1, 257, 0, 0), SSH_KEY_INVALID },
        { "no kind", "rsa", blob_of("ssh-rsa", 3, 1, 257, 0, 0), SSH_KEY_UNRECOGNIZED },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (read_blob(rows[i].type, rows[i].blob, &key) != rows[i].verdict)
            fail_msg("%s", rows[i].name);
    static const char *const texts[] = { "", " ", "ssh-rsa", "hello world", "AAAA", "-----BEGI" };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (ssh_public_key_read(arena, str_of(texts[i]), &key) != SSH_KEY_UNRECOGNIZED)
            fail_msg("'%s'", texts[i]);
    assert_int_equal(ssh_public_key_read(arena, STR("ssh-rsa !!!"), &key), SSH_KEY_INVALID);
    assert_int_equal(ssh_public_key_read(arena, STR("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"), &key),
                     SSH_KEY_INVALID);
}

/* There and back gives the same key. */
static void both_encodings(void **state)
{
    (void)state;
    struct ssh_public_key key, again;
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    assert_int_equal(PEM_write_bio_PUBKEY(bio, pkey), 1);
    long len = BIO_get_mem_data(bio, &bytes);
    struct str pem = str_copy(arena, (struct str){ bytes, (size_t)len });
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    assert_int_equal(ssh_public_key_read(arena, pem, &key), SSH_KEY_OK);
    assert_true(key.pem && key.fingerprint.len == 47 && key.fingerprint.ptr[2] == ':');
    assert_int_equal(ssh_public_key_read(arena, ssh_public_key_as_ssh(arena, &key), &again), SSH_KEY_OK);
    assert_true(!again.pem && str_eq(again.blob, key.blob) && str_eq(again.fingerprint, key.fingerprint));
    assert_true(str_eq(ssh_public_key_as_pem(arena, &again), pem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(blobs, setup, teardown),
        cmocka_unit_test_setup_teardown(both_encodings, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
