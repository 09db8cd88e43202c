#include "wire/sigv4.h"

#include "core/time.h"
#include "wire/sigv4_parts.h"

enum { SKEW_S = 300 };

/* One verification under way. */
struct check {
    struct arena *arena;
    const struct sigv4_request *request;
    const struct sigv4_rules *rules;
    struct sigv4_form form;
    struct sigv4_outcome *out;
};

static enum sigv4_verdict check_date(struct check *check);
static enum sigv4_verdict check_signed_headers(struct check *check);
static enum sigv4_verdict check_algorithm(struct check *check);
static enum sigv4_verdict check_scope(struct check *check);
static enum sigv4_verdict check_signature(struct check *check, struct str secret);

static enum sigv4_verdict fail(struct check *check, enum sigv4_verdict verdict, struct str why)
{
    check->out->why = why;
    return verdict;
}

static enum sigv4_verdict key_refused(struct check *check, enum sigv4_verdict verdict)
{
    switch (verdict) {
    case SIGV4_BAD_TOKEN:
        return fail(check, verdict, STR("The security token included in the request is invalid"));
    case SIGV4_EXPIRED_TOKEN:
        return fail(check, verdict, STR("The security token included in the request is expired"));
    default:
        return fail(check, SIGV4_UNKNOWN_KEY, STR("The security token included in the request is invalid."));
    }
}

static enum sigv4_verdict verify(struct check *check, const struct sigv4_keys *keys)
{
    struct sigv4_form *form = &check->form;
    struct sigv4_outcome *out = check->out;
    enum sigv4_verdict verdict = sigv4_read_form(check->arena, check->request, form, &out->why);
    if (verdict != SIGV4_OK)
        return verdict;
    bool five = sigv4_split_credential(form);
    out->presigned = form->presigned;
    out->access_key_id = form->key_id;
    out->session_token = form->token;
    out->scope_date = form->date;
    out->scope_region = form->region;
    out->scope_service = form->service;

    /* Looked up first, told last: a key that is trusted unchecked needs no clock and no scope. */
    enum sigv4_verdict found =
        five ? keys->find(keys->ctx, check->arena, form->key_id, form->token, check->rules->now_s, &out->key)
             : SIGV4_UNKNOWN_KEY;
    if (found == SIGV4_OK && !out->key.secret.ptr)
        return SIGV4_OK;

    static enum sigv4_verdict (*const steps[])(struct check *) = { check_date, check_signed_headers,
                                                                   check_algorithm, check_scope };
    for (size_t i = 0; i < COUNT(steps); i++)
        if ((verdict = steps[i](check)) != SIGV4_OK)
            return verdict;
    if (found != SIGV4_OK)
        return key_refused(check, found);
    return check_signature(check, out->key.secret);
}

enum sigv4_verdict sigv4_verify(struct arena *arena, const struct sigv4_request *request,
                                const struct sigv4_rules *rules, const struct sigv4_keys *keys,
                                struct sigv4_outcome *out)
{
    *out = (struct sigv4_outcome){ 0 };
    struct check check = { .arena = arena, .request = request, .rules = rules, .out = out };
    out->verdict = verify(&check, keys);
    if (out->verdict != SIGV4_OK)
        out->key = (struct sigv4_key){ 0 };
    return out->verdict;
}

/* "Requests must reach AWS within five minutes of the time stamp in the request." */
static enum sigv4_verdict check_date(struct check *check)
{
    struct sigv4_form *form = &check->form;
    struct arena *arena = check->arena;
    if (!sigv4_read_date(arena, check->request, form))
        return fail(check, SIGV4_INCOMPLETE,
                    str_printf(arena, "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
                                      "http://en.wikipedia.org/wiki/ISO_8601",
                               STR_FMT(form->date_text)));
    int64_t now_s = check->rules->now_s;
    int64_t life_s = form->presigned ? form->expires_s : SKEW_S;
    const char *now = time_basic(arena, now_s).ptr, *sent = time_basic(arena, form->date_s).ptr;
    if (form->date_s > now_s + SKEW_S)
        return fail(check, SIGV4_MISMATCH,
                    str_printf(arena, "Signature not yet current: %s is still later than %s (%s + 5 min.)", sent,
                               time_basic(arena, now_s + SKEW_S).ptr, now));
    if (form->date_s < now_s - life_s) {
        struct str span = form->presigned ? str_printf(arena, "%lld s.", (long long)life_s) : STR("5 min.");
        return fail(check, SIGV4_MISMATCH,
                    str_printf(arena, "Signature expired: %s is now earlier than %s (%s - %s)", sent,
                               time_basic(arena, now_s - life_s).ptr, now, span.ptr));
    }
    return SIGV4_OK;
}

static bool names(struct str signed_headers, struct str header)
{
    struct str rest = signed_headers, name;
    while (str_split(&rest, ';', &name))
        if (str_eq_nocase(name, header))
            return true;
    return false;
}

/* "You must include the host header … and any x-amz-* headers in the request." Only the session
 * token may be added after signing. */
static enum sigv4_verdict check_signed_headers(struct check *check)
{
    struct sigv4_form *form = &check->form;
    if (!names(form->signed_headers, STR("host")) && !names(form->signed_headers, STR(":authority")))
        return fail(check, SIGV4_MISMATCH,
                    STR("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."));
    const struct http_headers *headers = check->request->headers;
    for (size_t i = 0; i < headers->n; i++) {
        struct str name = headers->items[i].name;
        bool ours = str_starts_nocase(name, STR("x-amz-")) && !str_eq_nocase(name, STR("x-amz-security-token"));
        if (ours && !names(form->signed_headers, name))
            return fail(check, SIGV4_MISMATCH,
                        str_printf(check->arena, "'%s' must be a 'SignedHeader' in the AWS Authorization.",
                                   str_lower(check->arena, name).ptr));
    }
    return SIGV4_OK;
}

static enum sigv4_verdict check_algorithm(struct check *check)
{
    struct sigv4_form *form = &check->form;
    if (!str_is(form->algorithm, "AWS4-HMAC-SHA256"))
        return fail(check, SIGV4_INCOMPLETE,
                    str_printf(check->arena, "Unsupported AWS 'algorithm': '%.*s' (only AWS4-HMAC-SHA256 for now). ",
                               STR_FMT(form->algorithm)));
    if (!sigv4_split_credential(form))
        return fail(check, SIGV4_INCOMPLETE,
                    str_printf(check->arena,
                               "Credential must have exactly 5 slash-delimited elements, e.g. "
                               "keyid/date/region/service/term, got '%.*s'",
                               STR_FMT(form->credential)));
    return SIGV4_OK;
}

static bool service_allowed(const struct sigv4_rules *rules, struct str service)
{
    for (const char *const *name = rules->services; *name; name++)
        if (str_is(service, *name))
            return true;
    return false;
}

static bool region_allowed(const struct sigv4_rules *rules, struct str region)
{
    return region.len && (!rules->region.ptr || str_eq(region, rules->region) ||
                          (rules->global && str_is(region, "us-east-1")));
}

/* All that is wrong with the scope, joined with one blank. */
static enum sigv4_verdict check_scope(struct check *check)
{
    struct sigv4_form *form = &check->form;
    struct strbuf buf = strbuf_in(check->arena, 128);
    struct str day = str_sub(form->date_text, 0, 8);
    if (!region_allowed(check->rules, form->region))
        strbuf_printf(&buf, "Credential should be scoped to a valid region, not '%.*s'. ", STR_FMT(form->region));
    if (!service_allowed(check->rules, form->service))
        strbuf_printf(&buf, "Credential should be scoped to correct service: '%s'. ", check->rules->services[0]);
    if (!str_is(form->terminator, "aws4_request"))
        strbuf_printf(&buf, "Credential should be scoped with a valid terminator: 'aws4_request', not '%.*s'. ",
                      STR_FMT(form->terminator));
    if (!str_eq(form->date, day))
        strbuf_printf(&buf,
                      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                      "'%.*s' != '%.*s', from '%.*s'.",
                      STR_FMT(form->date), STR_FMT(day), STR_FMT(form->date_text));
    return buf.len ? fail(check, SIGV4_MISMATCH, strbuf_view(&buf)) : SIGV4_OK;
}

static bool signature_matches(struct check *check, struct str canonical, struct str secret)
{
    struct sigv4_form *form = &check->form;
    struct str scope = str_from(form->credential, form->key_id.len + 1);
    uint8_t key[SHA256_BYTES];
    check->out->canonical = canonical;
    check->out->string_to_sign = sigv4_string_to_sign(check->arena, form->date_text, scope, canonical);
    sigv4_signing_key(secret, form->date, form->region, form->service, key);
    return digest_equal(sigv4_signature(check->arena, key, check->out->string_to_sign), form->signature);
}

/* What the sender says of the body must be true; "UNSIGNED-PAYLOAD" says nothing. */
static bool payload_hash(struct check *check, struct str *hash)
{
    struct str said = http_header_get(check->request->headers, "x-amz-content-sha256");
    if (check->rules->unsigned_payload && str_is(said, "UNSIGNED-PAYLOAD")) {
        *hash = said;
        return true;
    }
    *hash = sigv4_payload_hash(check->arena, check->request);
    return !said.ptr || str_eq(said, *hash);
}

static enum sigv4_verdict check_signature(struct check *check, struct str secret)
{
    struct arena *arena = check->arena;
    const struct sigv4_request *request = check->request;
    struct sigv4_form *form = &check->form;
    struct str headers, hash;
    struct str path = sigv4_canonical_path(arena, request->path, check->rules->path_as_sent);
    bool whole = sigv4_canonical_headers(arena, request->headers, form->signed_headers, &headers);
    bool honest = payload_hash(check, &hash);

    const char *const left_out[] = { NULL, "X-Amz-Security-Token" }; /* a token added after signing */
    size_t tries = form->presigned && form->token.ptr ? 2 : 1;
    bool good = false;
    for (size_t i = tries; i-- > 0 && !good;) {
        struct str query = sigv4_canonical_query(arena, request->query, left_out[i]);
        good = signature_matches(check,
                                 sigv4_canonical_request(arena, request->method, path, query, headers,
                                                         form->signed_headers, hash),
                                 secret);
    }
    if (good && whole && honest)
        return SIGV4_OK;
    return fail(check, SIGV4_MISMATCH,
                STR("The request signature we calculated does not match the signature you provided. Check your AWS "
                    "Secret Access Key and signing method. Consult the service documentation for details."));
}
