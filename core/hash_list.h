/* A sorted list of SHA-1 digests on disk, too large to load: searched where it lies, some 30 reads a question.
 *
 * Two forms, as lists of leaked passwords are handed out:
 *   a file    a digest a line, 40 hex digits in order, each perhaps with ":count"
 *   a folder  a file for each of the first five digits ("0018A" or "0018A.txt"), lines of the other 35
 * Any case; lines end in LF or CR LF. It is read as it is on disk, so a file that is replaced (renamed) is seen at
 * the next start, and one that is being cut off gives false, not a crash. Any thread. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct hash_list;

enum { SHA1_BYTES = 20 };

/* NULL: *why. */
struct hash_list *hash_list_open(const char *path, struct arena *arena, struct str *why);
void hash_list_free(struct hash_list *list);
bool hash_list_has(const struct hash_list *list, const uint8_t sha1[SHA1_BYTES]);
/* The digest of a password, as such lists have it. */
void sha1_of(struct str text, uint8_t out[SHA1_BYTES]);
