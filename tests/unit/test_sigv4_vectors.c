/* AWS's own signing test suites: canonical request, string to sign and signature byte for byte,
 * as verifier and as signer, and one changed byte is enough to be refused. */
#include "vectors.h"

#include <dirent.h>
#include <sys/stat.h>

#include "core/time.h"
#include "wire/sigv4.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
enum { CLOCK_S = 1440938160 }; /* 2015-08-30T12:36:00Z */

static struct str read_text(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return STR_NONE;
    char *text = arena_alloc(arena, 64 * 1024, 1);
    size_t n = fread(text, 1, 64 * 1024 - 1, file);
    fclose(file);
    text[n] = '\0';
    return (struct str){ text, n };
}

static struct str case_file(struct arena *arena, const char *folder, const char *name)
{
    return read_text(arena, str_printf(arena, "%s/%s", folder, name).ptr);
}

/* Request line, headers (a line that begins with a blank continues the one before), body. */
static struct sigv4_request parse(struct arena *arena, struct str text, struct http_headers *headers)
{
    struct sigv4_request request = { .headers = headers, .body = STR("") };
    struct str rest = text, line;
    str_split(&rest, '\n', &line);
    line = str_trim(line);
    ptrdiff_t first = str_find(line, ' '), last = str_find_last(line, ' ');
    struct str target = str_sub(line, (size_t)first + 1, (size_t)(last - first) - 1);
    request.method = str_sub(line, 0, (size_t)first);
    request.query = target;
    str_split(&request.query, '?', &request.path);
    *headers = (struct http_headers){ 0 };
    while (str_split(&rest, '\n', &line)) {
        if (str_trim(line).len == 0) {
            if (rest.ptr)
                request.body = rest;
            break;
        }
        if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
            struct http_header *above = &headers->items[headers->n - 1];
            above->value = str_printf(arena, "%.*s %.*s", STR_FMT(above->value), STR_FMT(line));
            continue;
        }
        struct str value = line, name;
        str_split(&value, ':', &name);
        if (name.len && value.len && value.ptr[value.len - 1] == '\r')
            value.len--;
        http_header_add(arena, headers, name, value);
    }
    return request;
}

static enum sigv4_verdict find(void *ctx, struct arena *arena, struct str key_id, struct str token, int64_t now_s,
                               struct sigv4_key *out)
{
    (void)ctx, (void)arena, (void)token, (void)now_s;
    if (!str_is(key_id, "AKIDEXAMPLE"))
        return SIGV4_UNKNOWN_KEY;
    out->secret = STR(SECRET);
    return SIGV4_OK;
}

static const char *const services[] = { "service", NULL };
static const struct sigv4_keys keys = { .find = find };

static enum sigv4_verdict verify(struct arena *arena, const struct sigv4_request *request, bool as_sent,
                                 struct sigv4_outcome *out)
{
    const struct sigv4_rules rules = { .services = services, .region = STR("us-east-1"), .now_s = CLOCK_S,
                                       .path_as_sent = as_sent };
    return sigv4_verify(arena, request, &rules, &keys, out);
}

/* Changes one byte, expects refusal, and puts it back. */
static void must_refuse(struct arena *arena, const char *name, const char *what, struct sigv4_request *request,
                        bool as_sent, struct str *field)
{
    struct str before = *field;
    if (before.len == 0)
        return;
    struct str changed = str_copy(arena, before);
    char *last = (char *)(uintptr_t)changed.ptr + changed.len - 1;
    *last = *last == 'x' ? 'y' : 'x';
    *field = changed;
    struct sigv4_outcome out;
    if (verify(arena, request, as_sent, &out) == SIGV4_OK)
        fail_msg("%s: accepted with another %s", name, what);
    *field = before;
}

static void refuses_changes(struct arena *arena, const char *name, struct sigv4_request request, bool as_sent)
{
    must_refuse(arena, name, "method", &request, as_sent, &request.method);
    must_refuse(arena, name, "query", &request, as_sent, &request.query);
    must_refuse(arena, name, "body", &request, as_sent, &request.body);
    struct str before = request.path;
    request.path = str_concat(arena, before, STR("x"));
    struct sigv4_outcome out;
    if (verify(arena, &request, as_sent, &out) == SIGV4_OK)
        fail_msg("%s: accepted with another path", name);
    request.path = before;
    struct str body = request.body;
    request.body = str_concat(arena, body, STR("x"));
    if (verify(arena, &request, as_sent, &out) == SIGV4_OK)
        fail_msg("%s: accepted with another body", name);
    request.body = body;
    for (size_t i = 0; i < request.headers->n; i++)
        if (!str_eq_nocase(request.headers->items[i].name, STR("x-amz-security-token")))
            must_refuse(arena, name, request.headers->items[i].name.ptr, &request, as_sent,
                        &request.headers->items[i].value);
}

static void same(const char *name, const char *what, struct str got, struct str want)
{
    if (!str_eq(got, str_trim(want)))
        fail_msg("%s: %s\n--- got\n%.*s\n--- want\n%.*s", name, what, STR_FMT(got), STR_FMT(want));
}

/* authorization: what the header must be, where the file's is not (one case of botocore's holds a
 * scrambled signature there); or absent. */
static void check_verified(struct arena *arena, const char *name, struct str signed_text, struct str canonical,
                           struct str to_sign, struct str authorization, bool as_sent)
{
    struct http_headers headers;
    struct sigv4_request request = parse(arena, signed_text, &headers);
    if (authorization.ptr)
        http_header_set(arena, &headers, STR("Authorization"), str_trim(authorization));
    struct sigv4_outcome out;
    enum sigv4_verdict verdict = verify(arena, &request, as_sent, &out);
    same(name, "canonical request", out.canonical.ptr ? out.canonical : out.why, canonical);
    same(name, "string to sign", out.string_to_sign, to_sign);
    if (verdict != SIGV4_OK)
        fail_msg("%s: refused: %.*s", name, STR_FMT(out.why));
    refuses_changes(arena, name, request, as_sent);
}

/* Cuts "Signature=…" out of an Authorization value or a query string. */
static struct str signature_in(struct str text)
{
    ptrdiff_t at = str_find_str(text, STR("Signature="));
    return str_sub(text, (size_t)at + 10, 64);
}

static void check_signed(struct arena *arena, const char *name, const char *folder, json_t *context)
{
    json_t *credentials = json_object_get(context, "credentials");
    struct sigv4_signer signer = {
        .access_key_id = json_str(credentials, "access_key_id"),
        .secret = json_str(credentials, "secret_access_key"),
        .session_token = json_str(credentials, "token"),
        .region = json_str(context, "region"),
        .service = json_str(context, "service"),
        .now_s = CLOCK_S,
        .path_as_sent = !json_flag(context, "normalize", true),
        .sign_body = json_flag(context, "sign_body", false),
        .token_after = json_flag(context, "omit_session_token", false),
    };
    struct http_headers headers;
    struct sigv4_request request = parse(arena, case_file(arena, folder, "request.txt"), &headers);
    struct str query = sigv4_presign(arena, &request, &signer, json_i64(context, "expiration_in_seconds", 0));
    same(name, "presigned", signature_in(query), case_file(arena, folder, "query-signature.txt"));
    sigv4_sign(arena, &request, &signer, &headers);
    same(name, "signed", signature_in(http_header_get(&headers, "authorization")),
         case_file(arena, folder, "header-signature.txt"));
}

static void aws_suite(void **state)
{
    (void)state;
    DIR *dir = opendir(VECTORS "/sigv4/v4");
    assert_non_null(dir);
    size_t ran = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct arena *arena = arena_new(1 << 20);
        const char *folder = str_printf(arena, VECTORS "/sigv4/v4/%s", entry->d_name).ptr;
        struct str context_text = case_file(arena, folder, "context.json"), why;
        if (context_text.ptr && entry->d_name[0] != '.') {
            json_t *context = json_parse(arena, context_text, &why);
            bool as_sent = !json_flag(context, "normalize", true);
            const char *const forms[] = { "header", "query" };
            for (size_t i = 0; i < COUNT(forms); i++)
                check_verified(arena, entry->d_name,
                               case_file(arena, folder, str_printf(arena, "%s-signed-request.txt", forms[i]).ptr),
                               case_file(arena, folder, str_printf(arena, "%s-canonical-request.txt", forms[i]).ptr),
                               case_file(arena, folder, str_printf(arena, "%s-string-to-sign.txt", forms[i]).ptr),
                               STR_NONE, as_sent);
            check_signed(arena, entry->d_name, folder, context);
            ran++;
        }
        arena_free(arena);
    }
    closedir(dir);
    assert_int_equal(ran, 38);
}

static size_t botocore_folder(const char *path)
{
    size_t ran = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        struct arena *arena = arena_new(1 << 20);
        const char *folder = str_printf(arena, "%s/%s", path, entry->d_name).ptr;
        struct stat about;
        if (entry->d_name[0] != '.' && stat(folder, &about) == 0 && S_ISDIR(about.st_mode)) {
            const char *stem = str_printf(arena, "%s/%s", folder, entry->d_name).ptr;
            struct str sreq = read_text(arena, str_printf(arena, "%s.sreq", stem).ptr);
            if (!sreq.ptr) {
                ran += botocore_folder(folder);
            } else {
                check_verified(arena, entry->d_name, sreq, read_text(arena, str_printf(arena, "%s.creq", stem).ptr),
                               read_text(arena, str_printf(arena, "%s.sts", stem).ptr),
                               read_text(arena, str_printf(arena, "%s.authz", stem).ptr), false);
                ran++;
            }
        }
        arena_free(arena);
    }
    closedir(dir);
    return ran;
}

static void botocore_suite(void **state)
{
    (void)state;
    assert_int_equal(botocore_folder(VECTORS "/sigv4/botocore-aws4_testsuite"), 34);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aws_suite),
        cmocka_unit_test(botocore_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
