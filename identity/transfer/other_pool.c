#include "identity/transfer/other_pool.h"

#include <stdatomic.h>

#include "core/base64.h"
#include "core/digest.h"
#include "core/http_fetch.h"
#include "core/json.h"
#include "core/uri.h"
#include "identity/pools/options.h"
#include "wire/pattern.h"
#include "wire/sigv4.h"

enum { TIMEOUT_MS = 5000, MOST_ANSWER = 256 * 1024, MOST_AT_ONCE = 4 };

/* A slow neighbour must not have all job threads wait for it. */
static atomic_int at_once;

struct other {
    struct call *call;
    const struct pool *pool;
    struct str url, region, client_id;
    int timeout_ms;
};

static gh_err trouble(struct other *other, const char *operation, const char *why)
{
    return gh_fail(other->call->arena, &idp_InternalErrorException, "the pool to migrate from: %s: %s", operation, why);
}

bool other_pool_is_set(const struct pool *pool)
{
    return option_text(pool->more, "migrateFromEndpoint").len && option_text(pool->more, "migrateFromClient").len;
}

/* AdminGetUser is signed; the two others are for anybody. */
static struct http_headers headers_of(struct other *other, const char *operation, struct str body, bool is_signed)
{
    struct arena *arena = other->call->arena;
    struct http_headers headers = { 0 };
    struct uri uri;
    if (!uri_parse(arena, other->url, &uri))
        return headers;
    http_header_add(arena, &headers, STR("Host"), uri.has_port ? str_printf(arena, "%.*s:%u", STR_FMT(uri.host), uri.port) : uri.host);
    http_header_add(arena, &headers, STR("Content-Type"), STR("application/x-amz-json-1.1"));
    http_header_add(arena, &headers, STR("X-Amz-Target"), str_printf(arena, "AWSCognitoIdentityProviderService.%s", operation));
    if (!is_signed)
        return headers;
    struct sigv4_request request = { .method = STR("POST"), .path = uri.path.len ? uri.path : STR("/"), .headers = &headers, .body = body };
    struct sigv4_signer signer = { .access_key_id = option_text(other->pool->more, "migrateFromAccessKey"),
                                   .secret = pool_option_secret(other->call, other->pool, "migrateFromSecretKey"),
                                   .region = other->region, .service = STR("cognito-idp"),
                                   .now_s = env_now_s(other->call->env) };
    sigv4_sign(arena, &request, &signer, &headers);
    return headers;
}

/* *doc: what it answers with 200, NULL with a refusal that says that the person is not known so. */
static gh_err send(struct other *other, const char *operation, json_t *input, bool is_signed, json_t **doc)
{
    struct call *call = other->call;
    struct str body = json_print(call->arena, input);
    struct http_headers headers = headers_of(other, operation, body, is_signed);
    struct http_fetch fetch = { .method = STR("POST"), .url = other->url, .headers = &headers, .body = body,
                                .timeout_ms = other->timeout_ms, .most = MOST_ANSWER };
    http_fetch(((struct identity *)call->module)->fetcher, call->arena, &fetch);
    *doc = NULL;
    if (fetch.why)
        return trouble(other, operation, fetch.why);
    json_t *answer = json_parse(call->arena, fetch.text.len ? fetch.text : STR("{}"), NULL);
    if (fetch.status == 200 && json_is_object(answer)) {
        *doc = answer;
        return NULL;
    }
    struct str type = json_str(answer, "__type");
    ptrdiff_t hash = str_find(type, '#');
    type = hash >= 0 ? str_from(type, (size_t)hash + 1) : type;
    if (fetch.status == 400 && (str_is(type, "NotAuthorizedException") || str_is(type, "UserNotFoundException")))
        return NULL;
    return trouble(other, operation, type.len ? type.ptr : str_printf(call->arena, "status %d", fetch.status).ptr);
}

static gh_err sign_in_there(struct other *other, struct str name, struct str password, json_t **doc)
{
    struct arena *arena = other->call->arena;
    json_t *input = json_own(arena, json_object()), *parameters = json_object();
    struct str secret = pool_option_secret(other->call, other->pool, "migrateFromClientSecret");
    json_set_str(input, "AuthFlow", STR("USER_PASSWORD_AUTH"));
    json_set_str(input, "ClientId", other->client_id);
    json_object_set_new(input, "AuthParameters", parameters);
    json_set_str(parameters, "USERNAME", name);
    json_set_str(parameters, "PASSWORD", password);
    if (secret.len) {
        uint8_t mac[SHA256_BYTES];
        const struct str parts[] = { name, other->client_id };
        digest_hmac_sha256_parts(secret, parts, COUNT(parts), mac);
        json_set_str(parameters, "SECRET_HASH", base64_encode(arena, digest_str(mac, sizeof mac)));
    }
    return send(other, "InitiateAuth", input, false, doc);
}

static bool has_keys(const struct other *other)
{
    return option_text(other->pool->more, "migrateFromAccessKey").len && option_text(other->pool->more, "migrateFromPool").len &&
           option_text(other->pool->more, "migrateFromSecretKey").len;
}

static gh_err look_up(struct other *other, struct str name, json_t **doc)
{
    json_t *input = json_own(other->call->arena, json_object());
    json_set_str(input, "UserPoolId", option_text(other->pool->more, "migrateFromPool"));
    json_set_str(input, "Username", name);
    gh_err err = send(other, "AdminGetUser", input, true, doc);
    if (!err && *doc && !json_flag(*doc, "Enabled", true))
        *doc = NULL; /* who is shut out there does not come in here */
    return err;
}

/* Second factors only: a password that has to be changed, or was reset, is none to keep. */
static bool password_was_right(struct str challenge)
{
    static const char *const factors[] = { "SMS_MFA", "SOFTWARE_TOKEN_MFA", "EMAIL_OTP", "SELECT_MFA_TYPE", "MFA_SETUP", "DEVICE_SRP_AUTH" };
    for (size_t i = 0; i < COUNT(factors); i++)
        if (str_is(challenge, factors[i]))
            return true;
    return false;
}

static gh_err find_there(struct other *other, struct str name, struct str password, json_t **user)
{
    json_t *signed_in;
    *user = NULL;
    if (!password.ptr)
        return has_keys(other) ? look_up(other, name, user) : NULL;
    gh_err err = sign_in_there(other, name, password, &signed_in);
    if (err || !signed_in)
        return err;
    struct str token = json_str(json_object_get(signed_in, "AuthenticationResult"), "AccessToken");
    struct str challenge = json_str(signed_in, "ChallengeName");
    if (!token.ptr && password_was_right(challenge) && has_keys(other))
        return look_up(other, name, user);
    if (!token.ptr)
        return trouble(other, "InitiateAuth", challenge.ptr ? str_printf(other->call->arena, "asks %.*s, and keys to look the user up with are not given", STR_FMT(challenge)).ptr : "no tokens");
    json_t *input = json_own(other->call->arena, json_object());
    json_set_str(input, "AccessToken", token);
    return send(other, "GetUser", input, false, user);
}

/* What this pool's schema has. The name there, unless it is only the sub. */
static json_t *answer_of(struct other *other, const json_t *user, struct str typed, bool confirmed)
{
    struct arena *arena = other->call->arena;
    json_t *answer = json_own(arena, json_object()), *attributes = json_object();
    const json_t *list = json_object_get(user, "UserAttributes"), *one;
    struct str username = json_str(user, "Username"), sub = STR_NONE;
    size_t i;
    json_object_set_new(answer, "userAttributes", attributes);
    json_array_foreach(list ? list : json_object_get(user, "Attributes"), i, one) {
        struct str name = json_str(one, "Name"), value = json_str(one, "Value");
        if (str_is(name, "sub"))
            sub = value;
        else if (name.ptr && value.len && !str_is(name, "identities") && pool_attribute(other->pool, name))
            json_set_str(attributes, str_c(arena, name), value);
    }
    bool only_sub = sub.ptr && str_eq(username, sub), typed_is_address = str_find(typed, '@') > 0 || str_starts(typed, STR("+"));
    if (username.len && pattern_matches(idp_shape_UsernameType.pattern, username) && (!only_sub || (typed_is_address && other->pool->doc->alias_attributes.n)))
        json_set_str(attributes, "username", username);
    else
        json_set_str(attributes, "username", typed);
    json_set_str(answer, "sub", sub);
    if (confirmed)
        json_set_str(answer, "finalUserStatus", STR("CONFIRMED"));
    return answer;
}

gh_err other_pool_ask(struct call *call, const struct client *client, struct str name, struct str password, json_t **answer)
{
    const struct pool *pool = &client->pool;
    struct other other = { .call = call, .pool = pool, .url = option_text(pool->more, "migrateFromEndpoint"),
                           .region = option_text(pool->more, "migrateFromRegion"),
                           .client_id = option_text(pool->more, "migrateFromClient"),
                           .timeout_ms = (int)option_count(pool->more, "migrateFromTimeoutMs", TIMEOUT_MS) };
    json_t *user = NULL;
    gh_err err;
    if (!other.region.len)
        other.region = call->region;
    if (!str_ends(other.url, STR("/")))
        other.url = str_concat(call->arena, other.url, STR("/"));
    *answer = json_own(call->arena, json_object());
    if (atomic_fetch_add(&at_once, 1) >= MOST_AT_ONCE)
        err = trouble(&other, "waiting", "too many people are being asked for at once");
    else
        err = find_there(&other, name, password, &user);
    atomic_fetch_sub(&at_once, 1);
    if (!err && user)
        *answer = answer_of(&other, user, name, password.ptr != NULL);
    return err;
}
