#include "admin/upload.h"

#include <stdlib.h>

#include "admin/errand.h"
#include "core/json.h"
#include "core/uri.h"
#include "identity/users/upload.h"

/* The loop reads a piece, a job keeps it; the client waits meanwhile. One piece in memory, and what came with it. */
struct taking {
    struct job job; /* first member */
    struct app *app;
    struct http_exchange *x;
    struct import_upload upload;
    char *bytes;
    size_t len, room;
    bool begun, busy, good;
    bool ended, broken;    /* as the loop has seen it */
    bool to_end, to_drop;  /* what the job under way is to do */
};

static void step(struct job *job);
static void stepped(struct job *job);
static void take(struct http_exchange *x, struct str piece, bool broken);

static void answer(struct taking *taking, int status, const char *message)
{
    struct http_exchange *x = taking->x;
    free(taking->bytes);
    taking->bytes = NULL;
    if (taking->broken) {
        http_abort(x);
        return;
    }
    json_t *doc = json_own(x->arena, json_object());
    json_set_str(doc, "message", str_of(message));
    reply_json(x, status, message ? json_print(x->arena, doc) : STR(""));
}

static void submit(struct taking *taking)
{
    taking->busy = true;
    taking->to_end = taking->ended;
    taking->to_drop = taking->broken;
    taking->job = (struct job){ .home = taking->x->loop, .run = step, .done = stepped };
    if (!job_submit(taking->app->jobs, &taking->job)) {
        taking->busy = false;
        answer(taking, 503, "Too many calls are waiting; try again.");
    }
}

void upload_serve(struct app *app, struct http_exchange *x, struct str rest)
{
    struct taking *taking = ARENA_NEW(x->arena, struct taking);
    *taking = (struct taking){ .app = app, .x = x };
    str_split(&rest, '/', &taking->upload.pool);
    taking->upload.job = rest;
    x->user = taking;
    submit(taking);
}

/* ---- on a job thread ---- */

static bool keep_pieces(struct taking *taking)
{
    size_t from = 0;
    struct identity *identity = taking->app->identity;
    while (taking->len - from >= IMPORT_PIECE_BYTES || (taking->to_end && from < taking->len)) {
        size_t n = taking->len - from < IMPORT_PIECE_BYTES ? taking->len - from : IMPORT_PIECE_BYTES;
        if (!import_upload_piece(identity, &taking->upload, (struct str){ taking->bytes + from, n }))
            return false;
        from += n;
    }
    if (from > 0)
        memmove(taking->bytes, taking->bytes + from, taking->len - from);
    taking->len -= from;
    return !taking->to_end || import_upload_end(identity, &taking->upload);
}

static void step(struct job *job)
{
    struct taking *taking = (struct taking *)job;
    struct http_exchange *x = taking->x;
    struct identity *identity = taking->app->identity;
    if (!taking->begun) {
        taking->good = import_upload_begin(identity, x->arena, taking->upload.pool, taking->upload.job,
                                           uri_query_get(x->arena, x->query, "expires"),
                                           uri_query_get(x->arena, x->query, "signature"), &taking->upload);
        return;
    }
    taking->good = !taking->to_drop && keep_pieces(taking);
    if (!taking->good)
        import_upload_drop(identity, &taking->upload);
}

/* ---- on the loop ---- */

static void stepped(struct job *job)
{
    struct taking *taking = (struct taking *)job;
    taking->busy = false;
    if (!taking->good || taking->to_drop) {
        answer(taking, taking->upload.status ? taking->upload.status : 503, taking->upload.problem);
    } else if (!taking->begun) {
        taking->begun = true;
        http_read_stream(taking->x, take);
    } else if (taking->broken) {
        submit(taking); /* to drop what was kept */
    } else if (taking->to_end) {
        answer(taking, 200, NULL);
    } else if (taking->ended) {
        submit(taking); /* the end came while a piece was being kept */
    } else {
        http_read_resume(taking->x);
    }
}

static void take(struct http_exchange *x, struct str piece, bool broken)
{
    struct taking *taking = x->user;
    taking->broken |= broken;
    taking->ended |= !piece.ptr && !broken;
    if (taking->len + piece.len > taking->room) {
        taking->room = taking->len + piece.len + IMPORT_PIECE_BYTES;
        taking->bytes = realloc(taking->bytes, taking->room);
        if (!taking->bytes)
            abort();
    }
    if (piece.len)
        memcpy(taking->bytes + taking->len, piece.ptr, piece.len);
    taking->len += piece.len;
    if (taking->busy || (!taking->broken && !taking->ended && taking->len < IMPORT_PIECE_BYTES))
        return;
    if (!taking->ended && !taking->broken)
        http_read_pause(x);
    submit(taking);
}
