/* What objects with code behind them may ask of the run they are called in. */
#pragma once

#include "gateway/vtl/vtl.h"

struct arena *vtl_run_arena(struct vtl_run *run);
/* Ends the run with an error; always false. */
bool vtl_run_fail(struct vtl_run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
