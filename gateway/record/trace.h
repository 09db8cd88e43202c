/* What a request did: compact while it runs, JSON only when somebody asks.
 *
 * Steps note what they decided and why; the runner adds what each cost. A finished record is
 * copied into its loop's ring (under a flag that only a rare reader contends for). */
#pragma once

#include <stdatomic.h>

#include "core/env.h"
#include "core/str.h"

#define TRACE_STEPS  16
#define TRACE_NOTES  24
#define TRACE_TEXT   1024
#define TRACE_ID     16
#define TRACE_RING   1024

struct trace_step {
    const char *name;
    uint32_t us;
    bool failed;
};

struct trace_note {
    const char *what;       /* static: "policy", "token" */
    uint16_t at, len;       /* of the detail, in text */
    uint8_t step;
};

struct trace {
    char id[TRACE_ID];
    int64_t wall_us;
    uint32_t total_us, integration_us;
    int status;
    uint8_t n_steps, n_notes;
    bool reopened;          /* the last step waits: what is noted belongs to it */
    uint16_t text_used;
    uint16_t method_len, api_len, stage_len, path_len, request_id_len; /* first in text, in this order */
    struct trace_step steps[TRACE_STEPS];
    struct trace_note notes[TRACE_NOTES];
    char text[TRACE_TEXT];
};

struct trace_ring {
    atomic_flag busy;       /* held for one record's copy: by the loop, or by a reader */
    struct trace *records;  /* TRACE_RING of them; memory is touched as it fills */
    size_t next;
};

bool trace_ring_init(struct trace_ring *ring);
void trace_ring_free(struct trace_ring *ring);
void trace_begin(struct trace *trace, int64_t wall_us, const uint8_t random[8]);
/* What the request was, so that a record reads by itself; call once, before any note. */
void trace_name(struct trace *trace, struct str method, struct str api, struct str stage, struct str path,
                struct str request_id);
/* `what` must be static; the detail is copied, cut when the record is full. */
void trace_note(struct trace *trace, const char *what, struct str detail);
void trace_step(struct trace *trace, const char *name, int64_t us, bool failed, bool waits);
void trace_keep(struct trace_ring *ring, const struct trace *trace);
/* By trace id or request id; absent when forgotten. */
struct str trace_find(struct trace_ring *rings, size_t n, size_t stride, struct arena *arena, struct str id);
