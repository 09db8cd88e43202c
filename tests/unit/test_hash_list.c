#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/hash_list.h"

enum { DIGESTS = 5000 };

static int in_order(const void *a, const void *b)
{
    return memcmp(a, b, SHA1_BYTES);
}

static void hex_of(const uint8_t sha1[SHA1_BYTES], bool lower, char *out)
{
    for (int i = 0; i < SHA1_BYTES; i++)
        sprintf(out + 2 * i, lower ? "%02x" : "%02X", sha1[i]);
}

static void digest(int i, uint8_t out[SHA1_BYTES])
{
    char text[32];
    sprintf(text, "password-%d", i);
    sha1_of((struct str){ text, strlen(text) }, out);
}

static void every_digest_of_a_file_is_found_and_no_other(void **state)
{
    (void)state;
    static const struct { const char *name, *ending; bool lower, counts, cut; int n; } rows[] = {
        { "with counts", "\r\n", false, true, false, DIGESTS },
        { "bare, lower case", "\n", true, false, false, DIGESTS },
        { "one line", "\n", false, true, false, 1 },
        { "two lines without a last newline", "\n", false, false, true, 2 },
        { "many without a last newline", "\n", false, true, true, 777 },
    };
    static uint8_t all[DIGESTS][SHA1_BYTES];
    for (size_t r = 0; r < COUNT(rows); r++) {
        char path[] = "/tmp/gh_test_hash_list_XXXXXX", hex[2 * SHA1_BYTES + 1];
        FILE *file = fdopen(mkstemp(path), "w");
        for (int i = 0; i < rows[r].n; i++)
            digest(i, all[i]);
        qsort(all, (size_t)rows[r].n, SHA1_BYTES, in_order);
        for (int i = 0; i < rows[r].n; i++) {
            hex_of(all[i], rows[r].lower, hex);
            fprintf(file, "%s", hex);
            if (rows[r].counts)
                fprintf(file, ":%d", 1 << (i % 20));
            if (!rows[r].cut || i + 1 < rows[r].n)
                fputs(rows[r].ending, file);
        }
        fclose(file);
        struct arena *arena = arena_new(1024);
        struct str why;
        struct hash_list *list = hash_list_open(path, arena, &why);
        assert_non_null(list);
        uint8_t sha1[SHA1_BYTES];
        for (int i = 0; i < rows[r].n; i++) {
            digest(i, sha1);
            if (!hash_list_has(list, sha1))
                fail_msg("%s: %d is not found", rows[r].name, i);
            digest(i + DIGESTS, sha1);
            if (hash_list_has(list, sha1))
                fail_msg("%s: %d is found", rows[r].name, i + DIGESTS);
        }
        assert_int_equal(truncate(path, 0), 0); /* somebody empties it: nothing is found, nothing crashes */
        assert_false(hash_list_has(list, all[0]));
        hash_list_free(list);
        arena_free(arena);
        unlink(path);
    }
}

static void a_folder_has_a_file_for_each_beginning(void **state)
{
    (void)state;
    char folder[] = "/tmp/gh_test_hash_list_XXXXXX", path[128], hex[2 * SHA1_BYTES + 1];
    assert_non_null(mkdtemp(folder));
    uint8_t sha1[SHA1_BYTES];
    sha1_of(STR("password"), sha1);
    hex_of(sha1, false, hex);
    assert_string_equal(hex, "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8");
    snprintf(path, sizeof path, "%s/%.5s.txt", folder, hex);
    FILE *file = fopen(path, "w");
    fprintf(file, "0018A45C4D1DEF81644B54AB7F969B88D65:3\r\n%s:9545824\r\nFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF:1\r\n", hex + 5);
    fclose(file);
    struct arena *arena = arena_new(1024);
    struct str why;
    struct hash_list *list = hash_list_open(folder, arena, &why);
    assert_non_null(list);
    assert_true(hash_list_has(list, sha1));
    sha1[19] ^= 1;
    assert_false(hash_list_has(list, sha1));
    sha1[0] ^= 1; /* a beginning without a file */
    assert_false(hash_list_has(list, sha1));
    hash_list_free(list);
    arena_free(arena);
    unlink(path);
    rmdir(folder);
}

static void what_is_no_list_is_refused(void **state)
{
    (void)state;
    char path[] = "/tmp/gh_test_hash_list_XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    fputs("password\n123456\n", file);
    fclose(file);
    struct arena *arena = arena_new(1024);
    struct str why = STR("");
    assert_null(hash_list_open(path, arena, &why));
    assert_true(str_find_str(why, STR("no list of SHA-1 digests")) > 0);
    assert_null(hash_list_open("/nonexistent/list", arena, &why));
    assert_true(str_find_str(why, STR("cannot read /nonexistent/list")) == 0);
    arena_free(arena);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_digest_of_a_file_is_found_and_no_other),
        cmocka_unit_test(a_folder_has_a_file_for_each_beginning),
        cmocka_unit_test(what_is_no_list_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
