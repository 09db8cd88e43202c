/* Event (asynchronous) invocations: a queue in the database, so that what was accepted with 202
 * survives kill -9. Tried up to three times, as AWS does: again after one minute, then after two;
 * MaximumRetryAttempts and MaximumEventAgeInSeconds of the function are kept. Runs at least once:
 * an event whose answer was not yet recorded when the process died is run again. */
#pragma once

#include "functions/fleet.h"
#include "wire/call.h"

/* Durable when it returns NULL. `id` is the request id that all tries have. */
gh_err events_accept(struct call *call, struct str account, struct str region, struct str name, struct str qualifier,
                     struct str payload, struct str id);
/* The same for what came by core/invoke.h: finishes the run. On the functions loop. */
void events_queue(struct run *run, struct str account, struct str region, struct str name, struct str qualifier);
/* Looks for due events. On the functions loop. */
void events_resume(struct functions *functions);
