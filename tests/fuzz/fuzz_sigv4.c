/* A signed request from outside, byte by byte: whatever it is, verifying answers with a verdict,
 * and a canonical query does not change when it is made canonical again.
 * Input: method, path, query and headers as lines, then the body. */
#include "wire/sigv4_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sigv4_verdict find(void *ctx, struct arena *arena, struct str key_id, struct str token, int64_t now_s,
                               struct sigv4_key *out)
{
    (void)ctx, (void)arena, (void)token, (void)now_s;
    out->secret = STR("secret");
    return key_id.len % 2 ? SIGV4_OK : SIGV4_UNKNOWN_KEY;
}

static void canonical_is_stable(struct arena *arena, struct str query)
{
    struct str once = sigv4_canonical_query(arena, query, NULL);
    struct str twice = sigv4_canonical_query(arena, once, NULL);
    if (!str_eq(once, twice))
        __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const services[] = { "execute-api", NULL };
    struct arena *arena = arena_new(16 * 1024);
    struct str rest = { (const char *)data, size }, line, value;
    struct http_headers headers = { 0 };
    struct sigv4_request request = { .headers = &headers, .body = STR("") };
    str_split(&rest, '\n', &request.method);
    str_split(&rest, '\n', &request.path);
    str_split(&rest, '\n', &request.query);
    while (str_split(&rest, '\n', &line) && line.len) {
        value = line;
        str_split(&value, ':', &line);
        http_header_add(arena, &headers, line, value.ptr ? value : STR(""));
    }
    request.body = rest;
    const struct sigv4_rules rules = { .services = services, .now_s = 1440938160, .path_as_sent = size % 2 };
    const struct sigv4_keys keys = { .find = find };
    struct sigv4_outcome out;
    struct str key_id, service;
    sigv4_peek(arena, &request, &key_id, &service);
    if (sigv4_verify(arena, &request, &rules, &keys, &out) != SIGV4_OK)
        sigv4_error(arena, &out, PROTOCOL_REST_JSON);
    canonical_is_stable(arena, request.query);
    arena_free(arena);
    return 0;
}
