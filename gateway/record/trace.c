#include "gateway/record/trace.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "core/arena.h"
#include "core/json.h"
#include "core/time.h"

bool trace_ring_init(struct trace_ring *ring)
{
    atomic_flag_clear(&ring->busy);
    ring->next = 0;
    ring->records = mmap(NULL, TRACE_RING * sizeof(struct trace), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring->records == MAP_FAILED)
        ring->records = NULL;
    return ring->records != NULL;
}

void trace_ring_free(struct trace_ring *ring)
{
    if (ring->records)
        munmap(ring->records, TRACE_RING * sizeof(struct trace));
}

void trace_begin(struct trace *trace, int64_t wall_us, const uint8_t random[8])
{
    static const char hex[] = "0123456789abcdef";
    trace->wall_us = wall_us;
    trace->n_steps = trace->n_notes = 0;
    trace->reopened = false;
    trace->text_used = 0;
    trace->integration_us = 0;
    trace->method_len = trace->api_len = trace->stage_len = trace->path_len = trace->request_id_len = 0;
    for (int i = 0; i < 8; i++) {
        trace->id[2 * i] = hex[random[i] >> 4];
        trace->id[2 * i + 1] = hex[random[i] & 15];
    }
}

static uint16_t copy_in(struct trace *trace, struct str text, size_t at_most)
{
    size_t room = TRACE_TEXT - trace->text_used;
    size_t len = text.len < at_most ? text.len : at_most;
    if (len > room)
        len = room;
    if (len)
        memcpy(trace->text + trace->text_used, text.ptr, len);
    trace->text_used = (uint16_t)(trace->text_used + len);
    return (uint16_t)len;
}

void trace_name(struct trace *trace, struct str method, struct str api, struct str stage, struct str path,
                struct str request_id)
{
    trace->method_len = copy_in(trace, method, 24);
    trace->api_len = copy_in(trace, api, 40);
    trace->stage_len = copy_in(trace, stage, 64);
    trace->path_len = copy_in(trace, path, 256);
    trace->request_id_len = copy_in(trace, request_id, 40);
}

void trace_note(struct trace *trace, const char *what, struct str detail)
{
    if (trace->n_notes == TRACE_NOTES)
        return;
    struct trace_note *note = &trace->notes[trace->n_notes++];
    note->what = what;
    note->step = (uint8_t)(trace->n_steps - trace->reopened);
    note->at = trace->text_used;
    note->len = copy_in(trace, detail, 384);
}

void trace_step(struct trace *trace, const char *name, int64_t us, bool failed, bool waits)
{
    bool again = trace->reopened; /* a step that waited comes twice: its time is added up */
    trace->reopened = waits;
    if (!again && trace->n_steps < TRACE_STEPS)
        trace->steps[trace->n_steps++] = (struct trace_step){ name, 0, false };
    trace->steps[trace->n_steps - 1].us += (uint32_t)us;
    trace->steps[trace->n_steps - 1].failed |= failed;
}

static void hold(struct trace_ring *ring)
{
    while (atomic_flag_test_and_set_explicit(&ring->busy, memory_order_acquire))
        ;
}

static void release(struct trace_ring *ring)
{
    atomic_flag_clear_explicit(&ring->busy, memory_order_release);
}

void trace_keep(struct trace_ring *ring, const struct trace *trace)
{
    if (!ring->records)
        return;
    hold(ring);
    struct trace *slot = &ring->records[ring->next++ % TRACE_RING];
    /* what is used of each part: the ring is colder than any cache */
    memcpy(slot, trace, offsetof(struct trace, steps) + trace->n_steps * sizeof *trace->steps);
    memcpy(slot->notes, trace->notes, trace->n_notes * sizeof *trace->notes);
    memcpy(slot->text, trace->text, trace->text_used);
    release(ring);
}

static struct str part(const struct trace *trace, size_t *at, size_t len)
{
    struct str text = { trace->text + *at, len };
    *at += len;
    return text;
}

static void add_member(struct strbuf *out, const char *name, struct str value)
{
    strbuf_printf(out, "\"%s\":", name);
    json_quote(out, value);
    strbuf_char(out, ',');
}

static void add_step(struct strbuf *out, const struct trace *trace, int i)
{
    strbuf_printf(out, "%s{\"step\":\"%s\",\"us\":%u", i ? "," : "", trace->steps[i].name, trace->steps[i].us);
    if (trace->steps[i].failed)
        strbuf_add(out, STR(",\"failed\":true"));
    strbuf_add(out, STR(",\"notes\":["));
    bool first = true;
    for (int n = 0; n < trace->n_notes; n++) {
        const struct trace_note *note = &trace->notes[n];
        if (note->step != i)
            continue;
        strbuf_printf(out, "%s{\"what\":\"%s\",\"detail\":", first ? "" : ",", note->what);
        json_quote(out, (struct str){ trace->text + note->at, note->len });
        strbuf_char(out, '}');
        first = false;
    }
    strbuf_add(out, STR("]}"));
}

static struct str render(struct arena *arena, const struct trace *trace)
{
    struct strbuf out = strbuf_in(arena, 2048);
    size_t at = 0;
    strbuf_char(&out, '{');
    add_member(&out, "trace", (struct str){ trace->id, TRACE_ID });
    add_member(&out, "at", time_iso8601_ms(arena, trace->wall_us));
    add_member(&out, "method", part(trace, &at, trace->method_len));
    add_member(&out, "api", part(trace, &at, trace->api_len));
    add_member(&out, "stage", part(trace, &at, trace->stage_len));
    add_member(&out, "path", part(trace, &at, trace->path_len));
    add_member(&out, "requestId", part(trace, &at, trace->request_id_len));
    strbuf_printf(&out, "\"status\":%d,\"us\":%u,\"integrationUs\":%u,\"steps\":[", trace->status, trace->total_us,
                  trace->integration_us);
    for (int i = 0; i < trace->n_steps; i++)
        add_step(&out, trace, i);
    strbuf_add(&out, STR("]}"));
    return strbuf_view(&out);
}

static bool is_it(const struct trace *trace, struct str id)
{
    size_t before = (size_t)trace->method_len + trace->api_len + trace->stage_len + trace->path_len;
    return str_eq(id, (struct str){ trace->id, TRACE_ID }) ||
           (trace->request_id_len && str_eq(id, (struct str){ trace->text + before, trace->request_id_len }));
}

/* One record at a time is copied out, so that the loop never waits for more than that. */
static bool copy_out(struct trace_ring *ring, size_t back, struct trace *out)
{
    hold(ring);
    bool there = back < ring->next && back < TRACE_RING;
    if (there)
        *out = ring->records[(ring->next - 1 - back) % TRACE_RING];
    release(ring);
    return there;
}

struct str trace_find(struct trace_ring *rings, size_t n, size_t stride, struct arena *arena, struct str id)
{
    struct trace *one = ARENA_NEW(arena, struct trace);
    for (size_t r = 0; r < n; r++) {
        struct trace_ring *ring = (struct trace_ring *)(void *)((char *)rings + r * stride);
        for (size_t back = 0; ring->records && copy_out(ring, back, one); back++) /* newest first */
            if (is_it(one, id))
                return render(arena, one);
    }
    return STR_NONE;
}
