#include "gateway/stage/access_log.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/json.h"

#define ROOM        (64 * 1024)
#define FLUSH_AT    (48 * 1024)
#define FLUSH_US    (100 * 1000) /* a line is not older than this when it is written */
#define LONGEST     (16 * 1024)  /* of one line; what a client sends is part of it */

/* Lines are written straight into the loop's buffer. */
static void put(struct gw_loop *home, struct str text)
{
    size_t left = home->log_cap - home->log_len;
    size_t len = text.len < left ? text.len : left;
    memcpy(home->log + home->log_len, text.ptr, len);
    home->log_len += len;
}

/* Inside of a JSON string. Printable ASCII without quotes goes as it is: nearly always all of it. */
static void put_escaped(struct gw_request *r, struct str text)
{
    size_t plain = 0;
    while (plain < text.len && text.ptr[plain] >= ' ' && text.ptr[plain] != 0x7f && text.ptr[plain] != '"' &&
           text.ptr[plain] != '\\')
        plain++;
    put(r->home, str_sub(text, 0, plain));
    if (plain == text.len)
        return;
    struct strbuf quoted = strbuf_in(r->arena, text.len * 2);
    json_quote(&quoted, str_from(text, plain));
    put(r->home, (struct str){ quoted.ptr + 1, quoted.len - 2 });
}

static void put_number(struct gw_loop *home, int64_t value)
{
    char digits[24], *end = digits + sizeof digits, *at = end;
    do
        *--at = (char)('0' + value % 10);
    while (value /= 10);
    put(home, (struct str){ at, (size_t)(end - at) });
}

/* The stage's own format: "$context.x only, missing -> '-'". */
static void put_formatted(struct gw_request *r)
{
    for (size_t i = 0; i < r->snapshot->n_log_parts; i++) {
        const struct gw_log_part *part = &r->snapshot->log_parts[i];
        put_escaped(r, part->text);
        if (!part->variable.ptr)
            continue;
        struct str value = part->number >= 0 ? gw_context_by_number(r, part->number) : gw_context(r, part->variable);
        put_escaped(r, value.ptr ? str_sub(value, 0, 4096) : STR("-"));
    }
}

static void on_timer(struct timer *timer)
{
    access_log_flush((struct gw_loop *)(void *)((char *)timer - offsetof(struct gw_loop, log_timer)));
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
        access_log_flush(home);
    if (home->log_len == 0)
        timer_start(home->loop, &home->log_timer, FLUSH_US, on_timer);
}

void access_log_write(struct gw_request *r, int64_t us)
{
    struct gw_loop *home = r->home;
    make_room(home);
    int64_t ms = r->wall_us / 1000 % 1000;
    const char fraction[] = { '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10) };
    put(home, STR("{\"time\":\""));
    put(home, str_of(gateway_clock(home, r->wall_us)->iso));
    put(home, (struct str){ fraction, sizeof fraction });
    put(home, STR("Z\",\"level\":\"info\",\"msg\":\"access\",\"api\":\""));
    put(home, r->api_id);
    put(home, STR("\",\"stage\":\""));
    put(home, r->stage);
    if (r->snapshot->is_canary)
        put(home, STR("\",\"canary\":\"true"));
    put(home, STR("\",\"request_id\":\""));
    put(home, r->request_id);
    put(home, STR("\",\"status\":"));
    put_number(home, r->status);
    put(home, STR(",\"us\":"));
    put_number(home, us < 0 ? 0 : us);
    put(home, STR(",\"line\":\""));
    put_formatted(r);
    if (home->log_cap - home->log_len < 4) /* an absurdly long line is cut */
        home->log_len = home->log_cap - 4;
    put(home, STR("\"}\n"));
}

void access_log_flush(struct gw_loop *home)
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
