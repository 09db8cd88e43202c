#include "vectors.h"

#include <argon2.h>
#include <pthread.h>

#include "core/password.h"

static const struct password_cost quick = { .memory_kib = 64, .passes = 1, .lanes = 1 };

/* The library we trust gives RFC 9106's tag (with a secret and associated data, which we do not use). */
static void argon2id_of_rfc9106(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    json_t *file = vector_json(arena, "crypto-kat/argon2-rfc9106.json");
    const json_t *params = json_object_get(file, "params");
    struct str password = vector_hex(arena, params, "password_hex"),
               salt = vector_hex(arena, params, "salt_hex"), secret = vector_hex(arena, params, "secret_hex"),
               data = vector_hex(arena, params, "associated_data_hex");
    uint8_t tag[32];
    argon2_context ctx = {
        .out = tag,
        .outlen = sizeof tag,
        .version = ARGON2_VERSION_13,
        .pwd = (uint8_t *)(uintptr_t)password.ptr,
        .pwdlen = (uint32_t)password.len,
        .salt = (uint8_t *)(uintptr_t)salt.ptr,
        .saltlen = (uint32_t)salt.len,
        .secret = (uint8_t *)(uintptr_t)secret.ptr,
        .secretlen = (uint32_t)secret.len,
        .ad = (uint8_t *)(uintptr_t)data.ptr,
        .adlen = (uint32_t)data.len,
        .t_cost = 3,
        .m_cost = 32,
        .lanes = 4,
        .threads = 1,
    };
    assert_int_equal(argon2id_ctx(&ctx), ARGON2_OK);
    assert_string_equal(hex_encode(arena, (struct str){ (char *)tag, sizeof tag }).ptr,
                        json_str(json_object_get(file, "tags"), "argon2id").ptr);
    arena_free(arena);
}

static void hash_and_verify(void **state)
{
    (void)state;
    struct env env;
    env_system(&env);
    struct arena *arena = arena_new(4096);
    struct str hash = password_hash(&env, arena, STR("correct horse"), &quick);
    assert_true(str_starts(hash, STR("$argon2id$v=19$m=64,t=1,p=1$")));
    assert_true(password_verify(arena, STR("correct horse"), hash));
    assert_false(password_verify(arena, STR("correct horsf"), hash));
    assert_false(password_verify(arena, STR(""), hash));
    assert_false(password_verify(arena, STR("correct horse"), STR_NONE));
    assert_false(password_verify(arena, STR("correct horse"), STR("$argon2i$v=19$m=64,t=1,p=1$AAAA$AAAA")));
    assert_false(str_eq(hash, password_hash(&env, arena, STR("correct horse"), &quick))); /* a salt each */
    arena_free(arena);
}

/* Our PHC strings are the reference library's, and its are ours. */
static void the_library_reads_what_we_write(void **state)
{
    (void)state;
    struct env env;
    env_system(&env);
    struct arena *arena = arena_new(4096);
    char theirs[256];
    for (size_t salt = 8; salt < 20; salt++) {
        assert_int_equal(argon2id_hash_encoded(2, 64, 3, "horse", 5, "0123456789abcdefghij", salt, 16 + salt,
                                               theirs, sizeof theirs),
                         ARGON2_OK);
        assert_true(password_verify(arena, STR("horse"), str_of(theirs)));
        assert_false(password_verify(arena, STR("house"), str_of(theirs)));
    }
    struct str ours = password_hash(&env, arena, STR("horse"), &quick);
    assert_int_equal(argon2id_verify(ours.ptr, "horse", 5), ARGON2_OK);
    for (size_t n = 0; n < ours.len; n++) /* cut anywhere it is no hash, or another */
        assert_false(password_verify(arena, STR("horse"), str_sub(ours, 0, n)));
    arena_free(arena);
}

static void *hash_some(void *ptr)
{
    const struct str *hash = ptr;
    struct arena *arena = arena_new(4096);
    intptr_t wrong = 0;
    for (int i = 0; i < 20; i++)
        wrong += !password_verify(arena, STR("correct horse"), *hash) +
                 password_verify(arena, STR("wrong"), *hash);
    arena_free(arena);
    return (void *)wrong; /* NOLINT(performance-no-int-to-ptr) */
}

static void a_crowd_takes_turns(void **state)
{
    (void)state;
    struct env env;
    env_system(&env);
    struct arena *arena = arena_new(4096);
    struct str hashes[2] = { password_hash(&env, arena, STR("correct horse"), &quick),
                             password_hash(&env, arena, STR("correct horse"),
                                           &(struct password_cost){ 128, 1, 1 }) };
    pthread_t threads[16];
    for (int i = 0; i < 16; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_some, &hashes[i % 2]), 0);
    for (int i = 0; i < 16; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    arena_free(arena);
}

static void the_default_is_owasp_s(void **state)
{
    (void)state;
    struct env env;
    env_system(&env);
    struct arena *arena = arena_new(4096);
    struct str hash = password_hash(&env, arena, STR("x"), &PASSWORD_COST_DEFAULT);
    assert_true(str_starts(hash, STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(argon2id_of_rfc9106),
        cmocka_unit_test(hash_and_verify),
        cmocka_unit_test(the_library_reads_what_we_write),
        cmocka_unit_test(a_crowd_takes_turns),
        cmocka_unit_test(the_default_is_owasp_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
