/* The objects of a JSON file one by one, as text, in memory that does not grow with the file: lines of JSON, an array, or
 * an array that is a member of the top object. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "core/arena.h"
#include "core/str.h"

struct json_stream {
    FILE *file;
    const char *member; /* "users": of the top object; NULL: the file is the objects themselves, or an array of them */
    /* private */
    long long line;
    int begun; /* 0: not yet, 1: inside an array, 2: objects one after another, 3: over */
};
enum json_item { JSON_ITEM, JSON_ITEM_TOO_LONG, JSON_END, JSON_BROKEN };
/* *text lives in the arena; *line: where it begins. JSON_BROKEN: the file is no JSON of that form. */
enum json_item json_stream_next(struct json_stream *stream, struct arena *arena, struct str *text, long long *line);
