/* How a line of a chain and a folder of them look (core/chain.h); for those who write, verify and search. */
#pragma once

#include "core/chain.h"

struct chain_line {
    int64_t sequence;
    struct str previous;  /* 64 hex digits */
    struct str body;      /* what follows them, with the closing brace: `"eventVersion":…}` */
    bool checkpoint;
};
/* False: it does not begin (or end) as a line of ours. Views into `text`. */
bool chain_line_parse(struct str text, struct chain_line *out);
void chain_hash(struct str text, uint8_t out[SHA256_BYTES]);
void chain_hash_text(const uint8_t hash[SHA256_BYTES], char out[CHAIN_HASH_TEXT + 1]);

struct chain_checkpoint {
    struct str at, reason, key_id, first_previous;
    int64_t first, every, healed_bytes, lost;
    struct str signed_part, signature; /* the bytes it covers; 64 bytes */
};
/* False: no checkpoint of ours. Views into the arena. The signature is not looked at. */
bool chain_checkpoint_parse(struct arena *arena, struct str text, struct chain_checkpoint *out);

struct chain_segment {
    struct str name, path;
    int64_t first; /* as its name says */
    int64_t bytes;
};
/* In order. False: the folder cannot be read, *why. */
bool chain_segments(struct arena *arena, const char *folder, struct chain_segment **out, size_t *n, struct str *why);
/* A file's bytes, until the arena is freed; read, not mapped: who shortens it meanwhile must not end the process.
 * False: *why. */
bool chain_read(struct arena *arena, const char *path, struct str *out, struct str *why);
struct str chain_path(struct arena *arena, const char *folder, const char *name);
