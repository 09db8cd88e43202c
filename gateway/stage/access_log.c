#include "gateway/stage/access_log.h"

#include "gateway/record/loop_log.h"

/* The stage's own format: "$context.x only, missing -> '-'". */
static void put_formatted(struct gw_request *r)
{
    for (size_t i = 0; i < r->snapshot->n_log_parts; i++) {
        const struct gw_log_part *part = &r->snapshot->log_parts[i];
        loop_log_escaped(r->home, r->arena, part->text);
        if (!part->variable.ptr)
            continue;
        struct str value = part->number >= 0 ? gw_context_by_number(r, part->number) : gw_context(r, part->variable);
        loop_log_escaped(r->home, r->arena, value.ptr ? str_sub(value, 0, 4096) : STR("-"));
    }
}

void access_log_write(struct gw_request *r, int64_t us)
{
    struct gw_loop *home = r->home;
    loop_log_begin(r, "info", "access");
    loop_log_add(home, STR("\",\"status\":"));
    loop_log_number(home, r->status);
    loop_log_add(home, STR(",\"us\":"));
    loop_log_number(home, us < 0 ? 0 : us);
    loop_log_add(home, STR(",\"line\":\""));
    put_formatted(r);
    loop_log_end(home);
}
