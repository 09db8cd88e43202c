/* Access log lines, gathered per loop and written many at a time, at most 100 ms later. */
#pragma once

#include "gateway/request.h"

void access_log_write(struct gw_request *r, int64_t us);
void access_log_flush(struct gw_loop *home);
