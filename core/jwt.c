#include "core/jwt.h"

#include "core/base64.h"
#include "core/json.h"

static bool header_read(struct arena *arena, struct str text, struct jwt *out);
static bool too_deep(struct str json);

struct str jwt_mint(struct arena *arena, const struct key *key, struct str kid, struct str claims)
{
    struct strbuf header = strbuf_in(arena, kid.len + 32);
    strbuf_add(&header, STR("{\"kid\":"));
    json_quote(&header, kid);
    strbuf_add(&header, STR(",\"alg\":\"RS256\"}"));

    struct strbuf token = strbuf_in(arena, (header.len + claims.len) * 4 / 3 + 400);
    strbuf_add(&token, base64url_encode(arena, strbuf_view(&header)));
    strbuf_char(&token, '.');
    strbuf_add(&token, base64url_encode(arena, claims));
    struct str signature = key_sign_rs256(arena, key, strbuf_view(&token));
    if (!signature.ptr)
        return STR_NONE;
    strbuf_char(&token, '.');
    strbuf_add(&token, base64url_encode(arena, signature));
    return strbuf_view(&token);
}

bool jwt_read(struct arena *arena, struct str token, struct jwt *out)
{
    if (token.len > JWT_MAX_BYTES)
        return false;
    struct str rest = token, header, payload, signature, more;
    if (!str_split(&rest, '.', &header) || !str_split(&rest, '.', &payload) ||
        !str_split(&rest, '.', &signature) || str_split(&rest, '.', &more))
        return false;
    if (str_empty(header) || str_empty(payload) || str_empty(signature))
        return false;
    struct str header_json;
    if (!base64url_decode(arena, header, &header_json) || !header_read(arena, header_json, out) ||
        !base64url_decode(arena, payload, &out->payload) ||
        !base64url_decode(arena, signature, &out->signature))
        return false;
    out->signing_input = (struct str){ token.ptr, header.len + 1 + payload.len };
    return true;
}

json_t *jwt_claims(struct arena *arena, const struct jwt *jwt, const struct key *key, bool *signed_)
{
    *signed_ = key_verify(key, jwt->alg, jwt->signing_input, jwt->signature);
    return *signed_ ? jwt_peek(arena, jwt) : NULL;
}

json_t *jwt_peek(struct arena *arena, const struct jwt *jwt)
{
    if (too_deep(jwt->payload))
        return NULL;
    json_t *claims = json_parse(arena, jwt->payload, NULL); /* refuses duplicate names */
    return json_is_object(claims) ? claims : NULL;
}

/* Negative, or later than the year 9999: no time a clock shows. */
static bool plausible(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 &&
           json_integer_value(value) < INT64_C(253402300800);
}

enum jwt_time jwt_check_time(const json_t *claims, int64_t now_s)
{
    const json_t *exp = json_object_get(claims, "exp"), *nbf = json_object_get(claims, "nbf"),
                 *iat = json_object_get(claims, "iat");
    if (!plausible(exp) || (nbf && !plausible(nbf)) || (iat && !plausible(iat)))
        return JWT_BAD_TIME;
    if ((nbf && json_integer_value(nbf) > now_s) || (iat && json_integer_value(iat) > now_s))
        return JWT_BAD_TIME;
    return json_integer_value(exp) <= now_s ? JWT_EXPIRED : JWT_LIVE;
}

/* Header members that would change how the token must be read, were they honoured. We honour
 * none, so a token that asks for one is refused rather than misread. */
static const char *const never[] = { "crit", "b64", "zip", "enc", "cty", "jku", "jwk", "x5u", "x5c" };

static bool header_read(struct arena *arena, struct str text, struct jwt *out)
{
    if (text.len > 2048 || too_deep(text))
        return false;
    json_t *header = json_parse(arena, text, NULL);
    if (!json_is_object(header) || !key_alg_of(json_str(header, "alg"), &out->alg))
        return false;
    for (size_t i = 0; i < COUNT(never); i++)
        if (json_object_get(header, never[i]))
            return false;
    const json_t *typ = json_object_get(header, "typ");
    if (typ && !str_eq_nocase(json_value_str(typ), STR("JWT")) &&
        !str_eq_nocase(json_value_str(typ), STR("at+jwt")))
        return false;
    out->kid = json_str(header, "kid");
    return out->kid.ptr && out->kid.len > 0 && out->kid.len <= 1024;
}

/* Claims are shallow; a bomb of brackets is refused before a parser recurses into it. */
static bool too_deep(struct str json)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];
        if (c == '\\' && in_string)
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > JWT_MAX_DEPTH)
            return true;
        else if (!in_string && (c == '}' || c == ']'))
            depth--;
    }
    return false;
}
