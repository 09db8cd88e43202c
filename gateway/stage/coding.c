/* Content codings: minimumCompressionSize.
 *
 * Requests: "it verifies if the specified content coding is supported. Then, it attempts to decompress the
 * payload"; what is not supported or not so coded is 415. Answers are compressed when the client's Accept-Encoding
 * wants it, there is no Content-Encoding yet, and the payload "after the applicable mapping template is applied" is
 * as long as the API says. "If the payload size is smaller than this value, compression or decompression are not
 * applied." Long payloads are done on the job pool: a loop must not stand still for them. */
#include "core/coding.h"
#include "gateway/stage/stage.h"

/* So much is done at once: about a millisecond. */
enum { AT_ONCE = 32 * 1024, AT_ONCE_INFLATED = 256 * 1024 };

/* Work on the job pool. It has memory of its own, for the request may be gone before it is done. */
struct gw_coding {
    struct job job;
    struct arena *arena;
    struct gw_request *r;        /* NULL: nobody waits any more */
    bool inflate;
    enum coding coding;
    struct str in, out;
    enum inflated result;
};

static void work(struct job *job)
{
    struct gw_coding *c = (struct gw_coding *)job; /* its first member */
    if (c->inflate)
        c->result = inflate_whole(c->arena, c->coding, c->in, GW_MAX_BODY, &c->out);
    else
        c->out = deflate_whole(c->arena, c->coding, c->in);
}

static void free_coding(void *ptr)
{
    arena_free(((struct gw_coding *)ptr)->arena);
}

static void worked(struct job *job)
{
    struct gw_coding *c = (struct gw_coding *)job;
    if (!c->r) {
        free_coding(c);
        return;
    }
    arena_defer(c->r->arena, free_coding, c);
    struct gw_request *r = c->r;
    c->r = NULL;
    gw_resume(r);
}

/* False: the pool is full. */
static bool submit(struct gw_request *r, bool inflate, enum coding coding, struct str in)
{
    struct arena *arena = arena_new(in.len + 1024);
    struct gw_coding *c = ARENA_NEW(arena, struct gw_coding);
    *c = (struct gw_coding){ .job = { .home = r->x->loop, .run = work, .done = worked }, .arena = arena, .r = r,
                             .inflate = inflate, .coding = coding, .in = str_copy(arena, in) };
    if (!job_submit(r->gateway->config.jobs, &c->job)) {
        arena_free(arena);
        return false;
    }
    r->coding = c;
    return true;
}

void stage_coding_forget(struct gw_request *r)
{
    if (r->coding && r->coding->r == r)
        r->coding->r = NULL;
}

/* --- requests --- */

bool stage_is_coded(struct gw_request *r)
{
    return r->snapshot->min_compression >= 0 && r->x->has_body && http_header_has(&r->x->headers, "Content-Encoding");
}

static enum gw_next inflated(struct gw_request *r, enum inflated result, struct str body)
{
    if (result == INFLATE_TOO_LARGE)
        return gw_fail(r, RESPONSE_REQUEST_TOO_LARGE);
    if (result == INFLATE_BROKEN) {
        trace_note(&r->trace, "the body is not coded as its Content-Encoding says", STR_NONE);
        return gw_fail(r, RESPONSE_UNSUPPORTED_MEDIA_TYPE);
    }
    r->body = body;
    http_header_remove(&r->x->headers, "Content-Encoding");
    return GW_NEXT;
}

static enum gw_next inflate_enter(struct gw_request *r)
{
    struct str name = http_header_get(&r->x->headers, "Content-Encoding"), out;
    enum coding coding = coding_of(name);
    if (!name.ptr || !r->body.len || (int64_t)r->body.len < r->snapshot->min_compression)
        return GW_NEXT;
    if (coding == CODING_IDENTITY)
        return inflated(r, INFLATED, r->body);
    trace_note(&r->trace, "Content-Encoding", name);
    if (coding == CODING_UNKNOWN)
        return gw_fail(r, RESPONSE_UNSUPPORTED_MEDIA_TYPE);
    if (r->body.len <= AT_ONCE) {
        enum inflated result = inflate_whole(r->arena, coding, r->body, AT_ONCE_INFLATED, &out);
        if (result != INFLATE_TOO_LARGE)
            return inflated(r, result, out);
    }
    if (submit(r, true, coding, r->body))
        return GW_WAIT;
    return gw_fail(r, RESPONSE_THROTTLED);
}

static enum gw_next inflate_done(struct gw_request *r)
{
    struct gw_coding *c = r->coding;
    r->coding = NULL;
    return inflated(r, c->result, c->out);
}

/* --- answers --- */

enum coding stage_answer_coding(struct gw_request *r)
{
    if (r->snapshot->min_compression < 0 || http_header_has(&r->headers, "Content-Encoding"))
        return CODING_IDENTITY;
    if (str_starts_nocase(http_header_get(&r->headers, "Content-Type"), STR("text/event-stream")))
        return CODING_IDENTITY; /* an event must not wait in the compressor for the next one */
    return coding_wanted(http_header_get(&r->x->headers, "Accept-Encoding"));
}

void stage_set_coding(struct gw_request *r, enum coding coding)
{
    trace_note(&r->trace, "compressed", str_of(coding_name(coding)));
    http_header_add(r->arena, &r->headers, STR("Content-Encoding"), str_of(coding_name(coding)));
}

static enum gw_next compress_enter(struct gw_request *r)
{
    if (r->replied || r->failed || !r->reply.len || (int64_t)r->reply.len < r->snapshot->min_compression)
        return GW_NEXT;
    enum coding coding = stage_answer_coding(r);
    if (coding == CODING_IDENTITY)
        return GW_NEXT;
    if (r->reply.len > AT_ONCE) /* the pool is full: it goes out as it is */
        return submit(r, false, coding, r->reply) ? GW_WAIT : GW_NEXT;
    r->reply = deflate_whole(r->arena, coding, r->reply);
    stage_set_coding(r, coding);
    return GW_NEXT;
}

static enum gw_next compress_done(struct gw_request *r)
{
    struct gw_coding *c = r->coding;
    r->coding = NULL;
    r->reply = c->out;
    stage_set_coding(r, c->coding);
    return GW_NEXT;
}

const struct gw_step step_inflate = { "inflate", inflate_enter, inflate_done };
const struct gw_step step_compress = { "compress", compress_enter, compress_done };
