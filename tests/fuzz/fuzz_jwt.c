/* Tokens from outside, byte by byte. What is read must be exactly what was sent (one spelling a
 * token), say its alg plainly, and be live only by whole numbers.
 * Input: a token; or, after a first line "parts", a header and a payload as lines, which are encoded here. */
#include "core/base64.h"
#include "core/json.h"
#include "core/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW_S = 1800000000 };

static void must(bool condition)
{
    if (!condition)
        __builtin_trap();
}

static void read_token(struct arena *arena, struct str token)
{
    struct jwt jwt;
    if (!jwt_read(arena, token, &jwt))
        return;
    must(token.len <= JWT_MAX_BYTES && jwt.kid.ptr && jwt.kid.len > 0);
    struct str rest = token, head, payload, signature;
    must(str_split(&rest, '.', &head) && str_split(&rest, '.', &payload) &&
         str_split(&rest, '.', &signature));
    must(!rest.ptr);
    must(str_eq(base64url_encode(arena, jwt.payload), payload));
    must(str_eq(base64url_encode(arena, jwt.signature), signature));
    must(jwt.signing_input.ptr == token.ptr && jwt.signing_input.len == head.len + 1 + payload.len);
    struct str text;
    must(base64url_decode(arena, head, &text));
    const json_t *header = json_parse(arena, text, NULL);
    must(str_is(json_str(header, "alg"), key_alg_name(jwt.alg)) && !json_object_get(header, "crit"));
    json_t *claims = json_parse(arena, jwt.payload, NULL);
    if (json_is_object(claims) && jwt_check_time(claims, NOW_S) == JWT_LIVE)
        must(json_i64(claims, "exp", 0) > NOW_S && json_i64(claims, "iat", 0) <= NOW_S &&
             json_i64(claims, "nbf", 0) <= NOW_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024);
    struct str rest = { (const char *)data, size }, line, header;
    read_token(arena, rest);
    if (str_split(&rest, '\n', &line) && str_is(line, "parts") && str_split(&rest, '\n', &header) && rest.ptr)
        read_token(arena, str_printf(arena, "%s.%s.AAAA", base64url_encode(arena, header).ptr,
                                     base64url_encode(arena, rest).ptr));
    arena_free(arena);
    return 0;
}
