/* gatehouse test DIR: fixtures, without a server. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "admin/cli.h"
#include "gateway/fixture/fixture.h"

#define DEEPEST      20

struct outcome {
    struct str file, name, why;
    int line;
    bool passed, broken;  /* broken: the file could not be read */
    double seconds;
};

struct session {
    struct arena *arena;
    struct outcome *items;
    size_t n, cap, failed;
};

/* Files that a fixture names: from its own folder, and no way out of it. */
struct folder {
    struct arena *arena;
    struct str path;
};
static struct str read_beside(void *user, struct str name)
{
    const struct folder *folder = user;
    if (!name.len || name.ptr[0] == '/' || str_find_str(name, STR("..")) >= 0)
        return STR_NONE;
    return cli_file(folder->arena, str_printf(folder->arena, "%.*s/%.*s", STR_FMT(folder->path), STR_FMT(name)).ptr);
}

static struct outcome *add(struct session *s, struct str file)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        s->items = arena_grow(s->arena, s->items, s->cap * sizeof *s->items, cap * sizeof *s->items);
        s->cap = cap;
    }
    s->items[s->n] = (struct outcome){ .file = file, .name = file };
    return &s->items[s->n++];
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run_file(struct session *s, struct str file)
{
    ptrdiff_t slash = str_find_last(file, '/');
    struct folder folder = { s->arena, slash < 0 ? STR(".") : str_sub(file, 0, (size_t)slash) };
    const struct fixture_files files = { read_beside, &folder };
    struct fixture_list list = { 0 };
    struct str text = cli_file(s->arena, file.ptr), why = str_printf(s->arena, "%s cannot be read", file.ptr);
    if (!text.ptr || !fixture_read(s->arena, file, text, &files, &list, &why)) {
        struct outcome *broken = add(s, file);
        broken->broken = true;
        broken->why = why;
        s->failed++;
        return;
    }
    for (size_t i = 0; i < list.n; i++) {
        struct outcome *one = add(s, file);
        double began = now_s();
        one->name = list.items[i].name;
        one->line = list.items[i].line;
        one->passed = fixture_run(s->arena, &list.items[i], &one->why);
        one->seconds = now_s() - began;
        s->failed += !one->passed;
    }
}

static bool is_fixture(const char *name)
{
    struct str file = str_of(name);
    return name[0] != '.' && (str_ends(file, STR(".yaml")) || str_ends(file, STR(".yml")) || str_ends(file, STR(".json")));
}

static int seen(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool run_folder(struct session *s, struct str path, int depth)
{
    struct dirent **entries;
    int n = depth < DEEPEST ? scandir(path.ptr, &entries, seen, alphasort) : -1;
    if (n < 0)
        return false;
    for (int i = 0; i < n; i++) {
        struct str child = str_printf(s->arena, "%.*s/%s", STR_FMT(path), entries[i]->d_name);
        struct stat info;
        if (lstat(child.ptr, &info) == 0 && S_ISDIR(info.st_mode))
            run_folder(s, child, depth + 1);
        else if (is_fixture(entries[i]->d_name))
            run_file(s, child);
        free(entries[i]);
    }
    free(entries);
    return true;
}

static void print_outcomes(const struct session *s)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct outcome *o = &s->items[i];
        if (o->broken)
            printf("FAIL %.*s\n", STR_FMT(o->why));
        else
            printf("%s %.*s:%d %.*s\n", o->passed ? "ok  " : "FAIL", STR_FMT(o->file), o->line, STR_FMT(o->name));
        if (!o->passed && !o->broken)
            printf("  %.*s\n", STR_FMT(o->why));
    }
    printf("%zu fixture%s, %zu failed\n", s->n, s->n == 1 ? "" : "s", s->failed);
}

/* --- JUnit --- */

static void put_xml(FILE *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        const char *entity = c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;
        if (entity)
            fputs(entity, out);
        else if (c >= 0x20 || c == '\n' || c == '\t')
            fputc(c, out);
        else
            fputc('?', out); /* XML 1.0 has no place for other controls */
    }
}

static bool write_junit(const struct session *s, const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out)
        return false;
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites><testsuite name=\"gatehouse\" tests=\"%zu\" "
                 "failures=\"%zu\">\n", s->n, s->failed);
    for (size_t i = 0; i < s->n; i++) {
        const struct outcome *o = &s->items[i];
        fputs("<testcase classname=\"", out);
        put_xml(out, o->file);
        fputs("\" name=\"", out);
        put_xml(out, o->name);
        fprintf(out, "\" time=\"%.6f\">", o->seconds);
        if (!o->passed) {
            fputs("<failure message=\"", out);
            ptrdiff_t line = str_find(o->why, '\n');
            put_xml(out, line < 0 ? o->why : str_sub(o->why, 0, (size_t)line));
            fputs("\">", out);
            put_xml(out, o->why);
            fputs("</failure>", out);
        }
        fputs("</testcase>\n", out);
    }
    fputs("</testsuite></testsuites>\n", out);
    return fclose(out) == 0;
}

int cli_test(int argc, char **argv)
{
    bool junit = argc == 3 && strcmp(argv[1], "--junit") == 0;
    if (argc < 1 || argv[0][0] == '-' || (argc > 1 && !junit))
        return cli_usage("test DIR [--junit FILE]   (fixtures: examples/fixtures/README.md)");
    struct arena *arena = arena_new(256 * 1024);
    struct session session = { .arena = arena };
    struct stat info;
    int code = 1;
    if (stat(argv[0], &info) == 0 && S_ISREG(info.st_mode))
        run_file(&session, str_of(argv[0]));
    else if (!run_folder(&session, str_of(argv[0]), 0))
        fprintf(stderr, "gatehouse: there is no folder %s\n", argv[0]);
    if (session.n) {
        print_outcomes(&session);
        code = session.failed ? 1 : 0;
    } else if (stat(argv[0], &info) == 0) { /* a harness that finds nothing must not pass */
        fprintf(stderr, "gatehouse: no fixture (.yaml, .yml, .json) in %s\n", argv[0]);
    }
    if (junit && !write_junit(&session, argv[2])) {
        fprintf(stderr, "gatehouse: cannot write %s\n", argv[2]);
        code = 1;
    }
    arena_free(arena);
    return code;
}
