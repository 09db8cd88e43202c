/* Reading zip archives from strangers (libzip): unpacks below a folder and nowhere else.
 *
 * Refused: absolute names, "..", names of other systems (backslash, NUL, drive), symbolic links
 * and everything else that is neither file nor folder, two entries of one name, encryption,
 * wrong checksums. Sizes are counted while inflating; what the archive claims is not believed. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

enum zip_verdict {
    ZIP_FINE,
    ZIP_BROKEN,     /* no zip, cut short, wrong checksum, encrypted */
    ZIP_EMPTY,      /* a zip without a file */
    ZIP_UNSAFE,     /* a name or a kind of entry that is refused */
    ZIP_TOO_LARGE,  /* more bytes or entries than the limits say */
    ZIP_NO_ROOM,    /* the disk refuses; errno is set */
};

struct zip_limits {
    int64_t max_bytes;  /* of all files together */
    int64_t max_entries;
};

/* Unpacks into the folder `root` (an open descriptor; the folder should be empty and ours).
 * Files become readable for everyone, executable when the archive says so; no other mode bit
 * is taken over. `why` (in the arena, may be NULL) names the entry at fault. What was written
 * before a refusal stays: the caller removes the folder. */
enum zip_verdict zip_unpack(struct str bytes, int root, const struct zip_limits *limits,
                            struct arena *arena, struct str *why);
/* The same verdict without writing. *unpacked_bytes (may be NULL): of all files together. */
enum zip_verdict zip_check(struct str bytes, const struct zip_limits *limits, struct arena *arena,
                           struct str *why, int64_t *unpacked_bytes);
/* A relative name that stays below its root: no empty, "." or ".." part, no leading '/',
 * no backslash, no control character. A folder's trailing '/' is allowed. */
bool zip_name_is_safe(struct str name);
