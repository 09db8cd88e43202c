/* A log that nobody changes unseen: JSON objects, a line each, appended to files of a folder.
 *
 *     {"sequence":17,"previousHash":"<64 hex digits>", … the object as it was given … }
 *
 * A line's hash is SHA-256 over its bytes without the newline; the next line carries it. Line 1 carries zeros. Now and
 * then a line is a checkpoint of our own, signed with Ed25519: the signature covers the line's bytes before
 * `,"signature"`, and so by previousHash everything before it.
 *
 *     {"sequence":18,"previousHash":"…","checkpoint":{"at":"2026-11-21T03:04:05Z","reason":"records","first":1,
 *      "firstPreviousHash":"0…0","every":1000,"healedBytes":0,"lost":0,"keyId":"…"},"signature":"<base64url>"}
 *
 * In the folder: 000000000001.jsonl (named by its first line; a new one at 64 MiB or a day, closed by a checkpoint), `head`
 * (a copy of the newest checkpoint, so that a shortened log is noticed), `public-key.pem`, `signing-key` (sealed),
 * `lock`. Any thread may append. */
#pragma once

#include "core/digest.h"
#include "core/ed25519.h"
#include "core/seal.h"

#define CHAIN_SUFFIX ".jsonl"
enum { CHAIN_HASH_TEXT = 2 * SHA256_BYTES };

struct chain_config {
    const struct env *env;
    const struct sealer *sealer; /* of the signing key */
    const char *folder;          /* made with mode 0700 when missing */
    int64_t segment_bytes;       /* 0: 64 MiB */
    int64_t checkpoint_records;  /* 0: 1000 */
    int64_t checkpoint_ms;       /* 0: a minute */
    int64_t flush_ms;            /* what nobody waits for is on disk after so long; 0: 500 */
    int64_t keep_s;              /* files whose newest line is older go; 0: none do */
};

struct chain;

/* Opens or begins it. Of a line that a kill tore apart the rest is cut off; nobody has been told that it was there.
 * NULL: *why. */
struct chain *chain_open(const struct chain_config *config, struct arena *arena, struct str *why);
void chain_close(struct chain *chain); /* a checkpoint, and all of it on disk */

/* `object` is one JSON object with at least one member, without newlines. wait: returns when it is on disk; all who wait at
 * a time share one fdatasync. False: it is not there (yet): the disk refuses. What was written is kept in memory up to
 * 8 MiB and goes to the disk, in its order, as soon as that takes it; what does not fit is counted in the next
 * checkpoint ("lost"). Blocks: job threads. */
bool chain_append(struct chain *chain, struct str object, bool wait);
/* Will the disk take more? Asked before something is done that must be in the log. False: *why ("No space left on
 * device"). */
bool chain_ready(struct chain *chain, struct arena *arena, struct str *why);
/* A checkpoint now, after all that was appended, and all of it on disk. */
bool chain_checkpoint(struct chain *chain, const char *reason);

bool chain_sync(struct chain *chain); /* all that was appended is on disk */

struct chain_head {
    int64_t sequence; /* of the newest line on disk; 0: none */
    uint8_t hash[SHA256_BYTES];
};
void chain_head(struct chain *chain, struct chain_head *out);
/* Waits until a line after `sequence` is on disk, timeout_ms at most. */
void chain_await(struct chain *chain, int64_t sequence, int64_t timeout_ms);
struct str chain_public_key(const struct chain *chain, struct arena *arena); /* PEM */

struct chain_figures {
    uint64_t lines, bytes, checkpoints, syncs, failures, lost;
};
void chain_figures(struct chain *chain, struct chain_figures *out);
const char *chain_folder(const struct chain *chain);
