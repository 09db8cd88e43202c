/* pool users: search and bulk actions; pool import-users: users of other servers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/cli_pool.h"
#include "admin/json_stream.h"
#include "core/uri.h"

/* ---- import-users ---- */

enum { BATCH = 500, BATCH_BYTES = 4 * 1024 * 1024, SHOWN = 1000 };

static const struct {
    const char *name, *member;
} forms[] = {
    { "jsonl", NULL }, { "auth0", NULL }, { "keycloak", "users" }, { "firebase", "users" }, { "cognito", "Users" },
};

struct tally {
    long long records, created, same, problems;
    json_t *ignored;
};

static void tell(const char *path, long long line, const char *name, const char *why)
{
    fprintf(stderr, "%s:%lld: %s%s%s\n", path, line, name, *name ? ": " : "", why);
}

static void count(struct tally *tally, const char *path, const json_t *answer)
{
    const char *name;
    json_t *one;
    size_t i;
    tally->created += json_i64(answer, "created", 0);
    tally->same += json_i64(answer, "same", 0);
    json_array_foreach(json_object_get(answer, "problems"), i, one) {
        const char *username = json_string_value(json_object_get(one, "username"));
        if (tally->problems++ < SHOWN)
            tell(path, json_i64(one, "line", 0), username ? username : "", json_string_value(json_object_get(one, "why")));
    }
    json_object_foreach(json_object_get(answer, "ignored"), name, one)
        json_set_i64(tally->ignored, name, json_i64(tally->ignored, name, 0) + json_integer_value(one));
}

/* Records until the batch is full or the file is over (*over). False: it does not end as it should. */
static bool read_batch(struct json_stream *stream, struct arena *arena, const char *path, struct tally *tally, json_t *records,
                       bool *over)
{
    size_t bytes = 0;
    while (json_array_size(records) < BATCH && bytes < BATCH_BYTES) {
        struct str text;
        long long line;
        enum json_item item = json_stream_next(stream, arena, &text, &line);
        *over = item == JSON_END || item == JSON_BROKEN;
        if (item == JSON_BROKEN)
            fprintf(stderr, "gatehouse: %s is not of that form after line %lld\n", path, stream->line);
        if (*over)
            return item == JSON_END;
        tally->records++;
        json_t *record = item == JSON_ITEM ? json_parse(arena, text, NULL) : NULL;
        bytes += text.len;
        if (record) {
            json_array_append_new(records, json_pack("[I,O]", (json_int_t)line, record));
        } else {
            tally->problems++;
            tell(path, line, "", item == JSON_ITEM ? "is no JSON" : "is longer than a megabyte");
        }
    }
    return true;
}

static bool import_batches(struct client *client, struct str pool, const json_t *asked, struct json_stream *stream,
                           const char *path, struct tally *tally)
{
    struct str target = str_printf(client->arena, "/_gatehouse/user-pools/%.*s/import-users", STR_FMT(pool));
    bool over = false, ok = true, whole = true;
    while (ok && !over) {
        struct arena *arena = arena_new(1024 * 1024);
        json_t *body = json_own(arena, json_copy((json_t *)(uintptr_t)asked)), *records = json_array();
        json_object_set_new(body, "records", records);
        whole = read_batch(stream, arena, path, tally, records, &over);
        const json_t *answer = cli_pool_ask(client, arena, target, body);
        ok = answer != NULL;
        if (ok)
            count(tally, path, answer);
        cli_progress("users read", tally->records, false);
        arena_free(arena);
    }
    cli_progress("users read", tally->records, true);
    return ok && whole;
}

/* {"signerKey": …, "saltSeparator": …, "rounds": 8, "memCost": 14}, with base64_ and _ as Firebase's console shows them. */
static json_t *parameters_of(struct arena *arena, const char *path)
{
    static const char *const names[][3] = { { "signerKey", "base64_signer_key", "signer_key" },
                                            { "saltSeparator", "base64_salt_separator", "salt_separator" },
                                            { "rounds", "rounds", "rounds" },
                                            { "memCost", "mem_cost", "memory_cost" } };
    json_t *all = json_own(arena, json_load_file(path, 0, NULL)), *out = json_own(arena, json_object());
    if (json_is_object(json_object_get(all, "hash_config")))
        all = json_object_get(all, "hash_config");
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t k = 0; k < 3; k++)
            if (json_object_get(all, names[i][k]))
                json_object_set(out, names[i][0], json_object_get(all, names[i][k]));
    return json_object_size(out) == COUNT(names) ? out : NULL;
}

int cli_pool_import_users(struct client *client, int argc, char **argv)
{
    const char *from = cli_flag(argc, argv, "--from"), *parameters = cli_flag(argc, argv, "--hash-parameters"), *path = argv[1];
    json_t *asked = json_own(client->arena, json_object());
    struct json_stream stream = { 0 };
    bool known = false;
    from = from ? from : "jsonl";
    for (size_t i = 0; i < COUNT(forms); i++) {
        if (strcmp(from, forms[i].name) != 0)
            continue;
        known = true;
        stream.member = forms[i].member;
    }
    if (!known)
        return cli_usage("pool import-users POOL FILE --from jsonl|keycloak|auth0|firebase|cognito …");
    json_set_str(asked, "from", str_of(from));
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--dry-run") == 0)
            json_set_flag(asked, "dryRun", true);
        if (strcmp(argv[i], "--create-groups") == 0)
            json_set_flag(asked, "createGroups", true);
    }
    if (parameters) {
        json_t *read = parameters_of(client->arena, parameters);
        if (!read) {
            fprintf(stderr, "gatehouse: %s has not signerKey, saltSeparator, rounds and memCost\n", parameters);
            return 1;
        }
        json_object_set(asked, "parameters", read);
    }
    struct str pool = cli_require_pool(client, argv[0]);
    if (!pool.ptr)
        return 1;
    if (!(stream.file = fopen(path, "re"))) {
        fprintf(stderr, "gatehouse: cannot read %s: %m\n", path);
        return 1;
    }
    struct tally tally = { .ignored = json_own(client->arena, json_object()) };
    bool dry = json_flag(asked, "dryRun", false), ok = import_batches(client, pool, asked, &stream, path, &tally);
    fclose(stream.file);
    printf("%s %lld, there already %lld, problems %lld\n", dry ? "would be created" : "created", tally.created, tally.same,
           tally.problems);
    const char *name;
    json_t *value;
    json_object_foreach(tally.ignored, name, value)
        printf("not in the pool's schema: %s (%lld users)\n", name, (long long)json_integer_value(value));
    return !ok ? 1 : tally.problems ? 2 : 0;
}

/* ---- users: search, and something done to all that are found ---- */

static void print_user(const json_t *user)
{
    struct str email = json_str(json_object_get(user, "attributes"), "email");
    printf("%-36.*s %-24.*s %-9s %.*s\n", STR_FMT(json_str(user, "username")), STR_FMT(json_str(user, "status")),
           json_flag(user, "enabled", true) ? "enabled" : "disabled", email.ptr ? (int)email.len : 1, email.ptr ? email.ptr : "-");
}

static int list_users(struct client *client, struct str pool, const json_t *where, const char *sort)
{
    char *next = NULL;
    bool ok = true;
    do {
        struct arena *arena = arena_new(1024 * 1024);
        struct strbuf path = strbuf_in(arena, 512);
        const char *name;
        json_t *value, *user;
        size_t i;
        strbuf_printf(&path, "/_gatehouse/user-pools/%.*s/users?limit=1000", STR_FMT(pool));
        json_object_foreach((json_t *)(uintptr_t)where, name, value)
            strbuf_printf(&path, "&%s=%s", uri_encode(arena, str_of(name), false).ptr,
                          uri_encode(arena, json_value_str(value), false).ptr);
        if (sort)
            strbuf_printf(&path, "&sort=%s", uri_encode(arena, str_of(sort), false).ptr);
        if (next)
            strbuf_printf(&path, "&next=%s", uri_encode(arena, str_of(next), false).ptr);
        const json_t *answer = cli_pool_ask(client, arena, strbuf_view(&path), NULL);
        json_array_foreach(json_object_get(answer, "users"), i, user)
            print_user(user);
        struct str more = json_str(answer, "next");
        free(next);
        next = more.ptr ? strndup(more.ptr, more.len) : NULL;
        ok = answer != NULL;
        arena_free(arena);
    } while (ok && next);
    return ok ? 0 : 1;
}

static int bulk(struct client *client, struct str pool, json_t *where, const char *action, const char *group, bool apply, bool all)
{
    struct str path = str_printf(client->arena, "/_gatehouse/user-pools/%.*s/users/bulk?action=%s", STR_FMT(pool),
                                 uri_encode(client->arena, str_of(action), false).ptr);
    json_t *body = json_own(client->arena, json_object()), *answer;
    long long matched = 0, changed = 0;
    json_object_set(body, "where", where);
    json_set_flag(body, "apply", apply);
    json_set_flag(body, "all", all);
    json_set_str(body, "group", str_of(group));
    do {
        answer = cli_pool_ask(client, client->arena, path, body);
        matched += json_i64(answer, "matched", 0);
        changed += json_i64(answer, "changed", 0);
        json_set_str(body, "next", json_str(answer, "next"));
    } while (json_str(answer, "next").ptr);
    if (!answer)
        return 1;
    if (apply)
        printf("%s: %lld of %lld changed\n", action, changed, matched);
    else
        printf("%s: would be done to %lld users; --apply does it\n", action, matched);
    return 0;
}

int cli_pool_users(struct client *client, int argc, char **argv)
{
    json_t *where = json_own(client->arena, json_object());
    const char *action = NULL, *sort = NULL, *group = NULL;
    bool apply = false, all = false;
    for (int i = 1; i < argc; i++) {
        struct str rest = str_of(argv[i]), name;
        const char **takes = strcmp(argv[i], "--do") == 0      ? &action
                             : strcmp(argv[i], "--sort") == 0  ? &sort
                             : strcmp(argv[i], "--group") == 0 ? &group
                                                               : NULL;
        if (takes && i + 1 < argc)
            *takes = argv[++i];
        else if (strcmp(argv[i], "--apply") == 0)
            apply = true;
        else if (strcmp(argv[i], "--all") == 0)
            all = true;
        else if (argv[i][0] != '-' && str_split(&rest, '=', &name) && rest.ptr && name.len)
            json_object_set_new(where, str_c(client->arena, name), json_of(rest));
        else
            return cli_usage("pool users POOL [FIELD.OPERATOR=VALUE…] [--sort FIELD] [--do ACTION [--group G] [--all] [--apply]]");
    }
    struct str pool = cli_require_pool(client, argv[0]);
    if (!pool.ptr)
        return 1;
    return action ? bulk(client, pool, where, action, group, apply, all) : list_users(client, pool, where, sort);
}

/* ---- pool import-log: what a CSV import job (StartUserImportJob) did not take ---- */

int cli_pool_import_log(struct client *client, int argc, char **argv)
{
    (void)argc;
    struct str pool = cli_require_pool(client, argv[0]);
    long long after = 0;
    if (!pool.ptr)
        return 1;
    do {
        struct arena *arena = arena_new(256 * 1024);
        size_t i;
        json_t *line, *answer = cli_pool_ask(client, arena,
                                             str_printf(arena, "/_gatehouse/user-pools/%.*s/imports/%.*s/log?after=%lld",
                                                        STR_FMT(pool), STR_FMT(uri_encode(arena, str_of(argv[1]), false)), after),
                                             NULL);
        json_array_foreach(json_object_get(answer, "Log"), i, line)
            puts(json_string_value(line));
        after = json_i64(answer, "After", answer ? 0 : -1);
        if (after == 0)
            fprintf(stderr, "%.*s: %lld imported, %lld skipped, %lld failed\n", STR_FMT(json_str(answer, "Status")),
                    (long long)json_i64(answer, "ImportedUsers", 0), (long long)json_i64(answer, "SkippedUsers", 0),
                    (long long)json_i64(answer, "FailedUsers", 0));
        arena_free(arena);
    } while (after > 0);
    return after < 0 ? 1 : 0;
}
