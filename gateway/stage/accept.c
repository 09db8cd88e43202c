/* The first step: ids, time, the method that counts, the trace. */
#include <inttypes.h>

#include "core/time.h"
#include "gateway/request.h"
#include "gateway/target.h"

static const char hex[] = "0123456789abcdef";

static void write_hex(char *out, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
}

static void write_uuid(char out[37], uint8_t bytes[16])
{
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    write_hex(out, bytes, 4);
    out[8] = out[13] = out[18] = out[23] = '-';
    write_hex(out + 9, bytes + 4, 2);
    write_hex(out + 14, bytes + 6, 2);
    write_hex(out + 19, bytes + 8, 2);
    write_hex(out + 24, bytes + 10, 6);
    out[36] = '\0';
}

/* x-amz-apigw-id: 11 bytes in base64, which ends in '='. */
static void write_extended_id(char out[17], const uint8_t bytes[15])
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < 15; i++)
        out[i] = base64[bytes[i] & (i == 14 ? 0x3c : 0x3f)];
    out[15] = '=';
    out[16] = '\0';
}

static bool is_hex(struct str text)
{
    bool any = false; /* an id of zeros only is none */
    for (size_t i = 0; i < text.len; i++) {
        if (!strchr("0123456789abcdef", text.ptr[i]))
            return false;
        any |= text.ptr[i] != '0';
    }
    return any;
}

/* W3C: "00-" 32 digits of the trace, 16 of the caller's span, 2 of flags. */
static bool is_traceparent(struct str text)
{
    return text.len == 55 && str_starts(text, STR("00-")) && text.ptr[35] == '-' && text.ptr[52] == '-' &&
           is_hex(str_sub(text, 3, 32)) && is_hex(str_sub(text, 36, 16)) &&
           (is_hex(str_sub(text, 53, 2)) || str_is(str_from(text, 53), "00"));
}

/* "Root=1-<seconds>-<96 bits>", unless the client brings a root of its own, in X-Ray's words or the W3C's. */
static struct str trace_header(struct gw_request *r, const uint8_t random[12])
{
    struct str sent = http_header_get(&r->x->headers, "X-Amzn-Trace-Id");
    struct str parent = http_header_get(&r->x->headers, "traceparent");
    if (sent.len > 5 && sent.len <= 256 && str_starts(sent, STR("Root=1-")))
        return sent;
    if (parent.len && is_traceparent(parent))
        return str_printf(r->arena, "Root=1-%.8s-%.24s;Parent=%.16s;Sampled=%c", parent.ptr + 3, parent.ptr + 11,
                          parent.ptr + 36, strchr("13579bdf", parent.ptr[54]) ? '1' : '0');
    char *text = arena_alloc(r->arena, 41, 1);
    uint32_t seconds = (uint32_t)(r->wall_us / 1000000);
    const uint8_t bytes[4] = { (uint8_t)(seconds >> 24), (uint8_t)(seconds >> 16), (uint8_t)(seconds >> 8),
                               (uint8_t)seconds };
    memcpy(text, "Root=1-", 7);
    write_hex(text + 7, bytes, 4);
    text[15] = '-';
    write_hex(text + 16, random, 12);
    text[40] = '\0';
    return (struct str){ text, 40 };
}

/* "X-HTTP-Method-Override changes the method": a method that API Gateway knows, nothing else. Route,
 * authorizer and integration all see the result. */
static struct str effective_method(struct gw_request *r)
{
    static const char *const methods[] = { "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT" };
    struct str override = http_header_get(&r->x->headers, "X-HTTP-Method-Override");
    for (size_t i = 0; override.len && i < COUNT(methods); i++)
        if (str_is(override, methods[i]))
            return str_of(methods[i]);
    return r->x->method;
}

static enum gw_next refuse(struct gw_request *r, int status, const char *type, struct str message, const char *why)
{
    trace_note(&r->trace, "refused", str_of(why));
    r->failure_status = status;
    r->failure_error_type = str_of(type);
    return gw_fail_text(r, RESPONSE_FIXED, message);
}

/* "Total combined size of request line and header values: 10240 bytes" of AWS's quotas. */
static bool is_too_large(const struct http_exchange *x)
{
    size_t total = x->method.len + x->target.len + strlen("  HTTP/1.1");
    for (size_t i = 0; i < x->headers.n; i++)
        total += x->headers.items[i].value.len;
    return total > 10240;
}

static enum gw_next check(struct gw_request *r)
{
    const char *fault = target_fault(r->arena, r->path, r->x->query);
    if (fault)
        return refuse(r, 400, "BadRequestException", STR("Bad Request"), fault);
    if (r->gateway->config.aws_limits && is_too_large(r->x))
        return refuse(r, 431, "RequestHeaderFieldsTooLargeException", STR("Request Header Fields Too Large"),
                      "request line and header values are longer than 10240 bytes");
    return GW_NEXT;
}

static enum gw_next accept_enter(struct gw_request *r)
{
    uint64_t words[7];
    uint8_t random[sizeof words]; /* 16 of the request's id, 15 of the extended one, 12 and 8 of the traces */
    gateway_random(r->home, words, COUNT(words));
    memcpy(random, words, sizeof random);
    r->wall_us = env_now_us(r->gateway->config.env);
    trace_begin(&r->trace, r->wall_us, random + 43);
    write_uuid(r->request_id_text, random);
    write_extended_id(r->extended_id_text, random + 16);
    r->request_id = (struct str){ r->request_id_text, 36 };
    r->extended_id = (struct str){ r->extended_id_text, 16 };
    r->trace_header = trace_header(r, random + 31);
    r->http_method = effective_method(r);
    if (!r->trial && !r->background)
        gateway_count(r->home, COUNT_REQUESTS);
    return check(r);
}

const struct gw_step step_accept = { "accept", accept_enter, NULL, true };
