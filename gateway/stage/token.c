/* A token in a header. */
#include "gateway/stage/stage.h"

/* "With or without `Bearer `"; one header, or nobody knows which one counts. */
bool stage_take_token(struct gw_request *r, struct str *token)
{
    const struct gw_source *source = &r->method->authorizer->identity[0];
    size_t n = 0;
    for (size_t i = 0; i < r->x->headers.n; i++)
        if (str_eq_nocase(r->x->headers.items[i].name, source->name)) {
            *token = r->x->headers.items[i].value;
            n++;
        }
    if (n == 1 && str_starts_nocase(*token, STR("Bearer ")))
        *token = str_from(*token, strlen("Bearer "));
    if (n == 1 && token->len > 0)
        return true;
    trace_note(&r->trace, n > 1 ? "identity source is there more than once" : "identity source is missing",
               source->name);
    return false;
}
