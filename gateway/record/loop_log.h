/* Log lines of a loop on their way out: gathered in its buffer, written many at a time, at most
 * 100 ms later. What a client sends cannot break a line: text is escaped as inside of a JSON string. */
#pragma once

#include "gateway/state.h"

/* Room for one more line (16 KiB; the rest of a longer one is cut), and the members that every line
 * has: {"time":…,"level":…,"msg":…,"api":…,"stage":…,"request_id":… – `level` and `msg` need no escapes. */
struct gw_request;
void loop_log_begin(struct gw_request *r, const char *level, const char *msg);
void loop_log_add(struct gw_loop *home, struct str text);                            /* as it is */
void loop_log_escaped(struct gw_loop *home, struct arena *arena, struct str text);
void loop_log_number(struct gw_loop *home, int64_t value);                           /* not negative */
void loop_log_end(struct gw_loop *home);                                             /* closes string and line */
void loop_log_flush(struct gw_loop *home);
