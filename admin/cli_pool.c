/* Verbs about one user pool as a whole: pool export, pool import. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/cli_pool.h"
#include "core/base64.h"
#include "core/digest.h"

enum { HEADER_BYTES = 4096, MOST_PART = 8 * 1024 * 1024, ANSWER_MS = 600000 };

/* ---- shared by the verbs ---- */

json_t *cli_pool_ask(struct client *client, struct arena *arena, struct str path, json_t *body)
{
    struct client one = *client;
    one.arena = arena;
    one.timeout_ms = ANSWER_MS;
    return client_rest(&one, "cognito-idp", body ? "POST" : "GET", path, body);
}

struct str cli_require_pool(struct client *client, const char *name)
{
    const char *under = strchr(name, '_');
    struct str id = under && strchr(name, '-') && strlen(under) == 10 ? str_of(name) : cli_pool_id(client, name);
    if (!id.ptr)
        fprintf(stderr, "gatehouse: no user pool is called %s\n", name);
    return id;
}

void cli_progress(const char *doing, long long rows, bool end)
{
    static struct timespec before;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!end && now.tv_sec == before.tv_sec)
        return;
    before = now;
    if (end || isatty(2))
        fprintf(stderr, "%s%s: %lld%s", isatty(2) ? "\r" : "", doing, rows, end ? "\n" : "");
}

static char *keep(struct str text)
{
    return text.ptr ? strndup(text.ptr, text.len) : NULL;
}

/* ---- the passphrase: a file, the environment, or who sits there ---- */

static struct str first_line(struct arena *arena, const char *path)
{
    char line[1026] = "";
    FILE *file = fopen(path, "re");
    if (!file || !fgets(line, sizeof line, file)) {
        fprintf(stderr, "gatehouse: %s holds no passphrase\n", path);
        line[0] = '\0';
    }
    if (file)
        fclose(file);
    struct str text = str_copy(arena, str_trim(str_of(line)));
    digest_wipe(line, sizeof line);
    return text;
}

static struct str passphrase_of(struct arena *arena, int argc, char **argv, bool twice)
{
    const char *path = cli_flag(argc, argv, "--passphrase-file"), *variable = getenv("GATEHOUSE_PASSPHRASE");
    if (path)
        return first_line(arena, path);
    if (variable && *variable)
        return str_copy(arena, str_of(variable));
    char *typed = isatty(0) ? getpass("Passphrase: ") : NULL;
    if (!typed) {
        fputs("gatehouse: no passphrase: set GATEHOUSE_PASSPHRASE or give --passphrase-file FILE\n", stderr);
        return STR_NONE;
    }
    struct str text = str_copy(arena, str_of(typed));
    if (twice && (!(typed = getpass("Once more: ")) || !str_is(text, typed))) {
        fputs("gatehouse: these were two different ones\n", stderr);
        return STR_NONE;
    }
    return text;
}

/* ---- export ---- */

/* One part to the file. *next: malloc'ed, NULL after the last. */
static bool export_part(struct client *client, struct str path, FILE *file, char **next, long long *rows)
{
    struct arena *arena = arena_new(4 * 1024 * 1024);
    json_t *body = json_own(arena, json_object());
    json_set_str(body, "next", str_of(*next));
    json_t *answer = cli_pool_ask(client, arena, path, body);
    struct str part;
    bool ok = answer && base64_decode(arena, json_str(answer, "part"), &part) &&
              fwrite(part.ptr, 1, part.len, file) == part.len;
    free(*next);
    *next = keep(json_str(answer, "next"));
    *rows += json_i64(answer, "rows", 0);
    arena_free(arena);
    return ok;
}

static bool export_to(struct client *client, struct str pool, struct str passphrase, bool with_keys, FILE *file)
{
    struct str path = str_printf(client->arena, "/_gatehouse/user-pools/%.*s/export", STR_FMT(pool));
    json_t *body = json_own(client->arena, json_object());
    json_set_str(body, "passphrase", passphrase);
    json_set_flag(body, "withKeys", with_keys);
    json_t *answer = cli_pool_ask(client, client->arena, path, body);
    struct str header = json_str(answer, "header");
    char *next = keep(json_str(answer, "next"));
    long long rows = 0;
    bool ok = header.ptr && fprintf(file, "%.*s\n", STR_FMT(header)) > 0;
    while (ok && next) {
        ok = export_part(client, path, file, &next, &rows);
        cli_progress("rows written", rows, ok && !next);
    }
    free(next);
    return ok;
}

static int export_pool(struct client *client, int argc, char **argv)
{
    const char *name = argv[1];
    struct str pool = cli_require_pool(client, argv[0]);
    struct str passphrase = pool.ptr ? passphrase_of(client->arena, argc, argv, true) : STR_NONE;
    bool with_keys = false;
    for (int i = 2; i < argc; i++)
        with_keys |= strcmp(argv[i], "--with-keys") == 0;
    if (!passphrase.len)
        return 1;
    const char *partial = str_printf(client->arena, "%s.partial", name).ptr;
    int fd = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        fprintf(stderr, "gatehouse: cannot write %s: %m\n", partial);
        return 1;
    }
    bool ok = export_to(client, pool, passphrase, with_keys, file);
    ok = fflush(file) == 0 && fsync(fd) == 0 && ok;
    ok = fclose(file) == 0 && ok && rename(partial, name) == 0;
    if (!ok) {
        fprintf(stderr, "gatehouse: %s was not written\n", name);
        unlink(partial);
    }
    return ok ? 0 : 1;
}

/* ---- import ---- */

/* The next part without its length; false: the file is cut off. *end: there was none. */
static bool read_part(FILE *file, struct arena *arena, struct str *part, bool *end)
{
    uint8_t length[4];
    size_t got = fread(length, 1, 4, file);
    *end = got == 0;
    if (got != 4)
        return *end;
    size_t len = (size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3];
    if (len > MOST_PART)
        return false;
    char *bytes = arena_alloc(arena, len + 1, 1);
    *part = (struct str){ bytes, len };
    return fread(bytes, 1, len, file) == len;
}

static bool at_end(FILE *file)
{
    int c = getc(file);
    if (c != EOF)
        ungetc(c, file);
    return c == EOF;
}

static void tell_imported(const json_t *answer)
{
    const char *old;
    json_t *one;
    size_t i;
    printf("pool     %.*s\n", STR_FMT(json_str(answer, "pool")));
    json_object_foreach(json_object_get(answer, "clients"), old, one)
        printf("client   %s is now %s\n", old, json_string_value(one));
    json_array_foreach(json_object_get(answer, "left"), i, one)
        fprintf(stderr, "gatehouse: left out, since another pool has it: %s\n", json_string_value(one));
}

static bool import_part(struct client *client, FILE *file, char **next, long long *rows, bool tell)
{
    struct arena *arena = arena_new(8 * 1024 * 1024);
    struct str part = STR_NONE;
    bool end, ok = read_part(file, arena, &part, &end), last = ok && at_end(file);
    json_t *answer = NULL, *body = json_own(arena, json_object());
    if (!ok || end)
        fputs("gatehouse: the file was cut off\n", stderr);
    json_set_str(body, "next", str_of(*next));
    json_set_flag(body, "last", last);
    if (ok && !end) {
        json_set_str(body, "part", base64_encode(arena, part));
        answer = cli_pool_ask(client, arena, STR("/_gatehouse/user-pools/import"), body);
    }
    if (answer && last && tell)
        tell_imported(answer);
    free(*next);
    *next = keep(json_str(answer, "next"));
    *rows += json_i64(answer, "rows", 0);
    arena_free(arena);
    return answer != NULL;
}

static bool import_from(struct client *client, FILE *file, struct str passphrase, const char *mode)
{
    char header[HEADER_BYTES];
    bool verify = strcmp(mode, "verify") == 0;
    rewind(file);
    if (!fgets(header, sizeof header, file)) {
        fputs("gatehouse: the file is empty\n", stderr);
        return false;
    }
    json_t *body = json_own(client->arena, json_object());
    json_set_str(body, "header", str_trim(str_of(header)));
    json_set_str(body, "passphrase", passphrase);
    json_set_str(body, "mode", str_of(mode));
    json_t *answer = cli_pool_ask(client, client->arena, STR("/_gatehouse/user-pools/import"), body);
    char *next = keep(json_str(answer, "next"));
    long long rows = 0;
    bool ok = next != NULL;
    while (ok && next) {
        ok = import_part(client, file, &next, &rows, !verify);
        cli_progress(verify ? "rows verified" : "rows read", rows, ok && !next);
    }
    free(next);
    return ok;
}

/* Whatever is to be replaced stays until the whole file has been found good. */
static int import_pool(struct client *client, int argc, char **argv)
{
    const char *mode = "same";
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--as-new") == 0 || strcmp(argv[i], "--replace") == 0 || strcmp(argv[i], "--verify") == 0)
            mode = argv[i] + 2;
    FILE *file = fopen(argv[0], "re");
    if (!file) {
        fprintf(stderr, "gatehouse: cannot read %s: %m\n", argv[0]);
        return 1;
    }
    struct str passphrase = passphrase_of(client->arena, argc, argv, false);
    bool ok = passphrase.len > 0;
    if (ok && strcmp(mode, "replace") == 0)
        ok = import_from(client, file, passphrase, "verify");
    ok = ok && import_from(client, file, passphrase, mode);
    fclose(file);
    return ok ? 0 : 1;
}

/* ---- the verbs ---- */

static const struct {
    const char *name, *usage, *flags;
    int words;
    int (*run)(struct client *client, int argc, char **argv);
} verbs[] = {
    { "export", "pool export POOL FILE [--with-keys] [--passphrase-file FILE]", "--with-keys --passphrase-file=", 2, export_pool },
    { "import", "pool import FILE [--as-new | --replace | --verify] [--passphrase-file FILE]",
      "--as-new --replace --verify --passphrase-file=", 1, import_pool },
    { "import-users",
      "pool import-users POOL FILE [--from jsonl|keycloak|auth0|firebase|cognito] [--hash-parameters FILE] [--create-groups] [--dry-run]",
      "--from= --hash-parameters= --create-groups --dry-run", 2, cli_pool_import_users },
    { "import-log", "pool import-log POOL JOB", "", 2, cli_pool_import_log },
    { "users", "pool users POOL [FIELD.OPERATOR=VALUE…] [--sort FIELD] [--do ACTION [--group G] [--all] [--apply]]", NULL, 1,
      cli_pool_users },
    { "change", "pool change POOL [--aliases …] [--username-attributes …] [--case-sensitive yes|no] [--require A] … [--apply]", NULL, 1,
      cli_pool_change },
};

int cli_pool_more(int argc, char **argv)
{
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (strcmp(argv[0], verbs[i].name) != 0)
            continue;
        if (argc < 1 + verbs[i].words ||
            (verbs[i].flags && !cli_flags_known(argc, argv, 1 + verbs[i].words, verbs[i].flags)))
            return cli_usage(verbs[i].usage);
        struct arena *arena = arena_new(65536);
        struct client client;
        client_open(&client, arena);
        int code = verbs[i].run(&client, argc - 1, argv + 1);
        arena_free(arena);
        return code;
    }
    return cli_usage("pool new | keys | export | import | import-users | import-log | users | change …");
}
