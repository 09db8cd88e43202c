#include "core/err.h"

const struct gh_kind GH_INTERNAL = { "InternalFailure", 500, true, NULL };
const struct gh_kind GH_UNAVAILABLE = { "ServiceUnavailable", 503, true, NULL };
const struct gh_kind GH_NOT_IMPLEMENTED = { "NotImplemented", 501, true, NULL };

gh_err (gh_fail)(struct arena *arena, const struct gh_kind *kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct gh_err *err = ARENA_NEW(arena, struct gh_err);
    err->kind = kind;
    err->message = str_vprintf(arena, fmt, args);
    va_end(args);
    return err;
}
