/* What CloudTrail makes of an operation: reads or changes, shows its answer, is an event of data. */
#pragma once

#include "wire/model.h"

struct audit_kind {
    bool left_out;  /* a data event that nobody asked for: Invoke */
    bool data;      /* recorded all the same, as CloudTrail does it: eventCategory Data */
    bool read_only;
    bool answers;   /* responseElements although it reads: STS's keys */
    bool waits;     /* the caller hears nothing before the record is on disk */
};
struct audit_kind audit_kind_of(const struct service *service, const struct operation *operation);

/* The operation's name in a record: Lambda's carry the date of the API ("CreateFunction20150331"). */
struct str audit_event_name(struct arena *arena, const struct service *service, const struct operation *operation);
