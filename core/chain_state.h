/* What a chain holds in memory; for core/chain*.c only. */
#pragma once

#include <pthread.h>

#include "core/chain_line.h"

enum { CHAIN_PENDING_BYTES = 8 << 20 };

struct chain {
    struct chain_config config;
    char *folder;
    struct ed25519 *key;
    char key_id[17];
    int lock_fd;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t durable_changed, wanted;
    pthread_t ticker;
    bool ticking, closing;
    bool sweep; /* a file was ended: is there one too many? */

    /* what was appended */
    int64_t sequence;
    uint8_t hash[SHA256_BYTES];
    char *pending, *spare; /* lines not on disk yet; the other one of two buffers */
    size_t pending_len, pending_cap, spare_cap;
    size_t in_flight; /* bytes being written */
    /* what is on disk */
    struct chain_head durable;
    bool flushing;
    int error; /* of the last try; 0: it went well */
    int fd;
    char name[32]; /* of the file */
    int64_t offset, segment_first_us, segment_first;
    /* checkpoints */
    int64_t since_checkpoint, checkpoint_at_us; /* lines, monotonic */
    int64_t first;                              /* the oldest line that is kept, and the hash before it */
    char first_previous[CHAIN_HASH_TEXT + 1];
    int64_t healed_bytes;
    bool begun; /* the checkpoint of this start is written */
    uint64_t lost_told;
    struct chain_figures figures;
};

/* Where the folder left off: fills in sequence, hash, file and offset, cuts off what is torn. */
bool chain_resume(struct chain *chain, struct arena *arena, struct str *why);
bool chain_keys_open(struct chain *chain, struct arena *arena, struct str *why);
/* With the mutex held. */
void chain_add_checkpoint(struct chain *chain, const char *reason);
bool chain_flush(struct chain *chain); /* what is pending, to disk; lets the mutex go meanwhile */
/* Drops files that are too old; the mutex is not held. */
void chain_sweep(struct chain *chain);
/* A file written whole, or not at all. */
bool chain_write_file(const char *path, struct str text);
