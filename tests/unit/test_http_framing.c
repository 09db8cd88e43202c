/* Request smuggling: the heads of vectors/http-desync (AWS's own list) and section (b) of
 * security/cases.md, against the check alone and over a socket against a real server. What is
 * refused must close the connection, and the request behind it must never be answered. */
#include "tests/support/http_fixture.h"

#include <yaml.h>

#include "core/http_chunk.h"
#include "core/http_framing.h"

/* --- the vectors --- */

enum tier { COMPLIANT, ACCEPTABLE, AMBIGUOUS, SEVERE };

struct vector {
    struct arena *arena;
    struct str file, name, uri, method, version, tier, reason;
    struct http_headers headers;
};

static struct str scalar(struct arena *arena, const yaml_node_t *node)
{
    return str_copy(arena, (struct str){ (const char *)node->data.scalar.value, node->data.scalar.length });
}

static yaml_node_t *member(yaml_document_t *doc, const yaml_node_t *map, const char *name)
{
    if (!map || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++)
        if (strcmp((char *)yaml_document_get_node(doc, pair->key)->data.scalar.value, name) == 0)
            return yaml_document_get_node(doc, pair->value);
    return NULL;
}

static struct str text_of(struct arena *arena, yaml_document_t *doc, const yaml_node_t *map, const char *name)
{
    const yaml_node_t *node = member(doc, map, name);
    return node ? scalar(arena, node) : STR("");
}

static int each_in_file(const char *file, void (*fn)(struct vector *vector))
{
    char path[512];
    snprintf(path, sizeof path, "%s/http-desync/%s", VECTORS, file);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        fail_msg("no %s", path);
    yaml_parser_t parser;
    yaml_document_t doc;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, stream);
    assert_int_equal(yaml_parser_load(&parser, &doc), 1);
    const yaml_node_t *root = yaml_document_get_root_node(&doc);
    int n = 0;
    for (yaml_node_item_t *item = root->data.sequence.items.start; item < root->data.sequence.items.top;
         item++) {
        const yaml_node_t *row = yaml_document_get_node(&doc, *item);
        struct arena *arena = arena_new(4096);
        const yaml_node_t *expected = member(&doc, row, "expected");
        struct vector vector = {
            .arena = arena,
            .file = str_of(file),
            .name = text_of(arena, &doc, row, "name"),
            .uri = text_of(arena, &doc, row, "uri"),
            .method = text_of(arena, &doc, row, "method"),
            .version = text_of(arena, &doc, row, "version"),
            .tier = text_of(arena, &doc, expected, "tier"),
            .reason = text_of(arena, &doc, expected, "reason"),
        };
        const yaml_node_t *headers = member(&doc, row, "headers");
        if (headers && headers->type == YAML_SEQUENCE_NODE)
            for (yaml_node_item_t *h = headers->data.sequence.items.start;
                 h < headers->data.sequence.items.top; h++) {
                const yaml_node_t *header = yaml_document_get_node(&doc, *h);
                http_header_add(arena, &vector.headers, text_of(arena, &doc, header, "name"),
                                text_of(arena, &doc, header, "value"));
            }
        fn(&vector);
        arena_free(arena);
        n++;
    }
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    fclose(stream);
    return n;
}

static int each_vector(void (*fn)(struct vector *vector))
{
    static const char *const files[] = {
        "acceptable.yaml",
        "ambiguous.yaml",
        "bad-header-characters.yaml",
        "edge-cases.yaml",
        "rfc-compliant.yaml",
        "more-compliant-tests.yaml",
        "real-life-test-cases.yaml",
        "severe.yaml",
        "single-case.yaml",
        "uri-specific-test-cases.yaml",
    };
    int n = 0;
    for (size_t i = 0; i < COUNT(files); i++)
        n += each_in_file(files[i], fn);
    return n;
}

/* The head exactly as the vector says. The vectors name no Host, which HTTP/1.1 demands: it is
 * added, so that nothing else is the reason for a refusal. */
static struct str vector_head(struct vector *vector)
{
    struct strbuf buf = strbuf_in(vector->arena, 1000);
    strbuf_add(&buf, vector->method);
    strbuf_char(&buf, ' ');
    strbuf_add(&buf, vector->uri);
    strbuf_char(&buf, ' ');
    strbuf_add(&buf, vector->version);
    strbuf_add(&buf, STR("\r\n"));
    if (!http_header_has(&vector->headers, "host"))
        strbuf_add(&buf, STR("Host: victim\r\n"));
    for (size_t i = 0; i < vector->headers.n; i++) {
        strbuf_add(&buf, vector->headers.items[i].name);
        strbuf_add(&buf, STR(": "));
        strbuf_add(&buf, vector->headers.items[i].value);
        strbuf_add(&buf, STR("\r\n"));
    }
    strbuf_add(&buf, STR("\r\n"));
    return strbuf_view(&buf);
}

/* What we do with a vector. "Acceptable: forward … or 400; choose once": only `Content-Length: 0`
 * on GET and HEAD, which SDKs send, is let through. */
enum verdict { PASSES, REFUSED, NOT_OUR_CODING };

static enum verdict wanted_verdict(const struct vector *vector)
{
    if (str_is(vector->reason, "GetHeadZeroContentLength"))
        return PASSES;
    if (!str_is(vector->tier, "Compliant"))
        return REFUSED;
    /* Codings beside chunked are framed without doubt, but we don't do them: 501 (RFC 9112, 6.1). */
    int codings = 0;
    for (size_t i = 0; i < vector->headers.n; i++)
        if (str_eq_nocase(vector->headers.items[i].name, STR("transfer-encoding")) &&
            !str_is(str_trim(vector->headers.items[i].value), "chunked"))
            codings++;
    return codings ? NOT_OUR_CODING : PASSES;
}

static int tiers[4];

static void check_alone(struct vector *vector)
{
    struct http_head head;
    struct str raw = vector_head(vector);
    size_t line = 0;
    ptrdiff_t len = http_head_end(raw, &line);
    int status = len < 0 ? 400 : http_head_parse(vector->arena, str_sub(raw, 0, (size_t)len), &head);
    enum verdict wanted = wanted_verdict(vector);
    bool good = wanted == PASSES                     ? status == 0
                : wanted == NOT_OUR_CODING           ? status == 501
                : str_is(vector->tier, "Acceptable") ? status == 400 || status == 505
                                                     : status == 400;
    if (!good)
        fail_msg("%.*s: %.*s (%.*s, %.*s): %d", STR_FMT(vector->file), STR_FMT(vector->name),
                 STR_FMT(vector->tier), STR_FMT(vector->reason), status);
    tiers[vector->tier.ptr[1] == 'o'   ? COMPLIANT
          : vector->tier.ptr[1] == 'c' ? ACCEPTABLE
          : vector->tier.ptr[0] == 'S' ? SEVERE
                                       : AMBIGUOUS]++;
}

static void test_vectors_alone(void **state)
{
    (void)state;
    assert_int_equal(each_vector(check_alone), 159);
    assert_int_equal(tiers[COMPLIANT], 28);
    assert_int_equal(tiers[ACCEPTABLE] + tiers[AMBIGUOUS] + tiers[SEVERE], 131);
}

/* Sends the head, the body it claims (as chunks where it says so), and a second request. */
static void check_on_the_wire(struct vector *vector)
{
    static char body[4100000], answer[256 * 1024];
    struct strbuf buf = strbuf_in(vector->arena, 2000);
    strbuf_add(&buf, vector_head(vector));
    struct str length = http_header_get(&vector->headers, "content-length");
    int64_t n = 0;
    if (length.ptr && str_i64(str_trim(length), &n) && n > 0 && n < (int64_t)sizeof body) {
        memset(body, 'x', sizeof body);
        strbuf_add(&buf, (struct str){ body, (size_t)n });
    } else if (http_header_has(&vector->headers, "transfer-encoding")) {
        strbuf_add(&buf, STR("1\r\nx\r\n0\r\n\r\n"));
    }
    strbuf_add(&buf, STR("GET /second HTTP/1.1\r\nHost: victim\r\n\r\n"));
    struct str sent = strbuf_view(&buf);
    int before = fixture_requests;
    raw_talk(sent.ptr, sent.len, answer, sizeof answer);
    enum verdict wanted = wanted_verdict(vector);
    int answers = raw_count(answer, "HTTP/1.1 "), seen = fixture_requests - before;
    bool good;
    if (wanted == PASSES) {
        good = seen == 2 && answers == 2 && raw_count(answer, "HTTP/1.1 200 OK") == 2;
    } else {
        const char *status = wanted == NOT_OUR_CODING ? "HTTP/1.1 501 "
                             : strstr(answer, "HTTP/1.1 505 ") && str_is(vector->tier, "Acceptable")
                                 ? "HTTP/1.1 505 "
                                 : "HTTP/1.1 400 ";
        good = seen == 0 && answers == 1 && strncmp(answer, status, 13) == 0 &&
               strstr(answer, "\r\nConnection: close\r\n");
    }
    if (!good)
        fail_msg("%.*s: %.*s (%.*s): %d seen\n%.300s", STR_FMT(vector->file), STR_FMT(vector->name),
                 STR_FMT(vector->tier), seen, answer);
}

static void test_vectors_on_the_wire(void **state)
{
    (void)state;
    assert_int_equal(each_vector(check_on_the_wire), 159);
}

/* --- what the vectors don't cover: cases.md (b) --- */

#define BYTES(literal)                                                                                       \
    {                                                                                                        \
        (literal), sizeof(literal) - 1                                                                       \
    }
#define POST_CHUNKED "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define GET_A        "GET / HTTP/1.1\r\nHost: a\r\n"

static const struct {
    const char *name;
    struct str sent; /* a second request follows */
} refused[] = {
    { "b01 CL and TE",
      BYTES(
          "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") },
    { "b02 TE and CL",
      BYTES(
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n") },
    { "b03 xchunked", BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n") },
    { "b03 chunked, identity",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n") },
    { "b03 chunked and vertical tab",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n") },
    { "b03 quoted", BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n") },
    { "b04 space before the colon",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n") },
    { "b04 leading space",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") },
    { "b04 split name",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-\r\nEncoding: chunked\r\n\r\n0\r\n\r\n") },
    { "b05 chunked twice", BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                 "chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") },
    { "b05 chunked and identity", BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                        "chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n") },
    { "b05 identity and chunked", BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                        "identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") },
    { "b06 ,chunked", BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n") },
    { "b06 chunked,", BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n") },
    { "b06 chunked,chunked",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,chunked\r\n\r\n0\r\n\r\n") },
    { "b07 same length twice",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n") },
    { "b07 5, 5", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\nabcde") },
    { "b08 +5", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde") },
    { "b08 -5", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nabcde") },
    { "b08 0x5", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde") },
    { "b08 empty", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n") },
    { "b08 vertical tab", BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\x0b\r\n\r\nabcde") },
    { "b08 2^64+5",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nabcde") },
    { "b10 TE on HTTP/1.0",
      BYTES("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") },
    { "b11 0x5", BYTES(POST_CHUNKED "0x5\r\nabcde\r\n0\r\n\r\n") },
    { "b11 +5", BYTES(POST_CHUNKED "+5\r\nabcde\r\n0\r\n\r\n") },
    { "b11 -0", BYTES(POST_CHUNKED "-0\r\n\r\n") },
    { "b11 5_0", BYTES(POST_CHUNKED "5_0\r\nabcde\r\n0\r\n\r\n") },
    { "b11 leading space", BYTES(POST_CHUNKED " 5\r\nabcde\r\n0\r\n\r\n") },
    { "b11 trailing space", BYTES(POST_CHUNKED "5 \r\nabcde\r\n0\r\n\r\n") },
    { "b11 empty", BYTES(POST_CHUNKED "\r\nabcde\r\n0\r\n\r\n") },
    { "b11 NUL", BYTES(POST_CHUNKED "5\0\r\nabcde\r\n0\r\n\r\n") },
    { "b11 17 digits", BYTES(POST_CHUNKED "00000000000000005\r\nabcde\r\n0\r\n\r\n") },
    { "b11 wraps around", BYTES(POST_CHUNKED "fffffffffffffff1\r\nabcde\r\n0\r\n\r\n") },
    { "b12 LF in an extension", BYTES(POST_CHUNKED "5;a=\nb\r\nabcde\r\n0\r\n\r\n") },
    { "b12 CR in an extension", BYTES(POST_CHUNKED "5;a=\rb\r\nabcde\r\n0\r\n\r\n") },
    { "b13 data not followed by CRLF", BYTES(POST_CHUNKED "5\r\nabcdeXX0\r\n\r\n") },
    { "b13 LF only", BYTES(POST_CHUNKED "5\r\nabcde\n0\r\n\r\n") },
    { "b14 Content-Length in the trailer", BYTES(POST_CHUNKED "0\r\nContent-Length: 5\r\n\r\n") },
    { "b14 Transfer-Encoding in the trailer", BYTES(POST_CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n") },
    { "b14 Authorization in the trailer", BYTES(POST_CHUNKED "0\r\nAuthorization: x\r\n\r\n") },
    { "b14 Host in the trailer", BYTES(POST_CHUNKED "0\r\nHost: b\r\n\r\n") },
    { "b16 LF after the request line", BYTES("GET / HTTP/1.1\nHost: a\r\n\r\n") },
    { "b16 LF after a header", BYTES("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n") },
    { "b16 LF for the empty line", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\n") },
    { "b16 LF after a chunk size", BYTES(POST_CHUNKED "5\nabcde\r\n0\r\n\r\n") },
    { "b16 LF after the last chunk", BYTES(POST_CHUNKED "0\n\n") },
    { "b17 CR in a value", BYTES(GET_A "X: a\rb\r\n\r\n") },
    { "b17 CR in a name", BYTES(GET_A "X\rY: a\r\n\r\n") },
    { "b17 CR in the request line", BYTES("GET /\r HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b17 CR CR LF", BYTES(GET_A "X: a\r\r\n\r\n") },
    { "b18 NUL in a name", BYTES(GET_A "X\0Y: a\r\n\r\n") },
    { "b18 NUL in a value", BYTES(GET_A "X: a\0b\r\n\r\n") },
    { "b18 NUL in the target", BYTES("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b18 NUL in the method", BYTES("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b19 folded header", BYTES(GET_A "X: a\r\n b\r\n\r\n") },
    { "b19 folded with tab", BYTES(GET_A "X: a\r\n\tb\r\n\r\n") },
    { "b19 folded Content-Length",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 5\r\n\r\nabcde") },
    { "b19 folded Transfer-Encoding",
      BYTES("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n") },
    { "b20 no colon", BYTES(GET_A "nonsense\r\n\r\n") },
    { "b20 empty name", BYTES(GET_A ": x\r\n\r\n") },
    { "b20 space in a name", BYTES(GET_A "X Y: x\r\n\r\n") },
    { "b20 parenthesis in a name", BYTES(GET_A "X(Y: x\r\n\r\n") },
    { "b21 first header starts with white space", BYTES("GET / HTTP/1.1\r\n Host: a\r\n\r\n") },
    { "b22 no Host", BYTES("GET / HTTP/1.1\r\n\r\n") },
    { "b22 two Hosts", BYTES("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") },
    { "b22 empty Host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n") },
    { "b22 Host a,b", BYTES("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n") },
    { "b22 user information", BYTES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n") },
    { "b22 path in Host", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") },
    { "b22 port is no number", BYTES("GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n") },
    { "b22 user information in an absolute target", BYTES("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b23 tab after the method", BYTES("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b23 lower case", BYTES("get / HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b23 odd characters", BYTES("G=\":<> / HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b24 HTTP/1.10", BYTES("GET / HTTP/1.10\r\nHost: a\r\n\r\n") },
    { "b24 HTTP/4294967297.1", BYTES("GET / HTTP/4294967297.1\r\nHost: a\r\n\r\n") },
    { "b24 http/1.1", BYTES("GET / http/1.1\r\nHost: a\r\n\r\n") },
    { "b24 none", BYTES("GET /\r\nHost: a\r\n\r\n") },
    { "b25 space", BYTES("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b25 two spaces", BYTES("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "b25 0x7f", BYTES("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "neither path nor URI", BYTES("GET a HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "* without OPTIONS", BYTES("GET * HTTP/1.1\r\nHost: a\r\n\r\n") },
    { "TLS where HTTP is spoken", BYTES("\x16\x03\x01\x02\x00\x01\n") },
    { "empty lines without end", BYTES("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") },
};

static void test_refused_and_closed(void **state)
{
    (void)state;
    static char answer[64 * 1024];
    static const char second[] = "GET /second HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t i = 0; i < COUNT(refused); i++) {
        char sent[2000];
        memcpy(sent, refused[i].sent.ptr, refused[i].sent.len);
        memcpy(sent + refused[i].sent.len, second, sizeof second - 1);
        raw_talk(sent, refused[i].sent.len + sizeof second - 1, answer, sizeof answer);
        if (strncmp(answer, "HTTP/1.1 400 Bad Request\r\n", 26) != 0 || raw_count(answer, "HTTP/1.1 ") != 1 ||
            !strstr(answer, "\r\nConnection: close\r\n"))
            fail_msg("%s:\n%.300s", refused[i].name, answer);
    }
}

static void test_bare_high_bytes(void **state)
{
    (void)state;
    for (int byte = 0x80; byte <= 0xff; byte++) {
        static const char *const forms[] = {
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked%c\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %cchunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding%c: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5%c\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\n%cContent-Length: 5\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a%c\r\n\r\n",
            "GET / HTTP/1.1%c\r\nHost: a\r\n\r\n",
            "GET%c / HTTP/1.1\r\nHost: a\r\n\r\n",
        };
        for (size_t i = 0; i <= COUNT(forms); i++) {
            char text[300];
            struct http_head head;
            struct arena *arena = arena_new(2048);
            int len = i < COUNT(forms)
                          ? snprintf(text, sizeof text, forms[i], byte)
                          : snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: %c\r\n\r\n", byte);
            int status = http_head_parse(arena, (struct str){ text, (size_t)len }, &head);
            assert_int_equal(status, i < COUNT(forms) ? 400 : 0); /* only in plain values */
            arena_free(arena);
        }
    }
}

/* Every way to cut a good head in two gives the same. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    static const char text[] = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
    size_t head_len = sizeof text - 1 - 3;
    for (size_t cut = 0; cut < sizeof text; cut++) {
        size_t line = 0;
        ptrdiff_t first = http_head_end((struct str){ text, cut }, &line);
        assert_int_equal(first, cut >= head_len ? (ptrdiff_t)head_len : 0);
        if (first == 0)
            assert_int_equal(http_head_end((struct str){ text, sizeof text - 1 }, &line), head_len);
    }
}

/* b25: "400 or normalized once; route match and authorizer ARN see one same path" */
static void test_targets_are_made_plain_once(void **state)
{
    (void)state;
    static const struct {
        const char *target, *plain;
    } targets[] = {
        { "/a%20b;c//d/../e/%2e%2e/%252e?x=%zz&y=\\", "/a%20b;c//d/../e/%2e%2e/%252e?x=%zz&y=\\" },
        { "/a#b?c", "/a" },
        { "#", "/" },
        { "/\xc3\xa9?\x80", "/%C3%A9?%80" },
        { "", "/" },
        { "http://a", "/" },
        { "http://a?x", "/?x" },
        { "HTTPS://a:1/b?c#d", "/b?c" },
    };
    for (size_t i = 0; i < COUNT(targets); i++) {
        char text[300];
        struct http_head head;
        struct arena *arena = arena_new(2048);
        int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i].target);
        assert_int_equal(http_head_parse(arena, (struct str){ text, (size_t)len }, &head), 0);
        if (!str_is(head.target, targets[i].plain))
            fail_msg("%s became %.*s", targets[i].target, STR_FMT(head.target));
        arena_free(arena);
    }
}

static void test_pipelined_after_good_ones(void **state)
{
    (void)state;
    /* b31: "first answered fully, then 400 + close" */
    const char *answer =
        raw_say("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                "GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(raw_count(answer, "HTTP/1.1 200"), 1);
    assert_int_equal(raw_count(answer, "HTTP/1.1 400"), 1);
    assert_non_null(strstr(answer, "\r\n\r\nabcHTTP/1.1 400"));
}

static void test_chunk_extensions_have_a_limit(void **state)
{
    (void)state;
    static char body[8192];
    for (int over = 0; over < 2; over++) {
        struct http_chunk chunk = { 0 };
        int len = snprintf(body, sizeof body, "1;%0*d\r\nx\r\n0\r\n\r\n", over ? 4200 : 4000, 1);
        struct str in = { body, (size_t)len }, piece;
        enum http_chunk_step step = http_chunk_next(&chunk, &in, &piece);
        assert_int_equal(step, over ? HTTP_CHUNK_BAD : HTTP_CHUNK_DATA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_alone),
        cmocka_unit_test(test_vectors_on_the_wire),
        cmocka_unit_test(test_refused_and_closed),
        cmocka_unit_test(test_bare_high_bytes),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_targets_are_made_plain_once),
        cmocka_unit_test(test_pipelined_after_good_ones),
        cmocka_unit_test(test_chunk_extensions_have_a_limit),
    };
    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
