/* The file of an import job: lines, fields, and which column is what. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

enum { CSV_MOST_COLUMNS = 80, CSV_LONGEST_LINE = 16000 /* characters: "row <= 16,000 chars" */ };

/* Splits at commas; "\," is a comma in a value; nothing is quoted. The number of fields, CSV_MOST_COLUMNS + 1 when there
 * are more. Fields without escapes are views into the line. */
size_t csv_split(struct arena *arena, struct str line, struct str out[CSV_MOST_COLUMNS]);

/* Where each wanted column stands in the file. False: *why (missing, unknown, twice, no UTF-8). "Every column must
 * exist, the order is free"; optional ones may be missing: -1. */
struct csv_column {
    struct str name;
    bool optional;
    int at;
};
bool csv_header(struct arena *arena, struct str line, struct csv_column *columns, size_t n, struct str *why);

/* "mm/dd/yyyy" */
bool csv_is_date(struct str text);
bool csv_is_utf8(struct str text); /* and has no NUL */
