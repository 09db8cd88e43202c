/* The other end: the answer of who missed goes into the cache, and whoever waits for it is told.
 *
 * As on AWS every answer of an integration is kept, errors too; a gateway response is not. Not kept, though
 * AWS may: 206 and 304 (the answers to one client's Range or If-None-Match), what sets a cookie, and
 * `Vary: *`. Of an answer with Vary each variant is kept. */
#include <stdlib.h>

#include "core/digest.h"
#include "gateway/stage/cache.h"

static const char *not_kept(const struct gw_request *r, const struct http_headers *headers, int64_t length)
{
    struct str vary = http_header_get(headers, "Vary");
    if (r->status == 206 || r->status == 304 || r->status < 200)
        return "not kept: the status is one client's";
    if (http_header_has(headers, "Set-Cookie"))
        return "not kept: the answer sets a cookie";
    if (vary.ptr && str_find(vary, '*') >= 0)
        return "not kept: Vary: *";
    if (str_starts_nocase(http_header_get(headers, "Content-Type"), STR("text/event-stream")))
        return "not kept: a stream of events";
    return length > CACHE_MAX_BODY ? "not kept: larger than 1048576 bytes" : NULL;
}

static void give_up(struct gw_request *r, const char *why)
{
    struct gw_caching *c = r->caching;
    trace_note(&r->trace, "cache", str_of(why));
    if (c->flight)
        cache_land(r->snapshot->cache, c->flight, NULL, NULL, CACHE_GO_ALONE);
    c->flight = NULL;
    c->keep = false;
}

/* Header lines as http_reply writes them, without what belongs to one connection or one request. */
static struct str head_lines(struct gw_request *r, const struct http_headers *headers)
{
    struct strbuf out = strbuf_in(r->arena, 512);
    for (size_t i = 0; i < headers->n; i++) {
        struct http_header h = headers->items[i];
        if (!http_is_token(h.name) || !http_is_field_value(h.value) || http_is_hop_by_hop(h.name) ||
            str_eq_nocase(h.name, STR("Content-Length")) || str_eq_nocase(h.name, STR("Date")) ||
            str_eq_nocase(h.name, STR("Warning")))
            continue;
        strbuf_add(&out, h.name);
        strbuf_add(&out, STR(": "));
        strbuf_add(&out, h.value);
        strbuf_add(&out, STR("\r\n"));
    }
    return strbuf_view(&out);
}

/* "Surrogate-Key: a b" and "Cache-Tag: a,b", as the endpoint says. */
static struct str tag_list(struct gw_request *r, const struct http_headers *headers)
{
    struct strbuf out = strbuf_in(r->arena, 64);
    for (size_t i = 0; i < headers->n; i++) {
        struct http_header h = headers->items[i];
        if (!str_eq_nocase(h.name, STR("Surrogate-Key")) && !str_eq_nocase(h.name, STR("Cache-Tag")))
            continue;
        strbuf_char(&out, ' ');
        for (size_t k = 0; k < h.value.len; k++)
            strbuf_char(&out, h.value.ptr[k] == ',' ? ' ' : h.value.ptr[k]);
    }
    return strbuf_view(&out);
}

/* The endpoint's own, or a strong one of the body. */
static struct str etag_of(struct gw_request *r, struct http_headers *headers, struct str body)
{
    static const char hex[] = "0123456789abcdef";
    struct str own = http_header_get(headers, "ETag");
    uint8_t hash[SHA256_BYTES];
    if (!r->snapshot->caching.etag || r->status != 200)
        return STR_NONE;
    if (own.ptr)
        return str_starts(own, STR("W/")) ? str_from(own, 2) : own;
    char *text = arena_alloc(r->arena, 34, 1);
    digest_sha256(body, hash);
    for (size_t i = 0; i < 16; i++) {
        text[1 + 2 * i] = hex[hash[i] >> 4];
        text[2 + 2 * i] = hex[hash[i] & 15];
    }
    text[0] = text[33] = '"';
    http_header_add(r->arena, headers, STR("ETag"), (struct str){ text, 34 });
    return (struct str){ text, 34 };
}

static struct str in_table(struct gw_request *r, struct str key)
{
    return r->caching->sealer ? cache_sealed_key(r->caching->sealer, r->arena, key) : key;
}

/* Where one answer goes: to its key; or, with Vary, to its variant's, and the names to its key. */
static void keep(struct gw_request *r, struct http_headers *headers, struct str body)
{
    struct gw_caching *c = r->caching;
    int64_t now_us = stage_cache_now_us(r);
    struct str vary = http_header_get(headers, "Vary"), plain = in_table(r, c->key);
    struct cache_entry made = { .status = r->status, .stored_us = now_us, .body = body,
                                .fresh_until_us = now_us + (int64_t)c->rule->ttl_s * 1000000 };
    made.stale_until_us = made.fresh_until_us + (int64_t)r->snapshot->caching.stale_s * 1000000;
    made.key = vary.len ? in_table(r, stage_cache_variant(r, c->key, vary)) : plain;
    made.tag_list = tag_list(r, headers);
    made.etag = etag_of(r, headers, body);
    made.head = head_lines(r, headers);
    struct cache_entry *entry = cache_entry_new(&made, c->sealer), *names = NULL;
    if (vary.len) {
        made = (struct cache_entry){ .status = 200, .stored_us = now_us, .fresh_until_us = made.stale_until_us,
                                     .stale_until_us = made.stale_until_us, .key = plain, .vary = vary,
                                     .tag_list = made.tag_list };
        names = cache_entry_new(&made, NULL);
    }
    struct cache *cache = r->snapshot->cache;
    if (c->flight) {
        bool own = str_eq(entry->key, c->looked_up);
        bool of_names = names && str_eq(names->key, c->looked_up);
        struct cache_entry *at = own ? entry : of_names ? names : NULL, *beside = own ? names : entry;
        cache_land(cache, c->flight, at, beside, CACHE_LOOK_AGAIN);
        c->flight = NULL;
    } else {
        cache_put(cache, entry);
        if (names)
            cache_put(cache, names);
    }
    stage_cache_conditional(r, entry->etag);
    cache_entry_unref(entry);
    cache_entry_unref(names);
}

static void end(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    if (r->failed || (c->streamed && !c->complete)) {
        trace_note(&r->trace, "cache", STR("not kept: there was no whole answer"));
        stage_cache_forget(r);
        return;
    }
    struct str body = c->streamed ? (struct str){ c->copy, c->copied } : r->reply;
    struct http_headers *headers = c->streamed ? &c->head : &r->headers;
    const char *why = not_kept(r, headers, (int64_t)body.len);
    if (why)
        give_up(r, why);
    else
        keep(r, headers, body.ptr ? body : STR(""));
}

static enum gw_next keep_enter(struct gw_request *r)
{
    struct gw_caching *c = r->caching;
    if (!c)
        return GW_NEXT;
    if (c->keep || c->flight)
        end(r);
    if (c->unauthorized && !r->replied && !r->failed)
        http_header_add(r->arena, &r->headers, STR("Warning"),
                        STR("199 Cache-control headers were ignored because the caller was unauthorized."));
    return GW_NEXT;
}

/* --- answers that stream to the client --- */

void stage_cache_stream_head(struct gw_request *r, int64_t length)
{
    struct gw_caching *c = r->caching;
    if (!c || !c->keep)
        return;
    const char *why = not_kept(r, &r->headers, length);
    if (why) { /* said early, so that nobody waits for a long answer in vain */
        give_up(r, why);
        return;
    }
    c->streamed = true;
    for (size_t i = 0; i < r->headers.n; i++)
        http_header_add(r->arena, &c->head, r->headers.items[i].name, r->headers.items[i].value);
}

void stage_cache_stream_piece(struct gw_request *r, struct str piece)
{
    struct gw_caching *c = r->caching;
    if (!c || !c->streamed || !c->keep)
        return;
    if (c->copied + piece.len > CACHE_MAX_BODY) {
        give_up(r, "not kept: larger than 1048576 bytes");
        return;
    }
    if (c->copied + piece.len > c->room) {
        size_t room = (c->copied + piece.len) * 2;
        c->copy = arena_grow(r->arena, c->copy, c->room, room);
        c->room = room;
    }
    memcpy(c->copy + c->copied, piece.ptr, piece.len);
    c->copied += piece.len;
}

void stage_cache_stream_end(struct gw_request *r)
{
    if (r->caching)
        r->caching->complete = true;
}

bool stage_cache_leaves_out(const struct gw_request *r, struct str name)
{
    static const char *const names[] = { "Range",         "If-Range", "If-None-Match", "If-Modified-Since",
                                         "If-Match", "If-Unmodified-Since" };
    if (!r->caching || !r->caching->keep || name.len < 5)
        return false;
    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

const struct gw_step step_cache_keep = { "keep", keep_enter, NULL, true };
