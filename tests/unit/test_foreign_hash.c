#include "vectors.h"

#include "core/env.h"
#include "core/password.h"
#include "identity/transfer/foreign_hash.h"

#define FIREBASE "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="

/* Hashes that others have published, and the password of each. */
static const struct {
    const char *name, *password, *text;
} rows[] = {
    { "bcrypt $2a$, John the Ripper's test", "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" },
    { "bcrypt $2b$: the same up to 255 bytes", "U*U", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" },
    { "bcrypt $2y$: likewise", "U*U", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW" },
    { "RFC 6070's third, 4096 rounds of SHA-1", "password", "$pbkdf2-sha1$i=4096$c2FsdA$SwB5AbdlSJq+rUnZJvch0GWkKcE" },
    { "PBKDF2 with SHA-256, as PHC writes it", "password",
      "$pbkdf2-sha256$i=4096,l=32$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o" },
    { "PBKDF2 with SHA-256, as passlib writes it", "password",
      "$pbkdf2-sha256$4096$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o" },
    { "PBKDF2 with SHA-512, padded", "password",
      "$pbkdf2-sha512$i=4096$c2FsdA==$0Zexsz2wFD4BixLz0dFHnmzevcyXxcD4f2kC4HL0V7U=" },
    { "Django", "letmein", "pbkdf2_sha256$1000$seasalt$R1/GfWtwog1T8Ev9VndgDjzkiRzbFr8JpmJtL9cMmQU=" },
    { "RFC 7914's third", "pleaseletmein",
      "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$"
      "cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw" },
    { "argon2i, version 16 without a word: the reference's test", "password",
      "$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ" },
    { "argon2i, version 19: the reference's test", "password",
      "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA" },
    { "argon2id: the reference's test", "password",
      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc" },
    { "argon2id as Django writes it", "password",
      "argon2$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc" },
    { "SHA-512 crypt", "Hello world!",
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1" },
    { "SHA-256 crypt with rounds", "Hello world!",
      "$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA" },
    { "LDAP's salted SHA-1", "secret", "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0" },
    { "LDAP's salted SHA-256", "secret", "{SSHA256}+E+iFJ27Yu1ODPH1UNKUmzOmUT06dwfghQJRHHnMsO5zYWx0" },
};

static void right_and_wrong_passwords(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(4096);
        struct str text = str_of(rows[i].text), why = STR_NONE;
        if (!foreign_hash_valid(arena, text, &why))
            fail_msg("%s: %.*s", rows[i].name, STR_FMT(why));
        if (!foreign_hash_verify(arena, str_of(rows[i].password), text))
            fail_msg("%s: the right password is refused", rows[i].name);
        if (foreign_hash_verify(arena, str_printf(arena, "%s ", rows[i].password), text) ||
            foreign_hash_verify(arena, STR(""), text))
            fail_msg("%s: a wrong password is taken", rows[i].name);
        arena_free(arena);
    }
}

static const struct {
    const char *name, *text, *says;
} refused[] = {
    { "no hash", "", "no kind of password hash" },
    { "clear text", "Passw0rd!", "no kind of password hash" },
    { "MD5 crypt", "$1$salt$abcdefghijklmnopqrstuv", "no kind of password hash" },
    { "bcrypt that would take a minute", "$2a$20$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "bcrypt cost is 20" },
    { "bcrypt below its least cost", "$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "no whole bcrypt" },
    { "bcrypt cut off", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe", "no whole bcrypt" },
    { "bcrypt with another letter", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe*", "no whole bcrypt" },
    { "PBKDF2 for a minute", "$pbkdf2-sha256$i=600000000$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "iterations is 600000000" },
    { "PBKDF2 without iterations", "$pbkdf2-sha256$i=0$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "no number above 0" },
    { "a hash of four bytes", "$pbkdf2-sha256$i=4096$c2FsdA$xeR41Q", "shorter than 16" },
    { "a hash that is not base64", "$pbkdf2-sha256$i=4096$c2FsdA$xeR41ZKI*EGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "not base64" },
    { "scrypt with a gigabyte", "$scrypt$ln=20,r=8,p=1$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "memory in KiB" },
    { "scrypt for a minute", "$scrypt$ln=17,r=8,p=16$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "work" },
    { "scrypt with 2^70", "$scrypt$ln=70,r=8,p=1$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "memory in KiB" },
    { "scrypt with a name twice", "$scrypt$ln=14,r=8,r=8$c2FsdA$xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o", "ln=" },
    { "argon2 with two gigabytes", "$argon2id$v=19$m=2097152,t=1,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "memory in KiB" },
    { "argon2 with a thousand passes", "$argon2id$v=19$m=65536,t=1000,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "memory times passes" },
    { "argon2 with 200 lanes", "$argon2id$v=19$m=65536,t=1,p=200$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "lanes" },
    { "argon2 of another version", "$argon2id$v=21$m=65536,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "version" },
    { "argon2 with a short salt", "$argon2id$v=19$m=65536,t=1,p=1$c2FsdA$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "salt" },
    { "a digest without salt", "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "its salt" },
    { "SHA crypt with a billion rounds", "$6$rounds=999999999$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3u", "rounds" },
};

static void what_would_cost_too_much_or_makes_no_sense(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct arena *arena = arena_new(4096);
        struct str why = STR_NONE;
        if (foreign_hash_valid(arena, str_of(refused[i].text), &why))
            fail_msg("%s: taken", refused[i].name);
        if (str_find_str(why, str_of(refused[i].says)) < 0)
            fail_msg("%s: says \"%.*s\"", refused[i].name, STR_FMT(why));
        assert_false(foreign_hash_verify(arena, STR("password"), str_of(refused[i].text)));
        arena_free(arena);
    }
}

static void a_password_with_a_zero_is_not_cut_there(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    assert_false(foreign_hash_verify(arena, STR("U*U\0x"), str_of(rows[0].text)));
    arena_free(arena);
}

static void firebase_s_own_example(void **state)
{
    (void)state;
    struct arena *arena = arena_new(4096);
    struct firebase_parameters project = { .rounds = 8, .mem_cost = 14 };
    struct str salt, hash, text, why = STR_NONE;
    assert_true(base64_decode(arena, STR(FIREBASE), &project.signer_key));
    assert_true(base64_decode(arena, STR("Bw=="), &project.salt_separator));
    assert_true(base64_decode(arena, STR("42xEC+ixf3L2lw=="), &salt));
    assert_true(base64_decode(
        arena, STR("lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="), &hash));
    assert_true(foreign_hash_firebase(arena, &project, salt, hash, &text, &why));
    assert_true(foreign_hash_verify(arena, STR("user1password"), text));
    assert_false(foreign_hash_verify(arena, STR("user2password"), text));
    assert_true(str_find_str(text, STR("jxspr8Ki0")) < 0); /* the project's key is not kept */
    project.mem_cost = 40;
    assert_false(foreign_hash_firebase(arena, &project, salt, hash, &text, &why));
    assert_false(foreign_hash_firebase(arena, &project, salt, str_sub(hash, 0, 20), &text, &why));
    arena_free(arena);
}

static const struct {
    const char *name, *json;
    bool taken;
} keycloak[] = {
    { "PBKDF2, both parts as text",
      "{\"type\":\"password\",\"secretData\":\"{\\\"value\\\":\\\"xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o=\\\","
      "\\\"salt\\\":\\\"c2FsdA==\\\",\\\"additionalParameters\\\":{}}\",\"credentialData\":\"{\\\"hashIterations\\\":4096,"
      "\\\"algorithm\\\":\\\"pbkdf2-sha256\\\",\\\"additionalParameters\\\":{}}\"}", true },
    { "argon2, both parts as objects",
      "{\"type\":\"password\",\"secretData\":{\"value\":\"CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc=\",\"salt\":"
      "\"c29tZXNhbHQ=\"},\"credentialData\":{\"hashIterations\":2,\"algorithm\":\"argon2\",\"additionalParameters\":"
      "{\"hashLength\":[\"32\"],\"memory\":[\"65536\"],\"type\":[\"id\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}}", true },
    { "before release 8",
      "{\"type\":\"password\",\"algorithm\":\"pbkdf2-sha256\",\"hashIterations\":4096,\"salt\":\"c2FsdA==\","
      "\"hashedSaltedValue\":\"xeR41ZKIyEGqUw22hFxMjZYok6ABzk4RpJY4c6qYE0o=\"}", true },
    { "an algorithm of a plug-in",
      "{\"secretData\":{\"value\":\"CTFh\",\"salt\":\"c29t\"},\"credentialData\":{\"hashIterations\":2,\"algorithm\":"
      "\"bcrypt\"}}", false },
    { "nothing in it", "{}", false },
    { "text that is no JSON", "{\"secretData\":\"x\",\"credentialData\":\"{\"}", false },
};

static void credentials_of_keycloak(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(keycloak); i++) {
        struct arena *arena = arena_new(4096);
        struct str text = STR_NONE, why = STR_NONE;
        bool taken = foreign_hash_keycloak(arena, json_parse(arena, str_of(keycloak[i].json), NULL), &text, &why);
        if (taken != keycloak[i].taken || (taken && !foreign_hash_verify(arena, STR("password"), text)))
            fail_msg("%s: %.*s", keycloak[i].name, STR_FMT(why));
        arena_free(arena);
    }
}

/* h12 */
static void hashes_of_another_cost_are_known(void **state)
{
    (void)state;
    static const struct password_cost old = { .memory_kib = 64, .passes = 1, .lanes = 1 };
    struct env env;
    env_system(&env);
    struct arena *arena = arena_new(4096);
    struct str hash = password_hash(&env, arena, STR("correct horse"), &old);
    assert_true(password_hash_is_of(hash, &old));
    assert_false(password_hash_is_of(hash, &PASSWORD_COST_DEFAULT));
    assert_true(foreign_hash_verify(arena, STR("correct horse"), hash));
    assert_true(password_hash_is_of(password_hash(&env, arena, STR("x"), &PASSWORD_COST_DEFAULT), &PASSWORD_COST_DEFAULT));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_and_wrong_passwords),
        cmocka_unit_test(what_would_cost_too_much_or_makes_no_sense),
        cmocka_unit_test(a_password_with_a_zero_is_not_cut_there),
        cmocka_unit_test(firebase_s_own_example),
        cmocka_unit_test(credentials_of_keycloak),
        cmocka_unit_test(hashes_of_another_cost_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
