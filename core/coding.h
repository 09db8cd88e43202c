/* Content codings of HTTP: gzip and deflate, by zlib. */
#pragma once

#include <stdint.h>

#include "core/arena.h"
#include "core/str.h"

enum coding { CODING_IDENTITY, CODING_GZIP, CODING_DEFLATE, CODING_UNKNOWN };

const char *coding_name(enum coding coding); /* "gzip" */
/* A Content-Encoding: one coding; two, or another one, are UNKNOWN; empty is IDENTITY. */
enum coding coding_of(struct str content_encoding);
/* What an Accept-Encoding wants most, if that is gzip or deflate, and IDENTITY otherwise: "The highest-priority
 * content encoding must be one supported by API Gateway. If it is not, compression is not applied to the response
 * payload." "*" alone, or no header, is no wish. */
enum coding coding_wanted(struct str accept_encoding);

struct deflater;
/* Piece by piece. Its memory goes with the arena. */
struct deflater *deflater_new(struct arena *arena, enum coding coding);
/* Gives what is ready to `out`, in views valid in the call only; last: the end. */
void deflater_add(struct deflater *deflater, struct str piece, bool last, void (*out)(void *ctx, struct str bytes),
                  void *ctx);
struct str deflate_whole(struct arena *arena, enum coding coding, struct str bytes);

/* TOO_LARGE: more than max_bytes would come out; no more than that is ever held. */
enum inflated { INFLATED, INFLATE_BROKEN, INFLATE_TOO_LARGE };
enum inflated inflate_whole(struct arena *arena, enum coding coding, struct str bytes, size_t max_bytes,
                            struct str *out);
