/* Is a chain (core/chain.h) as it was written? Reads its folder only: nothing of the writer's memory is needed. */
#pragma once

#include "core/chain.h"

enum chain_fault {
    CHAIN_WHOLE,
    CHAIN_CHANGED,    /* a line's bytes are not those that the next one follows */
    CHAIN_REMOVED,    /* lines are not there */
    CHAIN_INSERTED,   /* a number occurs twice */
    CHAIN_REORDERED,  /* lines have changed places */
    CHAIN_TRUNCATED,  /* the end is not there, or the last line is not whole */
    CHAIN_NO_SEGMENT, /* a file is missing */
    CHAIN_FORGED,     /* a checkpoint's signature does not fit */
    CHAIN_UNSIGNED,   /* more lines than the writer lets be without a checkpoint */
    CHAIN_NO_LINE,    /* bytes that are no line of ours */
};
const char *chain_fault_name(enum chain_fault fault); /* "changed" */

struct chain_expectation {
    const char *folder;
    struct str keys;              /* PEM texts of all keys that may have signed; absent: public-key.pem of the folder */
    int64_t from, to;             /* sequence numbers; 0: all. Begins with the file that has `from` */
    bool running;                 /* somebody is writing: the end is on its way, not torn */
    const struct chain_head *head; /* what the end must be, when that is known; or NULL */
};

struct chain_report {
    enum chain_fault fault;
    struct str file;   /* of the first broken line */
    int64_t line;      /* in it, from 1 */
    int64_t sequence;  /* which one it is, or should be */
    struct str text;   /* a sentence */
    int64_t checked, checkpoints; /* lines that are as they were written, checkpoints among them */
    int64_t first, last;
    int64_t after_checkpoint; /* lines behind the newest checkpoint: chained, not signed yet */
    int64_t lost;             /* as the checkpoints say: lines that the disk did not take */
};

/* False: it cannot be looked at (no folder, no key), *why. Otherwise the report says what there is. */
bool chain_verify(struct arena *arena, const struct chain_expectation *expected, struct chain_report *report, struct str *why);
/* Does another process hold the folder's lock? Never for the writer's own process: closing the file would let go of it. */
bool chain_is_written(struct arena *arena, const char *folder);
