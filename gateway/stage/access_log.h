/* The stage's access log: one line a request, in its own format. */
#pragma once

#include "gateway/request.h"

void access_log_write(struct gw_request *r, int64_t us);
