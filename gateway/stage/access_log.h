/* Access log lines, gathered per loop and written in one go at the end of its turn. */
#pragma once

#include "gateway/request.h"

void access_log_write(struct gw_request *r, int64_t us);
void access_log_flush(void *home); /* struct gw_loop * */
