#include "admin/json_stream.h"

#include <string.h>

enum { MOST_ITEM = 1024 * 1024 };

static int next_char(struct json_stream *s)
{
    int c = getc(s->file);
    s->line += c == '\n';
    return c;
}

static int skip_space(struct json_stream *s)
{
    int c;
    do
        c = next_char(s);
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n');
    return c;
}

/* The rest of a string whose quote has been read; *same: it is `name`. */
static bool pass_string(struct json_stream *s, const char *name, bool *same)
{
    size_t at = 0;
    int c;
    bool fits = name != NULL;
    while ((c = next_char(s)) != EOF && c != '"') {
        fits = fits && name[at] && name[at] == c;
        at += fits;
        if (c == '\\' && next_char(s) == EOF)
            return false;
    }
    if (same)
        *same = fits && !name[at];
    return c == '"';
}

/* Into the array that is the member: everything before it is passed over. */
static bool enter_member(struct json_stream *s)
{
    int depth = 1, c;
    bool found = false;
    while (depth > 0 && (c = skip_space(s)) != EOF) {
        if (c == '"') {
            if (!pass_string(s, s->member, &found))
                return false;
            if (!found || depth != 1)
                continue;
            c = skip_space(s);
            if (c == ':')
                return skip_space(s) == '[';
            ungetc(c, s->file);
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
    }
    return false;
}

static bool begin(struct json_stream *s)
{
    int c = skip_space(s);
    s->line += s->line == 0;
    if (c == '[') {
        s->begun = 1;
        return true;
    }
    if (c == EOF) {
        s->begun = 3;
        return true;
    }
    if (c != '{')
        return false;
    if (s->member) {
        s->begun = 1;
        return enter_member(s);
    }
    ungetc(c, s->file);
    s->begun = 2;
    return true;
}

/* From '{' to its '}'. Too long: passed over to its end. */
static enum json_item read_object(struct json_stream *s, struct strbuf *buf)
{
    int depth = 1, c;
    bool quoted = false, kept = true;
    strbuf_char(buf, '{');
    while (depth > 0 && (c = next_char(s)) != EOF) {
        kept = kept && buf->len < MOST_ITEM;
        if (kept)
            strbuf_char(buf, (char)c);
        if (quoted && c == '\\') {
            if ((c = next_char(s)) != EOF && kept)
                strbuf_char(buf, (char)c);
        } else if (c == '"') {
            quoted = !quoted;
        } else if (!quoted) {
            depth += c == '{' || c == '[';
            depth -= c == '}' || c == ']';
        }
    }
    return depth > 0 ? JSON_BROKEN : kept ? JSON_ITEM : JSON_ITEM_TOO_LONG;
}

enum json_item json_stream_next(struct json_stream *s, struct arena *arena, struct str *text, long long *line)
{
    if (!s->begun && !begin(s))
        return JSON_BROKEN;
    if (s->begun == 3)
        return JSON_END;
    int c = skip_space(s);
    if (c == ',' && s->begun == 1)
        c = skip_space(s);
    if ((c == ']' && s->begun == 1) || (c == EOF && s->begun == 2)) {
        s->begun = 3;
        return JSON_END;
    }
    if (c != '{')
        return JSON_BROKEN;
    *line = s->line;
    struct strbuf buf = strbuf_in(arena, 4096);
    enum json_item item = read_object(s, &buf);
    *text = strbuf_view(&buf);
    return item;
}
