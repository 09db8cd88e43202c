/* Section (c) of the security exam: what a signature must not let through. Rows that need a whole
 * server (revoked keys, header stripping, timing) are tested elsewhere. */
#include "vectors.h"

#include "core/time.h"
#include "core/uri.h"
#include "wire/sigv4.h"

enum { NOW_S = 1440938160 }; /* 2015-08-30T12:36:00Z */
static const char *const services[] = { "execute-api", NULL };

/* Two long-term keys and a session of each; TOKEN1 belongs to ASIA1, TOKEN2 to ASIA2. */
static enum sigv4_verdict find(void *ctx, struct arena *arena, struct str key_id, struct str token, int64_t now_s,
                               struct sigv4_key *out)
{
    (void)ctx, (void)arena, (void)now_s;
    out->secret = STR("secret");
    if (str_is(key_id, "AKIA"))
        return token.ptr ? SIGV4_BAD_TOKEN : SIGV4_OK;
    if (str_is(key_id, "ASIA1"))
        return str_is(token, "TOKEN1") ? SIGV4_OK : str_is(token, "OLD1") ? SIGV4_EXPIRED_TOKEN : SIGV4_BAD_TOKEN;
    if (str_is(key_id, "trusted")) {
        out->secret = STR_NONE;
        return SIGV4_OK;
    }
    return SIGV4_UNKNOWN_KEY;
}
static const struct sigv4_keys keys = { .find = find };

/* A request as an honest client made it; a row spoils it. */
struct attack {
    struct arena *arena;
    struct http_headers headers;
    struct sigv4_request request;
    struct sigv4_signer signer;
    struct sigv4_rules rules;
    struct sigv4_outcome out;
};

static void fresh(struct attack *a)
{
    *a = (struct attack){ .arena = arena_new(32 * 1024) };
    http_header_add(a->arena, &a->headers, STR("Host"), STR("api.execute-api.us-east-1.amazonaws.com"));
    http_header_add(a->arena, &a->headers, STR("X-Amz-Target"), STR("Service.Read"));
    http_header_add(a->arena, &a->headers, STR("X-Empty"), STR(""));
    a->request = (struct sigv4_request){ .method = STR("POST"), .path = STR("/dev/pets"),
                                         .query = STR("a=1&b=two%20words"), .headers = &a->headers,
                                         .body = STR("{}") };
    a->signer = (struct sigv4_signer){ .access_key_id = STR("AKIA"), .secret = STR("secret"),
                                       .region = STR("us-east-1"), .service = STR("execute-api"), .now_s = NOW_S,
                                       .path_as_sent = true };
    a->rules = (struct sigv4_rules){ .services = services, .region = STR("us-east-1"), .now_s = NOW_S,
                                     .path_as_sent = true };
}

static void sign(struct attack *a)
{
    sigv4_sign(a->arena, &a->request, &a->signer, &a->headers);
}

static void presign(struct attack *a, int64_t expires_s)
{
    http_header_remove(&a->headers, "x-amz-target");
    a->request.query = sigv4_presign(a->arena, &a->request, &a->signer, expires_s);
}

static void set(struct attack *a, const char *name, const char *value)
{
    http_header_set(a->arena, &a->headers, str_of(name), str_of(value));
}

/* Replaces the first `from` in the Authorization header. */
static void edit(struct attack *a, const char *from, const char *to)
{
    struct str text = http_header_get(&a->headers, "authorization");
    ptrdiff_t at = str_find_str(text, str_of(from));
    if (at < 0)
        fail_msg("no %s in %.*s", from, STR_FMT(text));
    struct str tail = str_from(text, (size_t)at + strlen(from));
    set(a, "Authorization", str_printf(a->arena, "%.*s%s%.*s", (int)at, text.ptr, to, STR_FMT(tail)).ptr);
}

static void edit_query(struct attack *a, const char *from, const char *to)
{
    ptrdiff_t at = str_find_str(a->request.query, str_of(from));
    if (at < 0)
        fail_msg("no %s in %.*s", from, STR_FMT(a->request.query));
    struct str tail = str_from(a->request.query, (size_t)at + strlen(from));
    a->request.query = str_printf(a->arena, "%.*s%s%.*s", (int)at, a->request.query.ptr, to, STR_FMT(tail));
}

static void honest(struct attack *a) { sign(a); }
static void late(struct attack *a) { sign(a); a->rules.now_s = NOW_S + 299; }
static void early(struct attack *a) { sign(a); a->rules.now_s = NOW_S - 299; }
static void too_late(struct attack *a) { sign(a); a->rules.now_s = NOW_S + 301; }
static void too_early(struct attack *a) { sign(a); a->rules.now_s = NOW_S - 301; }
static void date_differs(struct attack *a) { set(a, "Date", "Mon, 31 Aug 2015 12:36:00 GMT"); sign(a); }
static void scope_day(struct attack *a) { sign(a); edit(a, "20150830", "20150829"); }
static void scope_region(struct attack *a) { a->signer.region = STR("eu-west-1"); sign(a); }
static void scope_service(struct attack *a) { a->signer.service = STR("s3"); sign(a); }
static void scope_end(struct attack *a) { sign(a); edit(a, "aws4_request", "aws5_request"); }
static void host_unsigned(struct attack *a) { sign(a); edit(a, "host;", ""); }
static void target_unsigned(struct attack *a) { sign(a); edit(a, ";x-amz-target", ""); }
static void target_added(struct attack *a)
{
    http_header_remove(&a->headers, "x-amz-target");
    sign(a);
    set(a, "X-Amz-Target", "Service.Delete");
}
static void hash_unsigned(struct attack *a) { sign(a); set(a, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"); }
static void header_stripped(struct attack *a) { sign(a); http_header_remove(&a->headers, "x-empty"); }
static void header_doubled(struct attack *a)
{
    sign(a);
    http_header_add(a->arena, &a->headers, STR("x-amz-target"), STR("Service.Delete"));
}
static void headers_reordered(struct attack *a) { sign(a); edit(a, "host;x-amz-date", "x-amz-date;host"); }
static void method_override(struct attack *a) { sign(a); set(a, "X-HTTP-Method-Override", "DELETE"); }
static void body_changed(struct attack *a) { sign(a); a->request.body = STR("[]"); }
static void unsigned_payload(struct attack *a) { set(a, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"); sign(a); }
static void false_hash(struct attack *a) { a->signer.sign_body = true; sign(a); a->request.body = STR("[]"); }
static void empty_hash(struct attack *a)
{
    set(a, "X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sign(a);
}
static void streaming(struct attack *a)
{
    set(a, "X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    sign(a);
}
static void method_changed(struct attack *a) { sign(a); a->request.method = STR("DELETE"); }
static void path_changed(struct attack *a) { sign(a); a->request.path = STR("/dev/pet"); }
static void key_changed(struct attack *a) { sign(a); edit_query(a, "a=", "c="); }
static void value_changed(struct attack *a) { sign(a); edit_query(a, "a=1", "a=2"); }
static void order_changed(struct attack *a) { sign(a); a->request.query = STR("b=two%20words&a=1"); }
static void plus_for_blank(struct attack *a) { sign(a); a->request.query = STR("a=1&b=two+words"); }
static void key_without_equals(struct attack *a) { a->request.query = STR("a="); sign(a); a->request.query = STR("a"); }
static void doubled_keys(struct attack *a) { a->request.query = STR("a=2&a=1"); sign(a); a->request.query = STR("a=1&a=2"); }
static void route_as(struct attack *a, const char *signed_path, const char *sent_path)
{
    a->request.path = str_of(signed_path);
    sign(a);
    a->request.path = str_of(sent_path);
}
static void slash_coded_twice(struct attack *a) { route_as(a, "/a%2Fb", "/a%252Fb"); }
static void dots_coded(struct attack *a) { route_as(a, "/b", "/a/%2e%2e/b"); }
static void dots(struct attack *a) { route_as(a, "/b", "/a/../b"); }
static void dot(struct attack *a) { route_as(a, "/a/b", "/a/./b"); }
static void slashes(struct attack *a) { route_as(a, "/a/b", "/a//b"); }
static void plus_in_path(struct attack *a) { route_as(a, "/a%20b", "/a+b"); }
static void tilde_coded(struct attack *a) { route_as(a, "/~a", "/%7Ea"); }
static void utf8(struct attack *a) { route_as(a, "/%C3%A4", "/a%CC%88"); }
static void empty_path(struct attack *a) { route_as(a, "/", ""); }
static void odd_path_same(struct attack *a) { route_as(a, "/a//./b%252F", "/a//./b%252F"); }
static void week(struct attack *a) { presign(a, 604800); }
static void over_week(struct attack *a) { presign(a, 604801); }
static void zero(struct attack *a) { presign(a, 0); }
static void minus(struct attack *a) { presign(a, -1); }
static void letters(struct attack *a) { presign(a, 60); edit_query(a, "Expires=60", "Expires=abc"); }
static void no_expiry(struct attack *a) { presign(a, 60); edit_query(a, "X-Amz-Expires=60&", ""); }
static void just_in_time(struct attack *a) { presign(a, 60); a->rules.now_s = NOW_S + 59; }
static void expired(struct attack *a) { presign(a, 60); a->rules.now_s = NOW_S + 61; }
static void longer(struct attack *a) { presign(a, 60); edit_query(a, "Expires=60", "Expires=600"); }
static void two_keys_in_query(struct attack *a)
{
    presign(a, 60);
    a->request.query = str_concat(a->arena, a->request.query, STR("&X-Amz-Credential=AKIA"));
}
static void both(struct attack *a) { presign(a, 60); set(a, "Authorization", "AWS4-HMAC-SHA256 Credential=x"); }
static void session(struct attack *a, const char *token)
{
    a->signer.access_key_id = STR("ASIA1");
    a->signer.session_token = str_of(token);
    sign(a);
}
static void with_token(struct attack *a) { session(a, "TOKEN1"); }
static void token_after(struct attack *a) { a->signer.token_after = true; session(a, "TOKEN1"); }
static void token_after_presigned(struct attack *a)
{
    a->signer.token_after = true;
    a->signer.access_key_id = STR("ASIA1");
    a->signer.session_token = STR("TOKEN1");
    presign(a, 60);
}
static void no_token(struct attack *a) { session(a, NULL); }
static void foreign_token(struct attack *a) { session(a, "TOKEN2"); }
static void swapped_token(struct attack *a) { session(a, "TOKEN1"); set(a, "X-Amz-Security-Token", "TOKEN2"); }
static void old_token(struct attack *a) { session(a, "OLD1"); }
static void unknown(struct attack *a) { a->signer.access_key_id = STR("AKIANOBODY"); sign(a); }
static void percent(struct attack *a) { a->signer.access_key_id = STR("AK%00IA"); sign(a); }
static void quote(struct attack *a) { a->signer.access_key_id = STR("AKIA' OR '1'='1"); sign(a); }
static void nul(struct attack *a)
{
    a->signer.access_key_id = STR("AKIA-x");
    sign(a);
    struct str text = str_copy(a->arena, http_header_get(&a->headers, "authorization"));
    *strchr((char *)(uintptr_t)text.ptr + sizeof "AWS4-HMAC-SHA256", '-') = '\0';
    http_header_set(a->arena, &a->headers, STR("Authorization"), text);
}
static void megabyte(struct attack *a)
{
    char *text = arena_alloc(a->arena, 1 << 20, 1);
    memset(text, 'A', 1 << 20);
    a->signer.access_key_id = (struct str){ text, 1 << 20 };
    sign(a);
}
static void commas_missing(struct attack *a) { sign(a); edit(a, ", SignedHeaders", " SignedHeaders"); }
static void credential_twice(struct attack *a) { sign(a); edit(a, "Credential=", "Credential=x, Credential="); }
static void signature_case(struct attack *a)
{
    sign(a);
    struct str text = http_header_get(&a->headers, "authorization");
    size_t at = text.len - 64;
    struct str upper = str_upper(a->arena, str_from(text, at));
    set(a, "Authorization", str_printf(a->arena, "%.*s%s", (int)at, text.ptr, upper.ptr).ptr);
}
static void signature_short(struct attack *a)
{
    sign(a);
    struct str text = http_header_get(&a->headers, "authorization");
    set(a, "Authorization", str_printf(a->arena, "%.*s", (int)text.len - 1, text.ptr).ptr);
}
static void signature_long(struct attack *a)
{
    sign(a);
    set(a, "Authorization", str_concat(a->arena, http_header_get(&a->headers, "authorization"), STR("0")).ptr);
}
static void sha1(struct attack *a) { sign(a); edit(a, "SHA256", "SHA1"); }
static void ecdsa(struct attack *a) { sign(a); edit(a, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"); }
static void four_parts(struct attack *a) { sign(a); edit(a, "/aws4_request", ""); }
static void bearer(struct attack *a) { set(a, "X-Amz-Date", "20150830T123600Z"); set(a, "Authorization", "Bearer abc"); }
static void nothing(struct attack *a) { (void)a; }
static void bad_date(struct attack *a) { sign(a); set(a, "X-Amz-Date", "201"); }
static void two_authorizations(struct attack *a)
{
    sign(a);
    http_header_add(a->arena, &a->headers, STR("Authorization"), STR("Bearer abc"));
}
static void nobody_checks(struct attack *a)
{
    a->signer.access_key_id = STR("trusted");
    sign(a);
    a->request.body = STR("anything");
    a->rules.now_s = NOW_S + 86400;
}

static const struct {
    const char *id;
    void (*spoil)(struct attack *);
    enum sigv4_verdict verdict;
    const char *says; /* part of the sentence, or NULL */
} rows[] = {
    { "c02 4:59 late", late, SIGV4_OK, NULL },
    { "c02 4:59 early", early, SIGV4_OK, NULL },
    { "c03 5:01 late", too_late, SIGV4_MISMATCH,
      "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)" },
    { "c03 5:01 early", too_early, SIGV4_MISMATCH,
      "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)" },
    { "c04 x-amz-date wins over Date", date_differs, SIGV4_OK, NULL },
    { "c04 scope of another day", scope_day, SIGV4_MISMATCH,
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != "
      "'20150830', from '20150830T123600Z'." },
    { "c06 region", scope_region, SIGV4_MISMATCH, "Credential should be scoped to a valid region, not 'eu-west-1'. " },
    { "c06 service", scope_service, SIGV4_MISMATCH, "Credential should be scoped to correct service: 'execute-api'. " },
    { "c06 terminator", scope_end, SIGV4_MISMATCH,
      "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. " },
    { "c07 host not signed", host_unsigned, SIGV4_MISMATCH, "must be a 'SignedHeader' in the AWS Authorization." },
    { "c08 x-amz-target not signed", target_unsigned, SIGV4_MISMATCH, "'x-amz-target' must be a 'SignedHeader'" },
    { "c08 x-amz-target added", target_added, SIGV4_MISMATCH, "'x-amz-target' must be a 'SignedHeader'" },
    { "c08 hash not signed", hash_unsigned, SIGV4_MISMATCH, "'x-amz-content-sha256' must be a 'SignedHeader'" },
    { "c08 token added after signing", token_after, SIGV4_OK, NULL },
    { "c08 token added after presigning", token_after_presigned, SIGV4_OK, NULL },
    { "c09 empty header stripped", header_stripped, SIGV4_MISMATCH, "The request signature we calculated" },
    { "c09 duplicate of a signed header", header_doubled, SIGV4_MISMATCH, NULL },
    { "c09 reordered", headers_reordered, SIGV4_MISMATCH, NULL },
    { "c10 unsigned override stays unread", method_override, SIGV4_OK, NULL },
    { "c11 body changed", body_changed, SIGV4_MISMATCH, NULL },
    { "c11 UNSIGNED-PAYLOAD", unsigned_payload, SIGV4_MISMATCH, NULL },
    { "c11 hash of another body", false_hash, SIGV4_MISMATCH, NULL },
    { "c11 hash of nothing", empty_hash, SIGV4_MISMATCH, NULL },
    { "c12 streaming", streaming, SIGV4_MISMATCH, NULL },
    { "c13 method", method_changed, SIGV4_MISMATCH, NULL },
    { "c13 path", path_changed, SIGV4_MISMATCH, NULL },
    { "c13 query key", key_changed, SIGV4_MISMATCH, NULL },
    { "c13 query value", value_changed, SIGV4_MISMATCH, NULL },
    { "c13 query order is sorted away", order_changed, SIGV4_OK, NULL },
    { "c14 %252F", slash_coded_twice, SIGV4_MISMATCH, NULL },
    { "c14 %2e%2e", dots_coded, SIGV4_MISMATCH, NULL },
    { "c14 /../", dots, SIGV4_MISMATCH, NULL },
    { "c14 /./", dot, SIGV4_MISMATCH, NULL },
    { "c14 //", slashes, SIGV4_MISMATCH, NULL },
    { "c14 + is not a blank in a path", plus_in_path, SIGV4_MISMATCH, NULL },
    { "c14 ~ coded", tilde_coded, SIGV4_MISMATCH, NULL },
    { "c14 two spellings of an umlaut", utf8, SIGV4_MISMATCH, NULL },
    { "c14 empty is /", empty_path, SIGV4_OK, NULL },
    { "c14 odd, but the same", odd_path_same, SIGV4_OK, NULL },
    { "c15 duplicate keys are sorted by value", doubled_keys, SIGV4_OK, NULL },
    { "c15 no = is an empty value", key_without_equals, SIGV4_OK, NULL },
    { "c15 + is a blank in a query", plus_for_blank, SIGV4_OK, NULL },
    { "c16 604800", week, SIGV4_OK, NULL },
    { "c16 604801", over_week, SIGV4_INCOMPLETE, "must be less than a week" },
    { "c16 0", zero, SIGV4_INCOMPLETE, NULL },
    { "c16 -1", minus, SIGV4_INCOMPLETE, "X-Amz-Expires must be non-negative" },
    { "c16 abc", letters, SIGV4_INCOMPLETE, "X-Amz-Expires should be a number" },
    { "c16 missing", no_expiry, SIGV4_INCOMPLETE, "must include 'X-Amz-Expires'" },
    { "c17 one second left", just_in_time, SIGV4_OK, NULL },
    { "c17 one second over", expired, SIGV4_MISMATCH, "Signature expired: " },
    { "c17 life prolonged", longer, SIGV4_MISMATCH, NULL },
    { "c17 credential twice", two_keys_in_query, SIGV4_INCOMPLETE, NULL },
    { "c18 both forms", both, SIGV4_INCOMPLETE, "Only one auth mechanism allowed" },
    { "c19 token", with_token, SIGV4_OK, NULL },
    { "c19 without token", no_token, SIGV4_BAD_TOKEN, "The security token included in the request is invalid" },
    { "c19 another session's token", foreign_token, SIGV4_BAD_TOKEN, NULL },
    { "c19 token swapped", swapped_token, SIGV4_BAD_TOKEN, NULL },
    { "c19 expired", old_token, SIGV4_EXPIRED_TOKEN, "The security token included in the request is expired" },
    { "c20 unknown key", unknown, SIGV4_UNKNOWN_KEY, "The security token included in the request is invalid." },
    { "c21 percent", percent, SIGV4_UNKNOWN_KEY, NULL },
    { "c21 quote", quote, SIGV4_UNKNOWN_KEY, NULL },
    { "c21 NUL", nul, SIGV4_UNKNOWN_KEY, NULL },
    { "c21 1 MB", megabyte, SIGV4_UNKNOWN_KEY, NULL },
    { "c22 commas", commas_missing, SIGV4_INCOMPLETE, "Authorization header requires 'SignedHeaders' parameter." },
    { "c22 Credential twice", credential_twice, SIGV4_INCOMPLETE, NULL },
    { "c22 upper-case hex", signature_case, SIGV4_INCOMPLETE, NULL },
    { "c22 63 digits", signature_short, SIGV4_INCOMPLETE, NULL },
    { "c22 65 digits", signature_long, SIGV4_INCOMPLETE, NULL },
    { "c22 SHA1", sha1, SIGV4_INCOMPLETE, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1' (only AWS4-HMAC-SHA256 for now). " },
    { "c22 ECDSA", ecdsa, SIGV4_INCOMPLETE, "Unsupported AWS 'algorithm'" },
    { "c22 four parts", four_parts, SIGV4_INCOMPLETE, "Credential must have exactly 5 slash-delimited elements" },
    { "bearer token", bearer, SIGV4_INCOMPLETE, "Invalid key=value pair (missing equal-sign) in Authorization header" },
    { "two Authorization headers", two_authorizations, SIGV4_INCOMPLETE, NULL },
    { "not signed", nothing, SIGV4_UNSIGNED, NULL },
    { "date is none", bad_date, SIGV4_INCOMPLETE, "Date must be in ISO-8601 'basic format'. Got '201'." },
    { "a trusted key is not checked", nobody_checks, SIGV4_OK, NULL },
    { "honest", honest, SIGV4_OK, NULL },
};

static void each_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct attack a;
        fresh(&a);
        rows[i].spoil(&a);
        enum sigv4_verdict verdict = sigv4_verify(a.arena, &a.request, &a.rules, &keys, &a.out);
        if (verdict != rows[i].verdict)
            fail_msg("%s: verdict %d, %.*s", rows[i].id, verdict, STR_FMT(a.out.why));
        if (rows[i].says && str_find_str(a.out.why, str_of(rows[i].says)) < 0)
            fail_msg("%s: says %.*s", rows[i].id, STR_FMT(a.out.why));
        if ((verdict == SIGV4_OK) != (a.out.verdict == SIGV4_OK) || (verdict != SIGV4_OK && a.out.key.secret.ptr))
            fail_msg("%s: outcome", rows[i].id);
        arena_free(a.arena);
    }
}

static void codes_by_protocol(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct attack *);
        enum protocol protocol;
        const char *code, *message;
        int status;
    } errors[] = {
        { nothing, PROTOCOL_JSON11, "MissingAuthenticationTokenException", "Missing Authentication Token", 400 },
        { nothing, PROTOCOL_REST_JSON, "MissingAuthenticationTokenException", "Missing Authentication Token", 403 },
        { nothing, PROTOCOL_QUERY, "MissingAuthenticationToken", "Request is missing Authentication Token", 403 },
        { unknown, PROTOCOL_QUERY, "InvalidClientTokenId", "The security token included in the request is invalid.", 403 },
        { unknown, PROTOCOL_JSON11, "UnrecognizedClientException",
          "The security token included in the request is invalid.", 400 },
        { old_token, PROTOCOL_QUERY, "ExpiredToken", "The security token included in the request is expired", 403 },
        { old_token, PROTOCOL_REST_JSON, "ExpiredTokenException", "The security token included in the request is expired", 403 },
        { bad_date, PROTOCOL_QUERY, "IncompleteSignature", NULL, 400 },
        { body_changed, PROTOCOL_QUERY, "SignatureDoesNotMatch",
          "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
          "Key and signing method. Consult the service documentation for details.", 403 },
        { body_changed, PROTOCOL_REST_JSON, "InvalidSignatureException", NULL, 403 },
        { body_changed, PROTOCOL_JSON11, "InvalidSignatureException", NULL, 400 },
    };
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct attack a;
        fresh(&a);
        errors[i].spoil(&a);
        sigv4_verify(a.arena, &a.request, &a.rules, &keys, &a.out);
        gh_err err = sigv4_error(a.arena, &a.out, errors[i].protocol);
        assert_string_equal(err->kind->code, errors[i].code);
        assert_int_equal(err->kind->status, errors[i].status);
        if (errors[i].message)
            assert_string_equal(str_c(a.arena, err->message), errors[i].message);
        arena_free(a.arena);
    }
}

/* "The Canonical String for this request should have been …": what a developer needs. */
static void the_canonical_string_is_told(void **state)
{
    (void)state;
    struct attack a;
    fresh(&a);
    body_changed(&a);
    sigv4_verify(a.arena, &a.request, &a.rules, &keys, &a.out);
    struct str message = sigv4_error(a.arena, &a.out, PROTOCOL_REST_JSON)->message;
    assert_true(str_find_str(message, STR("\n\nThe Canonical String for this request should have been\n'POST\n/dev/pets\n"
                                          "a=1&b=two%20words\nhost:api.execute-api.us-east-1.amazonaws.com\n")) > 0);
    assert_true(str_find_str(message, STR("\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n"
                                          "20150830T123600Z\n20150830/us-east-1/execute-api/aws4_request\n")) > 0);
    assert_true(str_ends(message, STR("'\n")));
    arena_free(a.arena);
}

static void peek_reads_the_scope(void **state)
{
    (void)state;
    struct attack a;
    struct str key_id, service;
    fresh(&a);
    assert_false(sigv4_is_signed(&a.request));
    assert_false(sigv4_peek(a.arena, &a.request, &key_id, &service));
    sign(&a);
    assert_true(sigv4_is_signed(&a.request));
    assert_true(sigv4_peek(a.arena, &a.request, &key_id, &service));
    assert_true(str_is(key_id, "AKIA") && str_is(service, "execute-api"));
    arena_free(a.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row),
        cmocka_unit_test(codes_by_protocol),
        cmocka_unit_test(the_canonical_string_is_told),
        cmocka_unit_test(peek_reads_the_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
