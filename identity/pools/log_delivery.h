/* Events of a pool that go to somebody's log: SetLogDeliveryConfiguration says which.
 *
 * On AWS an entry names a CloudWatch log group. Here the events are lines of the server's own log, one JSON object a
 * line, with the group's ARN in it, so that whatever collects the log can sort them. S3 and Firehose, which are
 * not on this machine, are refused by name. */
#pragma once

#include "identity/pools/pool.h"

#define LOG_USER_NOTIFICATION "userNotification" /* a message could not be delivered; level ERROR */
#define LOG_USER_AUTH_EVENTS  "userAuthEvents"   /* what threat protection saw; level INFO, tier PLUS */

/* Is anybody to hear of it? Saves building the event. One read of the database. */
bool log_delivery_wants(struct call *call, const struct pool *pool, const char *source);
/* Writes the event, if log_delivery_wants it. `event`: an object without secrets and codes. Never fails; job threads. */
void log_delivery_event(struct call *call, const struct pool *pool, const char *source, const json_t *event);
