#include "gateway/record/loop_log.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/json.h"
#include "gateway/request.h"

#define ROOM        (64 * 1024)
#define FLUSH_AT    (48 * 1024)
#define FLUSH_US    (100 * 1000) /* a line is not older than this when it is written */
#define LONGEST     (16 * 1024)  /* of one line; what a client sends is part of it */

void loop_log_add(struct gw_loop *home, struct str text)
{
    size_t left = home->log_cap - home->log_len;
    size_t len = text.len < left ? text.len : left;
    memcpy(home->log + home->log_len, text.ptr, len);
    home->log_len += len;
}

/* Printable ASCII without quotes goes as it is: nearly always all of it. */
void loop_log_escaped(struct gw_loop *home, struct arena *arena, struct str text)
{
    size_t plain = 0;
    while (plain < text.len && text.ptr[plain] >= ' ' && text.ptr[plain] != 0x7f && text.ptr[plain] != '"' &&
           text.ptr[plain] != '\\')
        plain++;
    loop_log_add(home, str_sub(text, 0, plain));
    if (plain == text.len)
        return;
    struct strbuf quoted = strbuf_in(arena, text.len * 2);
    json_quote(&quoted, str_from(text, plain));
    loop_log_add(home, (struct str){ quoted.ptr + 1, quoted.len - 2 });
}

void loop_log_number(struct gw_loop *home, int64_t value)
{
    char digits[24], *end = digits + sizeof digits, *at = end;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    loop_log_add(home, (struct str){ at, (size_t)(end - at) });
}

static void on_timer(struct timer *timer)
{
    loop_log_flush((struct gw_loop *)(void *)((char *)timer - offsetof(struct gw_loop, log_timer)));
}

static void make_room(struct gw_loop *home)
{
    if (!home->log) {
        home->log_cap = ROOM;
        home->log = malloc(home->log_cap);
        if (!home->log)
            abort();
    }
    if (home->log_len > FLUSH_AT || home->log_cap - home->log_len < LONGEST)
        loop_log_flush(home);
    if (home->log_len == 0)
        timer_start(home->loop, &home->log_timer, FLUSH_US, on_timer);
}

void loop_log_begin(struct gw_request *r, const char *level, const char *msg)
{
    struct gw_loop *home = r->home;
    make_room(home);
    int64_t ms = r->wall_us / 1000 % 1000;
    const char fraction[] = { '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) };
    loop_log_add(home, STR("{\"time\":\""));
    loop_log_add(home, str_of(gateway_clock(home, r->wall_us)->iso));
    loop_log_add(home, (struct str){ fraction, sizeof fraction });
    loop_log_add(home, STR("Z\",\"level\":\""));
    loop_log_add(home, str_of(level));
    loop_log_add(home, STR("\",\"msg\":\""));
    loop_log_add(home, str_of(msg));
    loop_log_add(home, STR("\",\"api\":\""));
    loop_log_add(home, r->api_id);
    loop_log_add(home, STR("\",\"stage\":\""));
    loop_log_add(home, r->stage);
    if (r->snapshot->is_canary)
        loop_log_add(home, STR("\",\"canary\":\"true"));
    loop_log_add(home, STR("\",\"request_id\":\""));
    loop_log_add(home, r->request_id);
}

void loop_log_end(struct gw_loop *home)
{
    if (home->log_cap - home->log_len < 4) /* an absurdly long line is cut */
        home->log_len = home->log_cap - 4;
    loop_log_add(home, STR("\"}\n"));
}

void loop_log_flush(struct gw_loop *home)
{
    size_t done = 0;
    while (done < home->log_len) {
        ssize_t n = write(STDERR_FILENO, home->log + done, home->log_len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    home->log_len = 0;
    timer_stop(home->loop, &home->log_timer);
}
