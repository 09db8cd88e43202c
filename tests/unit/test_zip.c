/* Function packages come from strangers: what is unpacked, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

#include "core/zip.h"

struct entry {
    const char *name, *text;
    unsigned mode; /* 0: no Unix attributes */
    unsigned repeat;
};

static const struct zip_limits limits = { .max_bytes = 1000000, .max_entries = 100 };

static struct str archive_of(struct arena *arena, const struct entry *entries)
{
    zip_error_t error;
    zip_source_t *out = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_source_keep(out);
    zip_t *zip = zip_open_from_source(out, ZIP_TRUNCATE, &error);
    assert_non_null(zip);
    for (; entries->name; entries++) {
        size_t len = strlen(entries->text), n = entries->repeat ? entries->repeat : 1;
        char *bytes = arena_alloc(arena, len * n + 1, 1);
        for (size_t i = 0; i < n; i++)
            memcpy(bytes + i * len, entries->text, len);
        zip_source_t *source = zip_source_buffer(zip, bytes, len * n, 0);
        zip_int64_t at = zip_file_add(zip, entries->name, source, ZIP_FL_ENC_UTF_8);
        assert_true(at >= 0);
        if (entries->mode)
            zip_file_set_external_attributes(zip, (zip_uint64_t)at, 0, ZIP_OPSYS_UNIX, entries->mode << 16);
        else
            zip_file_set_external_attributes(zip, (zip_uint64_t)at, 0, ZIP_OPSYS_DOS, 0);
    }
    assert_int_equal(zip_close(zip), 0);
    zip_source_open(out);
    zip_source_seek(out, 0, SEEK_END);
    size_t size = (size_t)zip_source_tell(out);
    zip_source_seek(out, 0, SEEK_SET);
    char *bytes = arena_alloc(arena, size, 1);
    assert_int_equal(zip_source_read(out, bytes, size), (zip_int64_t)size);
    zip_source_close(out);
    zip_source_free(out);
    return (struct str){ bytes, size };
}

static const struct {
    const char *name;
    struct entry entries[4];
    enum zip_verdict verdict;
} rows[] = {
    { "a file and a folder's file", { { "index.mjs", "x", 0100644 }, { "lib/a.js", "y", 0100644 } }, ZIP_FINE },
    { "a folder's entry", { { "lib/", "", 040755 }, { "lib/a", "y", 0100644 } }, ZIP_FINE },
    { "dots inside a name are only dots", { { "a..b/...c", "y", 0100644 } }, ZIP_FINE },
    { "UTF-8 names", { { "größe.txt", "y", 0100644 } }, ZIP_FINE },
    { "no entry is no package", { { 0 } }, ZIP_BROKEN }, /* libzip writes nothing at all */
    { "folders only", { { "lib/", "", 040755 } }, ZIP_EMPTY },
    { "up and out", { { "../evil", "x", 0100644 } }, ZIP_UNSAFE },
    { "up and out from below", { { "lib/../../evil", "x", 0100644 } }, ZIP_UNSAFE },
    { "absolute", { { "/etc/evil", "x", 0100644 } }, ZIP_UNSAFE },
    { "backslash", { { "lib\\..\\evil", "x", 0100644 } }, ZIP_UNSAFE },
    { "line feed in a name", { { "a\nb", "x", 0100644 } }, ZIP_UNSAFE },
    { "empty part", { { "lib//a", "x", 0100644 } }, ZIP_UNSAFE },
    { "single dot", { { "./a", "x", 0100644 } }, ZIP_UNSAFE },
    { "symbolic link", { { "link", "/etc/passwd", 0120777 } }, ZIP_UNSAFE },
    { "device", { { "null", "", 020666 } }, ZIP_UNSAFE },
    { "fifo", { { "pipe", "", 010666 } }, ZIP_UNSAFE },
    { "a file, then a folder of its name", { { "a", "x", 0100644 }, { "a/b", "y", 0100644 } }, ZIP_UNSAFE },
    { "bomb: 100 MB of one letter", { { "zeros", "0123456789", 0100644, 10000000 } }, ZIP_TOO_LARGE },
    { "just within", { { "text", "0123456789", 0100644, 100000 } }, ZIP_FINE },
    { "just over, in two files",
      { { "a", "0123456789", 0100644, 99999 }, { "b", "01234567890", 0100644 } }, ZIP_TOO_LARGE },
};

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path);
}

static int fresh_folder(char *path)
{
    strcpy(path, "/tmp/gh-zip-XXXXXX");
    assert_non_null(mkdtemp(path));
    return open(path, O_RDONLY | O_DIRECTORY);
}

static void drop_folder(const char *path, int fd)
{
    close(fd);
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void verdicts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *arena = arena_new(65536);
        char path[32];
        int root = fresh_folder(path);
        struct str why = STR_NONE, bytes = archive_of(arena, rows[i].entries);
        enum zip_verdict looked = zip_check(bytes, &limits, arena, &why, NULL);
        enum zip_verdict unpacked = zip_unpack(bytes, root, &limits, arena, &why);
        if (unpacked != rows[i].verdict)
            print_error("%s: %d, expected %d (%s)\n", rows[i].name, unpacked, rows[i].verdict, why.ptr);
        assert_int_equal(unpacked, rows[i].verdict);
        /* Looking alone cannot see that a file and a folder collide. */
        if (looked != unpacked && strstr(rows[i].name, "then a folder") == NULL)
            print_error("%s: looked %d\n", rows[i].name, looked);
        assert_true(looked == unpacked || strstr(rows[i].name, "then a folder"));
        assert_int_equal(access("/tmp/evil", F_OK), -1);
        drop_folder(path, root);
        arena_free(arena);
    }
}

static void modes(void **state)
{
    (void)state;
    static const struct {
        unsigned in, out;
    } wanted[] = { { 0100644, 0444 }, { 0100600, 0444 }, { 0100755, 0555 }, { 0104755, 0555 }, { 0, 0444 } };
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct arena *arena = arena_new(4096);
        char path[32];
        int root = fresh_folder(path);
        struct entry entries[] = { { "bin/run", "#!/bin/sh\n", wanted[i].in }, { 0 } };
        assert_int_equal(zip_unpack(archive_of(arena, entries), root, &limits, arena, NULL), ZIP_FINE);
        struct stat info;
        assert_int_equal(fstatat(root, "bin/run", &info, 0), 0);
        assert_int_equal(info.st_mode & 07777, wanted[i].out);
        drop_folder(path, root);
        arena_free(arena);
    }
}

/* Every cut and every flipped byte of a small archive: a verdict, never a crash or a file outside. */
static void damage(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    struct entry entries[] = { { "a/b.txt", "hello hello hello hello", 0100644 }, { "c", "world", 0100755 }, { 0 } };
    struct str whole = archive_of(arena, entries);
    int broken = 0;
    for (size_t cut = 0; cut < whole.len; cut++)
        assert_int_not_equal(zip_check(str_sub(whole, 0, cut), &limits, arena, NULL, NULL), ZIP_FINE);
    for (size_t at = 0; at < whole.len; at++) {
        char *copy = (char *)str_copy(arena, whole).ptr;
        copy[at] ^= 0x41;
        broken += zip_check((struct str){ copy, whole.len }, &limits, arena, NULL, NULL) != ZIP_FINE;
    }
    assert_true(broken > (int)whole.len / 4); /* data and structure are covered by checksums and checks */
    arena_free(arena);
}

static void too_many_entries(void **state)
{
    (void)state;
    struct arena *arena = arena_new(65536);
    struct entry entries[102] = { { 0 } };
    for (int i = 0; i < 101; i++)
        entries[i] = (struct entry){ str_printf(arena, "f%d", i).ptr, "x", 0100644, 0 };
    assert_int_equal(zip_check(archive_of(arena, entries), &limits, arena, NULL, NULL), ZIP_TOO_LARGE);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(modes),
        cmocka_unit_test(damage),
        cmocka_unit_test(too_many_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
