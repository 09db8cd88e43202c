#include "vectors.h"

#include "core/digest.h"

/* Wycheproof: truncated tags ("tagSize" below 256) are not ours; our verifiers want full tags. */
static void hmac_sha256_vectors(void **state)
{
    (void)state;
    struct arena *arena = arena_new(1 << 20);
    json_t *file = vector_json(arena, "wycheproof/hmac_sha256_test.json"), *group, *test;
    size_t g, t, ran = 0;
    json_array_foreach(json_object_get(file, "testGroups"), g, group)
    {
        json_array_foreach(json_object_get(group, "tests"), t, test)
        {
            struct str tag = vector_hex(arena, test, "tag");
            uint8_t mac[SHA256_BYTES];
            digest_hmac_sha256(vector_hex(arena, test, "key"), vector_hex(arena, test, "msg"), mac);
            bool valid = str_is(json_str(test, "result"), "valid");
            if (json_i64(group, "tagSize", 0) < 256)
                assert_int_equal(digest_equal(str_sub(digest_str(mac, sizeof mac), 0, tag.len), tag), valid);
            else
                assert_int_equal(digest_equal(digest_str(mac, sizeof mac), tag), valid);
            ran++;
        }
    }
    assert_int_equal(ran, 174);
    arena_free(arena);
}

static void hmac_parts_are_the_whole(void **state)
{
    (void)state;
    uint8_t whole[SHA256_BYTES], parts[SHA256_BYTES];
    const struct str three[] = { STR("one"), STR(""), STR("two") };
    digest_hmac_sha256(STR("key"), STR("onetwo"), whole);
    digest_hmac_sha256_parts(STR("key"), three, 3, parts);
    assert_memory_equal(whole, parts, sizeof whole);

    struct digest_stream stream;
    digest_stream_start(&stream);
    digest_stream_add(&stream, STR("one"));
    digest_stream_add(&stream, STR("two"));
    digest_stream_end(&stream, parts);
    digest_sha256(STR("onetwo"), whole);
    assert_memory_equal(whole, parts, sizeof whole);
}

static void equal_compares_lengths_too(void **state)
{
    (void)state;
    assert_true(digest_equal(STR("abc"), STR("abc")));
    assert_false(digest_equal(STR("abc"), STR("abd")));
    assert_false(digest_equal(STR("abc"), STR("ab")));
    assert_true(digest_equal(STR_NONE, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_sha256_vectors),
        cmocka_unit_test(hmac_parts_are_the_whole),
        cmocka_unit_test(equal_compares_lengths_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
