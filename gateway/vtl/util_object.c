/* $util: escaping, JSON, URLs, base64. Recorded and documented forms in reference/apigateway-vtl.md. */
#include "core/base64.h"
#include "core/uri.h"
#include "gateway/vtl/eval.h"

struct util_call {
    struct vtl_run *run;
    struct arena *arena;
    struct vtl_value arg;
    struct str text;
    struct vtl_value *out;
};

/* The code point at the front of `s`, and its length in bytes. */
static uint32_t next_code_point(struct str s, size_t *len)
{
    unsigned char lead = (unsigned char)s.ptr[0];
    *len = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (*len > s.len)
        *len = 1;
    if (*len == 1)
        return lead;
    uint32_t code = lead & (0x7fu >> *len);
    for (size_t i = 1; i < *len; i++)
        code = code << 6 | ((unsigned char)s.ptr[i] & 0x3f);
    return code;
}

/* commons-lang's escapeEcmaScript: quotes, backslash and slash get a backslash, what is not
 * printable ASCII becomes \uXXXX in UTF-16 units. */
static bool escape_javascript(const struct util_call *c)
{
    static const char from[] = "\"'\\/\b\f\n\r\t", to[] = "\"'\\/bfnrt";
    struct strbuf out = strbuf_in(c->arena, c->text.len + 16);
    struct str rest = c->text;
    while (rest.len) {
        size_t len;
        uint32_t code = next_code_point(rest, &len);
        const char *special = code && code < 0x80 ? strchr(from, (int)code) : NULL;
        if (special) {
            strbuf_char(&out, '\\');
            strbuf_char(&out, to[special - from]);
        } else if (code >= 0x20 && code < 0x7f) {
            strbuf_char(&out, (char)code);
        } else if (code >= 0x10000) {
            strbuf_printf(&out, "\\u%04X\\u%04X", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
        } else {
            strbuf_printf(&out, "\\u%04X", code);
        }
        rest = str_from(rest, len);
    }
    *c->out = vtl_text(strbuf_view(&out));
    return true;
}

static bool parse_json(const struct util_call *c)
{
    struct str why = STR_NONE;
    int64_t values = 0;
    const struct jt *json = jt_parse(c->arena, c->text, &why);
    if (!json)
        return vtl_run_fail(c->run, "$util.parseJson: %.*s", STR_FMT(why));
    *c->out = vtl_of_tree(c->arena, json, &values);
    vtl_run_charge(c->run, values / 8);
    return true;
}

/* Form encoding as java.net.URLEncoder: letters, digits and .-*_ stay, a space is '+'. */
static bool url_encode(const struct util_call *c)
{
    static const char hex[] = "0123456789ABCDEF";
    struct strbuf out = strbuf_in(c->arena, c->text.len * 2);
    for (size_t i = 0; i < c->text.len; i++) {
        unsigned char b = (unsigned char)c->text.ptr[i];
        if ((b >= '0' && b <= '9') || (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b == '.' || b == '-' ||
            b == '*' || b == '_') {
            strbuf_char(&out, (char)b);
        } else if (b == ' ') {
            strbuf_char(&out, '+');
        } else {
            strbuf_char(&out, '%');
            strbuf_char(&out, hex[b >> 4]);
            strbuf_char(&out, hex[b & 15]);
        }
    }
    *c->out = vtl_text(strbuf_view(&out));
    return true;
}

static bool url_decode(const struct util_call *c)
{
    *c->out = vtl_text(uri_decode(c->arena, c->text, true));
    return true;
}

static bool base64_encode_text(const struct util_call *c)
{
    *c->out = vtl_text(base64_encode(c->arena, c->text));
    return true;
}

static bool base64_decode_text(const struct util_call *c)
{
    struct str bytes;
    if (!base64_decode(c->arena, c->text, &bytes))
        return vtl_run_fail(c->run, "$util.base64Decode: not base64");
    *c->out = vtl_text(bytes);
    return true;
}

static const struct {
    const char *name;
    bool (*run)(const struct util_call *c);
} utils[] = {
    { "escapeJavaScript", escape_javascript }, { "parseJson", parse_json },
    { "urlEncode", url_encode },               { "urlDecode", url_decode },
    { "base64Encode", base64_encode_text },    { "base64Decode", base64_decode_text },
};

static bool util_get(void *self, struct str name, struct vtl_value *out)
{
    (void)self;
    (void)name;
    (void)out;
    return false;
}

static bool util_call(void *self, struct vtl_run *run, struct str name, const struct vtl_value *args, size_t n,
                      struct vtl_value *out)
{
    (void)self;
    for (size_t i = 0; i < COUNT(utils); i++) {
        if (!str_is(name, utils[i].name))
            continue;
        if (n != 1)
            return vtl_run_fail(run, "$util.%s takes one argument", utils[i].name);
        if (args[0].kind == VTL_NULL) /* null in, null out */
            return true;
        struct arena *arena = vtl_run_arena(run);
        const struct util_call call = { run, arena, args[0], vtl_string(arena, args[0]), out };
        vtl_run_charge(run, (int64_t)(call.text.len / 64));
        return utils[i].run(&call);
    }
    return false;
}

static const struct vtl_class util_class = { "$util", util_get, util_call, NULL };

struct vtl_value vtl_util(void)
{
    return (struct vtl_value){ .kind = VTL_OBJECT, .object = { &util_class, NULL } };
}
