/* What objects with code behind them may ask of the run they are called in. */
#pragma once

#include "gateway/vtl/vtl.h"

struct arena *vtl_run_arena(struct vtl_run *run);
/* Ends the run with an error; always false. */
bool vtl_run_fail(struct vtl_run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Work beyond the step that the call itself is; what is left of the run's steps. */
void vtl_run_charge(struct vtl_run *run, int64_t steps);
int64_t vtl_run_left(const struct vtl_run *run);
/* What the parser made of the call's literal argument (see ast.h), or NULL. */
const void *vtl_run_prepared(const struct vtl_run *run);
