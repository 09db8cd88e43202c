#include "identity/users/import_source.h"

#include <stdlib.h>

#include "core/base64.h"
#include "identity/store/user_import.h"
#include "identity/users/csv.h"

enum { LONGEST_LINE = CSV_LONGEST_LINE * 4 /* bytes of UTF-8 */, ROOM = IMPORT_PIECE_BYTES + LONGEST_LINE + 16 };

struct import_source {
    struct db *db;
    struct arena *arena;   /* of the names */
    struct arena *scratch; /* of one piece */
    struct str job, upload;
    int64_t at;         /* in the file: of bytes[from] */
    int64_t next_piece;
    bool ended;
    size_t skip;        /* of the first piece, to begin in its middle */
    size_t from, len;   /* bytes[from..len) are read and not passed */
    char bytes[ROOM];
};

struct import_source *import_source_open(struct db *db, struct str job, struct str upload, int64_t at)
{
    struct import_source *source = malloc(sizeof *source);
    if (!source)
        abort();
    *source = (struct import_source){ .db = db, .arena = arena_new(256), .scratch = arena_new(3 * IMPORT_PIECE_BYTES),
                                      .at = at - at % IMPORT_PIECE_BYTES, .next_piece = at / IMPORT_PIECE_BYTES,
                                      .skip = (size_t)(at % IMPORT_PIECE_BYTES) };
    source->job = str_copy(source->arena, job);
    source->upload = str_copy(source->arena, upload);
    return source;
}

void import_source_close(struct import_source *source)
{
    arena_free(source->arena);
    arena_free(source->scratch);
    free(source);
}

int64_t import_source_at(const struct import_source *source)
{
    return source->at;
}

static void pass(struct import_source *source, size_t n)
{
    source->from += n;
    source->at += (int64_t)n;
}

/* Another piece behind what is left. */
static bool fill(struct import_source *source)
{
    struct str text, piece;
    arena_reset(source->scratch);
    if (store_import_piece(source->db, source->scratch, source->job, source->upload, source->next_piece, &text))
        return false;
    if (!text.ptr) {
        source->ended = true;
        return true;
    }
    memmove(source->bytes, source->bytes + source->from, source->len - source->from);
    source->len -= source->from;
    source->from = 0;
    if (!base64_decode(source->scratch, text, &piece) || source->len + piece.len > ROOM)
        return false;
    memcpy(source->bytes + source->len, piece.ptr, piece.len);
    source->len += piece.len;
    source->next_piece++;
    if (source->skip > source->len)
        return false;
    pass(source, source->skip);
    source->skip = 0;
    return true;
}

static bool is_too_long(struct str line)
{
    size_t chars = 0;
    for (size_t i = 0; i < line.len; i++)
        chars += ((unsigned char)line.ptr[i] & 0xc0) != 0x80;
    return chars > CSV_LONGEST_LINE;
}

enum import_read import_source_line(struct import_source *source, struct arena *arena, struct str *line)
{
    bool too_long = false;
    for (;;) {
        struct str rest = { source->bytes + source->from, source->len - source->from };
        ptrdiff_t end = str_find(rest, '\n');
        if (end < 0 && !source->ended) {
            if (rest.len > LONGEST_LINE) { /* whatever it is, it is no row */
                too_long = true;
                pass(source, rest.len);
            }
            if (!fill(source))
                return IMPORT_BROKEN;
            continue;
        }
        if (end < 0 && !rest.len && !too_long)
            return IMPORT_END;
        *line = str_sub(rest, 0, end < 0 ? rest.len : (size_t)end);
        pass(source, line->len + (end >= 0));
        if (line->len && line->ptr[line->len - 1] == '\r')
            line->len--;
        if (too_long || is_too_long(*line))
            return IMPORT_TOO_LONG;
        *line = str_copy(arena, *line);
        return IMPORT_LINE;
    }
}
