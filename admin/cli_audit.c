/* gatehouse audit: what was done here, by whom, and whether the log of it is as it was written. */
#include <stdio.h>
#include <string.h>

#include "admin/audit/search.h"
#include "admin/audit/serve.h"
#include "admin/cli.h"
#include "core/chain_line.h"
#include "core/chain_verify.h"
#include "core/json_tree.h"
#include "core/uri.h"

enum { BROKEN = 2, WAIT_S = 15, PAGE = 500 };

static const char *const usage =
    "audit VERB\n"
    "  search [NAME=VALUE…] [--dir DIR] [--all] [--table]   records, newest first; by name, source, principal, key, resource,\n"
    "                                                       error, ip, id, since, until, limit; * and ? are wild cards\n"
    "  tail [NAME=VALUE…] [--table]                         the same as they come\n"
    "  verify [--dir DIR] [--key FILE] [--from N] [--to N] [--json]\n"
    "                                                       is the log as it was written? Of a running server, or of a folder;\n"
    "                                                       exit 0: it is, 2: it is not, 1: nobody can tell\n"
    "  key [--dir DIR]                                      the public key that its checkpoints are verified with";

/* ---- records for people ---- */

static struct str at(const struct jt *record, const char *name)
{
    struct str value = jt_get_str(record, name);
    return value.ptr ? value : STR("");
}

static struct str who_of(const struct jt *record)
{
    const struct jt *who = jt_get(record, STR("userIdentity"));
    struct str arn = at(who, "arn"), sub = at(jt_get(record, STR("additionalEventData")), "sub");
    return arn.len ? arn : sub.len ? sub : at(who, "type");
}

/* A terminal is no place for what a stranger sent: all of it went through JSON's escapes, and stays in them. */
static void print_text(struct str text, int width)
{
    struct arena *arena = arena_new(512);
    struct strbuf quoted = strbuf_in(arena, text.len + 16);
    json_quote(&quoted, text);
    struct str shown = str_sub(strbuf_view(&quoted), 1, quoted.len - 2);
    printf("%-*.*s ", width, STR_FMT(shown));
    arena_free(arena);
}

static void print_record(struct arena *arena, struct str line, bool table)
{
    struct str why;
    const struct jt *r = table ? jt_parse(arena, line, &why) : NULL;
    if (!r) {
        printf("%.*s\n", STR_FMT(line));
        return;
    }
    print_text(at(r, "eventTime"), 20);
    print_text(at(r, "eventSource"), 28);
    print_text(at(r, "eventName"), 28);
    print_text(at(r, "sourceIPAddress"), 15);
    print_text(who_of(r), 44);
    print_text(at(r, "errorCode"), 0);
    printf("\n");
}

/* ---- search, tail ---- */

struct asked {
    struct audit_query query;
    struct strbuf text; /* the same as a query string */
    const char *folder;
    bool all, table;
};

static bool read_words(struct arena *arena, int argc, char **argv, struct asked *out)
{
    *out = (struct asked){ .text = strbuf_in(arena, 256) };
    for (int i = 0; i < argc; i++) {
        struct str word = str_of(argv[i]), why = STR_NONE;
        ptrdiff_t equals = str_find(word, '=');
        if (str_is(word, "--all")) {
            out->all = true;
        } else if (str_is(word, "--table")) {
            out->table = true;
        } else if (str_is(word, "--dir") && i + 1 < argc) {
            out->folder = argv[++i];
        } else if (equals <= 0 || str_starts(word, STR("--"))) {
            cli_usage(usage);
            return false;
        } else {
            struct str name = str_sub(word, 0, (size_t)equals), value = str_from(word, (size_t)equals + 1);
            if (!audit_query_set(arena, &out->query, name, value, &why)) {
                fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(why));
                return false;
            }
            strbuf_printf(&out->text, "%.*s=%.*s&", STR_FMT(name), STR_FMT(uri_encode(arena, value, false)));
        }
    }
    return true;
}

/* One page of the server's. False after saying why. */
static bool ask(struct client *client, struct asked *asked, const char *more, json_t **events, int64_t *next)
{
    struct str path = str_printf(client->arena, "/_gatehouse/audit?%.*s%s", STR_FMT(strbuf_view(&asked->text)), more);
    json_t *page = client_rest(client, "iam", "GET", path, NULL);
    struct str text = json_str(page, "next");
    *events = json_object_get(page, "events");
    *next = 0;
    str_i64(text.ptr ? text : STR(""), next);
    return page && json_is_array(*events);
}

static bool search_server(struct asked *asked)
{
    int64_t before = 0;
    do {
        struct arena *arena = arena_new(64 * 1024);
        struct client client;
        json_t *events, *event;
        size_t i;
        client_open(&client, arena);
        bool ok = ask(&client, asked, before ? str_printf(arena, "before=%lld", (long long)before).ptr : "", &events, &before);
        if (ok)
            json_array_foreach(events, i, event)
                print_record(arena, json_print(arena, event), asked->table);
        arena_free(arena);
        if (!ok)
            return false;
    } while (asked->all && before);
    return true;
}

static bool search_folder(struct asked *asked)
{
    struct audit_page page = { 0 };
    do {
        struct arena *arena = arena_new(64 * 1024);
        struct str why = STR_NONE;
        bool ok = audit_search(arena, asked->folder, &asked->query, 0, &page, &why);
        if (!ok)
            fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(why));
        for (size_t i = 0; ok && i < page.n; i++)
            print_record(arena, page.lines[i], asked->table);
        asked->query.before = page.next;
        arena_free(arena);
        if (!ok)
            return false;
    } while (asked->all && page.next);
    return true;
}

static int run_search(struct arena *arena, int argc, char **argv)
{
    struct asked asked;
    if (!read_words(arena, argc, argv, &asked))
        return 1;
    return (asked.folder ? search_folder(&asked) : search_server(&asked)) ? 0 : 1;
}

static int64_t sequence_of(const json_t *event)
{
    return json_i64(event, "sequence", 0);
}

/* Asks for what came after the last one seen, and waits at the server when there is nothing. */
static int run_tail(struct arena *arena, int argc, char **argv)
{
    struct asked asked;
    int64_t seen = -1, next;
    if (!read_words(arena, argc, argv, &asked))
        return 1;
    if (asked.folder || asked.all || asked.query.before || asked.query.after || asked.query.limit)
        return cli_usage(usage);
    for (;;) {
        struct arena *own = arena_new(64 * 1024);
        struct client client;
        json_t *events;
        client_open(&client, own);
        const char *more = seen < 0 ? "limit=10"
                                    : str_printf(own, "limit=1000&after=%lld&wait=%d", (long long)seen, WAIT_S).ptr;
        bool ok = ask(&client, &asked, more, &events, &next);
        json_t *all = json_own(own, json_array());
        json_array_extend(all, events);
        while (ok && next && seen >= 0) { /* more than a page since the last time */
            ok = ask(&client, &asked, str_printf(own, "limit=1000&after=%lld&before=%lld", (long long)seen, (long long)next).ptr, &events, &next);
            json_array_extend(all, events);
        }
        for (size_t i = ok ? json_array_size(all) : 0; i-- > 0;) {
            const json_t *event = json_array_get(all, i);
            seen = sequence_of(event) > seen ? sequence_of(event) : seen;
            if (!str_is(json_str(event, "eventName"), "LookupEvents"))
                print_record(own, json_print(own, event), asked.table);
        }
        if (seen < 0)
            seen = 0;
        fflush(stdout);
        arena_free(own);
        if (!ok || ferror(stdout))
            return 1;
    }
}

/* ---- verify, key ---- */

static int tell(struct arena *arena, const json_t *report, bool as_json, const char *what)
{
    bool ok = json_flag(report, "ok", false);
    if (as_json) {
        printf("%.*s\n", STR_FMT(json_print(arena, report)));
    } else if (ok) {
        printf("%s is as it was written: records %lld to %lld, %lld checkpoints.\n", what, (long long)json_i64(report, "first", 0),
               (long long)json_i64(report, "last", 0), (long long)json_i64(report, "checkpoints", 0));
        if (json_i64(report, "afterCheckpoint", 0) > 0)
            printf("The last %lld are chained but not signed yet.\n", (long long)json_i64(report, "afterCheckpoint", 0));
        if (json_i64(report, "lost", 0) > 0)
            printf("%lld records were lost: the disk did not take them.\n", (long long)json_i64(report, "lost", 0));
    } else {
        struct str file = json_str(report, "file"), message = json_str(report, "message"), fault = json_str(report, "fault");
        printf("%s is NOT as it was written: %.*s, line %lld, record %lld: %.*s. %.*s.\n", what, STR_FMT(file),
               (long long)json_i64(report, "line", 0), (long long)json_i64(report, "sequence", 0), STR_FMT(fault), STR_FMT(message));
        printf("Before that %lld records are good.\n", (long long)json_i64(report, "checked", 0));
    }
    return ok ? 0 : BROKEN;
}

static bool number_flag(int argc, char **argv, const char *name, int64_t *out)
{
    const char *text = cli_flag(argc, argv, name);
    *out = 0;
    return !text || (str_i64(str_of(text), out) && *out > 0);
}

static int verify_folder(struct arena *arena, const char *folder, const char *key_file, int64_t from, int64_t to, bool as_json)
{
    struct chain_report report;
    struct str why = STR_NONE;
    struct chain_expectation expected = { .folder = folder, .from = from, .to = to };
    bool ok = !key_file || chain_read(arena, key_file, &expected.keys, &why);
    if (ok) {
        expected.running = chain_is_written(arena, folder);
        ok = chain_verify(arena, &expected, &report, &why);
    }
    if (!ok) {
        fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(why));
        return 1;
    }
    return tell(arena, audit_report_json(arena, &report), as_json, folder);
}

static int run_verify(struct arena *arena, int argc, char **argv)
{
    const char *folder = cli_flag(argc, argv, "--dir"), *key_file = cli_flag(argc, argv, "--key");
    bool as_json = cli_given(argc, argv, "--json");
    int64_t from, to;
    if (!cli_flags_known(argc, argv, 0, "--dir= --key= --from= --to= --json") || !number_flag(argc, argv, "--from", &from) ||
        !number_flag(argc, argv, "--to", &to) || (key_file && !folder))
        return cli_usage(usage);
    if (folder)
        return verify_folder(arena, folder, key_file, from, to, as_json);
    struct client client;
    client_open(&client, arena);
    client.timeout_ms = 600 * 1000;
    json_t *body = json_own(arena, json_object());
    if (from)
        json_set_i64(body, "from", from);
    if (to)
        json_set_i64(body, "to", to);
    json_t *report = client_rest(&client, "iam", "POST", STR("/_gatehouse/audit/verify"), body);
    return report ? tell(arena, report, as_json, "The audit log") : 1;
}

static int run_key(struct arena *arena, int argc, char **argv)
{
    const char *folder = cli_flag(argc, argv, "--dir");
    struct str pem = STR_NONE, why = STR_NONE;
    if (!cli_flags_known(argc, argv, 0, "--dir="))
        return cli_usage(usage);
    if (folder) {
        if (!chain_read(arena, chain_path(arena, folder, "public-key.pem").ptr, &pem, &why))
            fprintf(stderr, "gatehouse: %.*s\n", STR_FMT(why));
    } else {
        struct client client;
        client_open(&client, arena);
        pem = json_str(client_rest(&client, "iam", "GET", STR("/_gatehouse/audit/key"), NULL), "publicKey");
    }
    printf("%.*s", STR_FMT(pem));
    return pem.len ? 0 : 1;
}

int cli_audit(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(struct arena *arena, int argc, char **argv);
    } verbs[] = { { "search", run_search }, { "tail", run_tail }, { "verify", run_verify }, { "key", run_key } };
    for (size_t i = 0; argc > 0 && i < COUNT(verbs); i++) {
        if (strcmp(argv[0], verbs[i].name) != 0)
            continue;
        struct arena *arena = arena_new(64 * 1024);
        int code = verbs[i].run(arena, argc - 1, argv + 1);
        arena_free(arena);
        return code;
    }
    return cli_usage(usage);
}
