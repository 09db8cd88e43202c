/* How a signature is written down: in the Authorization header or in the query string. */
#include "core/base64.h"
#include "core/time.h"
#include "core/uri.h"
#include "wire/sigv4_parts.h"

static enum sigv4_verdict read_header(struct arena *arena, const struct sigv4_request *request, struct str value,
                                      struct sigv4_form *form, struct str *why);
static enum sigv4_verdict read_query(struct arena *arena, const struct sigv4_request *request,
                                     struct sigv4_form *form, struct str *why);
static bool is_presigned(const struct sigv4_request *request);

static enum sigv4_verdict incomplete(struct str *why, struct str text)
{
    *why = text;
    return SIGV4_INCOMPLETE;
}

bool sigv4_is_signed(const struct sigv4_request *request)
{
    return http_header_get(request->headers, "authorization").len || is_presigned(request);
}

static bool is_presigned(const struct sigv4_request *request)
{
    return request->query.len && (str_find_str(request->query, STR("X-Amz-Algorithm=")) >= 0 ||
                                  str_find_str(request->query, STR("X-Amz-Signature=")) >= 0);
}

enum sigv4_verdict sigv4_read_form(struct arena *arena, const struct sigv4_request *request,
                                   struct sigv4_form *form, struct str *why)
{
    *form = (struct sigv4_form){ 0 };
    struct str authorization = http_header_get(request->headers, "authorization");
    bool presigned = is_presigned(request);
    size_t times = 0;
    for (size_t i = 0; i < request->headers->n; i++)
        times += str_eq_nocase(request->headers->items[i].name, STR("authorization"));
    if (times > 1 || (authorization.len && presigned))
        return incomplete(why, STR("Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the "
                                   "Authorization header should be specified"));
    if (presigned)
        return read_query(arena, request, form, why);
    if (!authorization.len)
        return SIGV4_UNSIGNED;
    return read_header(arena, request, authorization, form, why);
}

/* API Gateway does not repeat a header that may hold somebody's token. */
static struct str hashed(struct arena *arena, struct str value)
{
    uint8_t hash[SHA256_BYTES];
    digest_sha256(value, hash);
    return base64_encode(arena, digest_str(hash, sizeof hash));
}

static bool is_signature(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdef", text.ptr[i]) || text.ptr[i] == '\0')
            return false;
    return text.len == 64;
}

/* "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…" */
static enum sigv4_verdict read_header(struct arena *arena, const struct sigv4_request *request, struct str value,
                                      struct sigv4_form *form, struct str *why)
{
    struct str rest = str_trim(value), pair;
    if (!str_split(&rest, ' ', &form->algorithm))
        return SIGV4_UNSIGNED;
    while (str_split(&rest, ',', &pair)) {
        pair = str_trim(pair);
        struct str text = pair, name;
        str_split(&text, '=', &name);
        if (!text.ptr)
            return incomplete(why, str_printf(arena,
                                              "Invalid key=value pair (missing equal-sign) in Authorization header "
                                              "(hashed with SHA-256 and encoded with Base64): '%s'.",
                                              hashed(arena, value).ptr));
        struct str *slot = str_is(name, "Credential")      ? &form->credential
                           : str_is(name, "SignedHeaders") ? &form->signed_headers
                           : str_is(name, "Signature")     ? &form->signature
                                                           : NULL;
        if (slot && slot->ptr)
            return incomplete(why, str_printf(arena, "Authorization header has more than one '%.*s' parameter.",
                                              STR_FMT(name)));
        if (slot)
            *slot = text;
    }
    struct strbuf missing = strbuf_in(arena, 128);
    if (!form->credential.len)
        strbuf_add(&missing, STR("Authorization header requires 'Credential' parameter. "));
    if (!form->signature.len)
        strbuf_add(&missing, STR("Authorization header requires 'Signature' parameter. "));
    if (!form->signed_headers.len)
        strbuf_add(&missing, STR("Authorization header requires 'SignedHeaders' parameter. "));
    if (!http_header_has(request->headers, "x-amz-date") && !http_header_has(request->headers, "date"))
        strbuf_add(&missing, STR("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' "
                                 "header. "));
    if (missing.len) {
        strbuf_printf(&missing, "(Hashed with SHA-256 and encoded with Base64) Authorization=%s",
                      hashed(arena, value).ptr);
        return incomplete(why, strbuf_view(&missing));
    }
    if (!is_signature(form->signature))
        return incomplete(why, STR("Authorization header requires 'Signature' parameter of 64 lower-case hex digits."));
    form->token = http_header_get(request->headers, "x-amz-security-token");
    return SIGV4_OK;
}

/* One parameter, decoded. False: it stands there twice. */
static bool query_once(struct arena *arena, struct str query, const char *name, struct str *out)
{
    struct str rest = query, raw_name, value;
    *out = STR_NONE;
    while (uri_query_next(&rest, &raw_name, &value)) {
        if (!str_is(uri_decode(arena, raw_name, true), name))
            continue;
        if (out->ptr)
            return false;
        *out = uri_decode(arena, value.ptr ? value : STR(""), true);
    }
    return true;
}

static enum sigv4_verdict read_query(struct arena *arena, const struct sigv4_request *request,
                                     struct sigv4_form *form, struct str *why)
{
    struct str expires;
    const struct {
        const char *name;
        struct str *out;
        bool required;
    } wanted[] = {
        { "X-Amz-Algorithm", &form->algorithm, true },
        { "X-Amz-Credential", &form->credential, true },
        { "X-Amz-Date", &form->date_text, true },
        { "X-Amz-Expires", &expires, true },
        { "X-Amz-SignedHeaders", &form->signed_headers, true },
        { "X-Amz-Signature", &form->signature, true },
        { "X-Amz-Security-Token", &form->token, false },
    };
    form->presigned = true;
    for (size_t i = 0; i < COUNT(wanted); i++) {
        if (!query_once(arena, request->query, wanted[i].name, wanted[i].out))
            return incomplete(why, str_printf(arena, "AWS query-string parameters must include '%s' only once. "
                                                     "Re-examine the query-string parameters.", wanted[i].name));
        if (wanted[i].required && !wanted[i].out->ptr)
            return incomplete(why, str_printf(arena, "AWS query-string parameters must include '%s'. "
                                                     "Re-examine the query-string parameters.", wanted[i].name));
    }
    /* "The minimum value you can set is 1, and the maximum is 604800 (seven days)." */
    if (!str_i64(expires, &form->expires_s))
        return incomplete(why, STR("X-Amz-Expires should be a number"));
    if (form->expires_s < 1)
        return incomplete(why, STR("X-Amz-Expires must be non-negative"));
    if (form->expires_s > 604800)
        return incomplete(why, STR("X-Amz-Expires must be less than a week (in seconds); that is, the given "
                                   "X-Amz-Expires must be less than 604800 seconds"));
    if (!is_signature(form->signature))
        return incomplete(why, STR("X-Amz-Signature must be 64 lower-case hex digits."));
    return SIGV4_OK;
}

bool sigv4_split_credential(struct sigv4_form *form)
{
    struct str rest = form->credential;
    return str_split(&rest, '/', &form->key_id) && str_split(&rest, '/', &form->date) &&
           str_split(&rest, '/', &form->region) && str_split(&rest, '/', &form->service) &&
           str_split(&rest, '/', &form->terminator) && !rest.ptr;
}

/* "X-Amz-Date … if present, overrides the Date header." */
bool sigv4_read_date(struct arena *arena, const struct sigv4_request *request, struct sigv4_form *form)
{
    if (!form->presigned) {
        form->date_text = http_header_get(request->headers, "x-amz-date");
        if (!form->date_text.ptr) {
            form->date_text = http_header_get(request->headers, "date");
            if (time_parse_rfc1123(form->date_text, &form->date_s)) {
                form->date_text = time_basic(arena, form->date_s);
                return true;
            }
        }
    }
    return time_parse_basic(form->date_text, &form->date_s);
}

bool sigv4_peek(struct arena *arena, const struct sigv4_request *request, struct str *access_key_id,
                struct str *service)
{
    struct sigv4_form form;
    struct str why;
    if (sigv4_read_form(arena, request, &form, &why) == SIGV4_UNSIGNED || !form.credential.ptr ||
        !sigv4_split_credential(&form))
        return false;
    *access_key_id = form.key_id;
    *service = form.service;
    return true;
}
