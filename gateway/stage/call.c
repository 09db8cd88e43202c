/* Calling a function from a loop. The invocation has an arena of its own: a function cannot be
 * called back when the client hangs up, and its answer must find a place. */
#include "gateway/stage/stage.h"

static void free_call(void *ptr)
{
    struct gw_call *call = ptr;
    arena_free(call->arena);
}

static void on_answer(struct invocation *invocation)
{
    struct gw_call *call = invocation->user;
    struct gw_request *r = call->r;
    if (!r) {
        arena_free(call->arena);
        return;
    }
    call->r = NULL;
    arena_defer(r->arena, free_call, call); /* the answer is read as long as the request lives */
    gw_resume(r);
}

static struct str copy(struct arena *arena, struct str text)
{
    return text.ptr ? str_copy(arena, text) : STR_NONE; /* absent is not empty */
}

static struct invoke_caller copy_caller(struct arena *arena, const struct invoke_caller *from)
{
    return (struct invoke_caller){
        .service = copy(arena, from->service),
        .source_arn = copy(arena, from->source_arn),
        .source_account = copy(arena, from->source_account),
        .principal_arn = copy(arena, from->principal_arn),
        .role_arn = copy(arena, from->role_arn),
        .account = copy(arena, from->account),
    };
}

static struct gw_call *prepare(struct gw_request *r, const struct invoke_caller *caller, struct str function,
                               struct str payload, int timeout_ms)
{
    struct arena *arena = arena_new(1024 + payload.len + function.len);
    struct gw_call *call = ARENA_NEW(arena, struct gw_call);
    call->arena = arena;
    call->r = r;
    call->started_us = env_monotonic_us(r->gateway->config.env);
    call->invocation = (struct invocation){
        .arena = arena,
        .account = str_copy(arena, r->snapshot->account),
        .region = str_copy(arena, r->snapshot->region),
        .function = str_copy(arena, function),
        .payload = str_copy(arena, payload),
        .caller = copy_caller(arena, caller),
        .trace_id = str_copy(arena, r->trace_header),
        .timeout_ms = timeout_ms,
        .home = r->x->loop,
        .done = on_answer,
        .user = call,
    };
    r->call = call;
    return call;
}

static void start(struct gw_request *r)
{
    r->gateway->config.invoker->start(r->gateway->config.invoker->ctx, &r->call->invocation);
}

void stage_call(struct gw_request *r, const struct invoke_caller *caller, struct str function, struct str payload,
                int timeout_ms)
{
    prepare(r, caller, function, payload, timeout_ms);
    start(r);
}

void stage_call_mode(struct gw_request *r, const struct invoke_caller *caller, struct str function, struct str payload,
                     int timeout_ms, enum invoke_mode mode)
{
    prepare(r, caller, function, payload, timeout_ms)->invocation.mode = mode;
    start(r);
}

void stage_call_streamed(struct gw_request *r, const struct invoke_caller *caller, struct str function,
                         struct str payload, int timeout_ms,
                         void (*piece)(struct invocation *invocation, struct str piece))
{
    prepare(r, caller, function, payload, timeout_ms)->invocation.piece = piece;
    start(r);
}

void stage_call_forget(struct gw_request *r)
{
    if (!r->call || r->call->r != r)
        return;
    r->call->r = NULL;
    invoke_stop(&r->call->invocation);
}
