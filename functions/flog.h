/* What functions print: one log a function, kept as files below the data folder.
 *
 * Lines are collected in memory and written every 200 ms; a file that reaches 4 MiB becomes
 * NAME.log.1 and the older one goes. A flood is cut at 1 MiB a second, with a line that says so. */
#pragma once

#include "core/loop.h"
#include "core/str.h"

struct flog;

/* All but flog_read on the functions loop. */
struct flog *flog_new(struct loop *loop, const char *folder, struct str account, struct str region, struct str name);
void flog_free(struct flog *log); /* writes what is left */
void flog_write(struct flog *log, struct str text);
/* The newest bytes, at most `max_bytes`, from a line's beginning; absent: nothing was printed yet. */
struct str flog_read(const char *folder, struct str account, struct str region, struct str name, size_t max_bytes,
                     struct arena *arena);
