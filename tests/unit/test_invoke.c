#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/env.h"
#include "core/invoke.h"
#include "core/str.h"

/* A streamed answer between two threads: one loop sends, as the invoker does, another takes. */
enum { TOTAL = 8 * 1024 * 1024, PIECE = 40000 };

struct talk {
    struct loop *from, *to;
    struct invocation invocation;
    struct invoke_stream *stream;
    struct loop_task begin, over;
    size_t sent, taken, held, most;
    size_t stop_at;      /* the home wants no more after so many bytes; 0: all */
    bool eager;          /* takes each piece at once */
    bool in_order;
    int brakes, done;
    char bytes[PIECE];
};

static void send_more(void *ctx)
{
    struct talk *talk = ctx;
    while (talk->sent < TOTAL) {
        size_t n = TOTAL - talk->sent < PIECE ? TOTAL - talk->sent : PIECE;
        for (size_t i = 0; i < n; i++)
            talk->bytes[i] = (char)((talk->sent + i) % 251);
        talk->sent += n;
        if (!invoke_stream_send(talk->stream, &talk->invocation, (struct str){ talk->bytes, n })) {
            talk->brakes++;
            return;
        }
    }
    invoke_stream_end(talk->stream);
    loop_post(talk->to, &talk->over);
}

static void begin(struct loop_task *task)
{
    struct talk *talk = (struct talk *)((char *)task - offsetof(struct talk, begin));
    talk->stream = invoke_stream_new(talk->from, send_more, talk);
    send_more(talk);
}

static void over(struct loop_task *task)
{
    struct talk *talk = (struct talk *)((char *)task - offsetof(struct talk, over));
    invoke_done(&talk->invocation);
}

static void on_piece(struct invocation *invocation, struct str piece)
{
    struct talk *talk = invocation->user;
    for (size_t i = 0; i < piece.len; i++)
        if (piece.ptr[i] != (char)((talk->taken + talk->held + i) % 251))
            talk->in_order = false;
    talk->held += piece.len;
    if (talk->held > talk->most)
        talk->most = talk->held;
    /* as behind a slow client: nothing is taken until a lot waits */
    if (talk->eager || talk->held > INVOKE_STREAM_BYTES) {
        invoke_taken(invocation, talk->held);
        talk->taken += talk->held;
        talk->held = 0;
    }
    if (talk->stop_at && talk->taken >= talk->stop_at)
        invoke_stop(invocation);
}

static void on_done(struct invocation *invocation)
{
    struct talk *talk = invocation->user;
    talk->done++;
    loop_stop(talk->from);
    loop_stop(talk->to);
}

static void *run_loop(void *loop)
{
    loop_run(loop);
    return NULL;
}

static struct talk *run(bool eager, size_t stop_at)
{
    struct talk *talk = calloc(1, sizeof *talk);
    struct env env;
    pthread_t thread;
    env_system(&env);
    talk->from = loop_new(&env);
    talk->to = loop_new(&env);
    talk->eager = eager;
    talk->in_order = true;
    talk->stop_at = stop_at;
    talk->begin.fn = begin;
    talk->over.fn = over;
    talk->invocation = (struct invocation){ .home = talk->to, .user = talk, .piece = on_piece, .done = on_done };
    loop_post(talk->from, &talk->begin);
    pthread_create(&thread, NULL, run_loop, talk->from);
    loop_run(talk->to);
    pthread_join(thread, NULL);
    loop_free(talk->from);
    loop_free(talk->to);
    return talk;
}

static void everything_comes_in_order_and_little_is_under_way(void **state)
{
    (void)state;
    for (int eager = 0; eager < 2; eager++) {
        struct talk *talk = run(eager, 0);
        assert_true(talk->in_order);
        assert_int_equal(talk->taken + talk->held, TOTAL);
        assert_int_equal(talk->done, 1);
        assert_true(talk->most <= INVOKE_STREAM_BYTES + 2 * PIECE);
        if (!eager)
            assert_true(talk->brakes > 0);
        free(talk);
    }
}

static void who_wants_no_more_holds_up_nobody(void **state)
{
    (void)state;
    for (size_t stop_at = 1; stop_at < TOTAL; stop_at = stop_at * 7 + 1000) {
        struct talk *talk = run(true, stop_at);
        assert_int_equal(talk->sent, TOTAL);
        assert_true(talk->taken < TOTAL);
        assert_int_equal(talk->done, 1);
        free(talk);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_comes_in_order_and_little_is_under_way),
        cmocka_unit_test(who_wants_no_more_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
