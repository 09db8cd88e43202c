/* Options beyond AWS of a stage (core/option.h). They are compiled into the snapshot like every other setting
 * of the stage: live as soon as they are set. A new one is a row in gateway/options.c, which says what it does,
 * and a reader where the data plane compiles it:
 *
 *     int64_t window_s = option_count(c->settings, "watchWindowSeconds", 0);                          */
#pragma once

#include "core/option.h"

extern const struct option_table gw_options;
