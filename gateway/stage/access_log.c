#include "gateway/stage/access_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/json.h"
#include "core/time.h"

#define FLUSH_AT (64 * 1024)

/* The stage's own format: "$context.x only, missing -> '-'". */
static struct str formatted(struct gw_request *r)
{
    struct strbuf out = strbuf_in(r->arena, 512);
    for (size_t i = 0; i < r->snapshot->n_log_parts; i++) {
        const struct gw_log_part *part = &r->snapshot->log_parts[i];
        strbuf_add(&out, part->text);
        if (!part->variable.ptr)
            continue;
        struct str value = gw_context(r, part->variable);
        strbuf_add(&out, value.ptr ? value : STR("-"));
    }
    return strbuf_view(&out);
}

static void room(struct gw_loop *home, size_t more)
{
    if (home->log_len + more > FLUSH_AT)
        access_log_flush(home);
    if (home->log_cap >= home->log_len + more)
        return;
    home->log_cap = home->log_len + more > FLUSH_AT ? home->log_len + more : FLUSH_AT;
    home->log = realloc(home->log, home->log_cap);
    if (!home->log)
        abort();
}

void access_log_write(struct gw_request *r, int64_t us)
{
    struct strbuf line = strbuf_in(r->arena, 768);
    strbuf_add(&line, STR("{\"time\":\""));
    strbuf_add(&line, time_iso8601_ms(r->arena, r->wall_us));
    strbuf_add(&line, STR("\",\"level\":\"info\",\"msg\":\"access\",\"api\":\""));
    strbuf_add(&line, r->api_id);
    strbuf_add(&line, STR("\",\"stage\":\""));
    strbuf_add(&line, r->stage);
    strbuf_add(&line, STR("\",\"request_id\":\""));
    strbuf_add(&line, r->request_id);
    strbuf_printf(&line, "\",\"status\":%d,\"us\":%" PRId64 ",\"line\":", r->status, us);
    json_quote(&line, formatted(r));
    strbuf_add(&line, STR("}\n"));
    room(r->home, line.len);
    memcpy(r->home->log + r->home->log_len, line.ptr, line.len);
    r->home->log_len += line.len;
}

void access_log_flush(void *ctx)
{
    struct gw_loop *home = ctx;
    size_t done = 0;
    while (done < home->log_len) {
        ssize_t n = write(STDERR_FILENO, home->log + done, home->log_len - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    home->log_len = 0;
}
