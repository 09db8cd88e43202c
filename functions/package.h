/* Function packages on disk, by the SHA-256 of their zip (hex):
 *
 *   packages/HEX.zip   as uploaded; durable before an operation answers
 *   code/HEX/          unpacked, read-only; made again from the zip when it is missing
 *
 * Both appear by rename, so what has its name is whole: kill -9 leaves at most a file below
 * incoming/, which the next start removes. After a crash of the machine (another boot id) the
 * unpacked trees are not believed and made anew. Blocking: job threads only. */
#pragma once

#include "core/env.h"
#include "core/str.h"
#include "core/zip.h"

enum { PACKAGE_HEX = 64 };

struct package {
    char hex[PACKAGE_HEX + 1];
    struct str sha256_base64; /* in the arena */
    int64_t zip_bytes, unpacked_bytes;
};

/* "Unzipped size must be smaller than 262144000 bytes" */
enum { PACKAGE_MAX_UNZIPPED = 262144000, PACKAGE_MAX_ZIPPED = 52428800 };

/* Makes the folders, removes what a crash left. */
bool packages_open(const char *folder, struct arena *arena, struct str *why);
/* Checks, stores and unpacks. On ZIP_NO_ROOM errno says more. */
enum zip_verdict package_store(const char *folder, const struct env *env, struct str zip, struct arena *arena,
                               struct package *out, struct str *why);
/* The unpacked folder's path, unpacking when needed; NULL: *why. */
const char *package_unpacked(const char *folder, const struct env *env, const char *hex, struct arena *arena,
                             struct str *why);
struct str package_zip_path(const char *folder, const char *hex, struct arena *arena);
void package_remove(const char *folder, const char *hex);
/* Removes the packages for which `keep` says false: what was stored when the process died before the
 * row that names it was committed, or deleted before its files were. */
void packages_sweep(const char *folder, bool (*keep)(void *ctx, struct str hex), void *ctx);
/* Removes a folder and all below it. */
void remove_tree(const char *path);
