/* An import job's file, line by line, in memory that does not grow with it. */
#pragma once

#include "core/db.h"

struct import_source;

/* From that byte of the file. NULL: *err. Caller frees with import_source_close. */
struct import_source *import_source_open(struct db *db, struct str job, struct str upload, int64_t at);
void import_source_close(struct import_source *source);

enum import_read {
    IMPORT_LINE,     /* *line: without its end; lives in the arena */
    IMPORT_TOO_LONG, /* passed over */
    IMPORT_END,
    IMPORT_BROKEN, /* the database does not answer, or a piece is damaged */
};
enum import_read import_source_line(struct import_source *source, struct arena *arena, struct str *line);
int64_t import_source_at(const struct import_source *source); /* bytes passed */
