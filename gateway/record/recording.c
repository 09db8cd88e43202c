#include "gateway/record/recording.h"

#include <stdlib.h>

#include "core/base64.h"
#include "core/json.h"
#include "gateway/headers.h"
#include "gateway/request.h"

#define LONGEST_BODY (64 * 1024)
#define LONGEST_RUNS (256 * 1024)

static void hold(struct recording_ring *ring)
{
    while (atomic_flag_test_and_set_explicit(&ring->busy, memory_order_acquire))
        ;
}

static void release(struct recording_ring *ring)
{
    atomic_flag_clear_explicit(&ring->busy, memory_order_release);
}

static void add_headers(struct strbuf *out, const struct http_headers *headers)
{
    strbuf_add(out, STR(",\"headers\":["));
    bool first = true;
    for (size_t i = 0; i < headers->n; i++) {
        struct http_header h = headers->items[i];
        if (header_is_secret(h.name) || http_is_hop_by_hop(h.name))
            continue;
        strbuf_add(out, first ? STR("[") : STR(",["));
        json_quote(out, h.name);
        strbuf_char(out, ',');
        json_quote(out, h.value);
        strbuf_char(out, ']');
        first = false;
    }
    strbuf_char(out, ']');
}

static void add_bytes(struct gw_request *r, struct strbuf *out, const char *name, struct str bytes)
{
    if (bytes.len <= LONGEST_BODY)
        strbuf_printf(out, ",\"%s\":\"%s\"", name, base64_encode(r->arena, bytes).ptr);
}

static struct str describe(struct gw_request *r)
{
    struct strbuf out = strbuf_in(r->arena, 2048);
    struct str path = r->path, body = r->body_read ? r->body : r->x->body;
    if (r->x->query.ptr)
        path = str_printf(r->arena, "%.*s?%.*s", STR_FMT(r->path), STR_FMT(r->x->query));
    strbuf_add(&out, STR("{\"method\":"));
    json_quote(&out, r->http_method);
    strbuf_add(&out, STR(",\"path\":"));
    json_quote(&out, path);
    add_headers(&out, &r->x->headers);
    if (body.ptr || !r->x->has_body)
        add_bytes(r, &out, "body", body.ptr ? body : STR(""));
    strbuf_printf(&out, ",\"status\":%d", r->status);
    if (!r->streaming)
        add_bytes(r, &out, "answer", r->reply.ptr ? r->reply : STR(""));
    if (r->template_runs.len && r->template_runs.len <= LONGEST_RUNS) {
        strbuf_add(&out, STR(",\"templates\":["));
        strbuf_add(&out, strbuf_view(&r->template_runs));
        strbuf_char(&out, ']');
    }
    strbuf_char(&out, '}');
    return strbuf_view(&out);
}

void recording_keep(struct gw_request *r)
{
    struct recording_ring *ring = &r->home->recordings;
    struct str text = describe(r);
    char *copy = malloc(text.len + 1);
    if (!copy)
        abort();
    memcpy(copy, text.ptr, text.len);
    size_t at = ring->next++ % RECORDINGS;
    hold(ring);
    char *old = ring->items[at].json;
    memcpy(ring->items[at].trace, r->trace.id, sizeof ring->items[at].trace);
    memcpy(ring->items[at].request_id, r->request_id.ptr, sizeof ring->items[at].request_id);
    ring->items[at].json = copy;
    ring->items[at].len = text.len;
    release(ring);
    free(old);
}

void recording_ring_free(struct recording_ring *ring)
{
    for (size_t i = 0; i < RECORDINGS; i++)
        free(ring->items[i].json);
}

static struct str find_in(struct recording_ring *ring, struct arena *arena, struct str id)
{
    struct str found = STR_NONE;
    hold(ring);
    for (size_t i = 0; i < RECORDINGS && !found.ptr; i++)
        if (ring->items[i].json && (str_eq(id, (struct str){ ring->items[i].trace, 16 }) ||
                                    str_eq(id, (struct str){ ring->items[i].request_id, 36 })))
            found = str_copy(arena, (struct str){ ring->items[i].json, ring->items[i].len });
    release(ring);
    return found;
}

struct str recording_find(struct gateway *gateway, struct arena *arena, struct str id)
{
    struct str found = STR_NONE;
    for (size_t i = 0; i < gateway->n_loops && !found.ptr; i++)
        found = find_in(&gateway->loops[i].recordings, arena, id);
    return found;
}
