/* Finds a statement in the text of its document. The text has been parsed before: it is JSON. */
#include "policy/document.h"

/* The end of a string that begins at `at`, which is a quote. */
static size_t after_string(struct str text, size_t at)
{
    for (at++; at < text.len; at++) {
        const char *quote = memchr(text.ptr + at, '"', text.len - at);
        if (!quote)
            return text.len + 1;
        const char *escape = memchr(text.ptr + at, '\\', (size_t)(quote - (text.ptr + at)));
        if (!escape)
            return (size_t)(quote - text.ptr) + 1;
        at = (size_t)(escape - text.ptr) + 1; /* what it escapes */
    }
    return at + 1;
}

/* The closing bracket of what opens at `at`. */
static size_t closing(struct str text, size_t at)
{
    size_t depth = 0;
    while (at < text.len) {
        char c = text.ptr[at];
        if (c == '"') {
            at = after_string(text, at);
            continue;
        }
        depth += c == '{' || c == '[';
        if ((c == '}' || c == ']') && --depth == 0)
            return at;
        at++;
    }
    return text.len;
}

/* Where the value of "Statement" begins: a member of the outermost object. */
static size_t statement_value(struct str text)
{
    size_t at = (size_t)(str_find(text, '{') + 1);
    while (at < text.len) {
        if (text.ptr[at] == '"') {
            size_t end = after_string(text, at);
            bool here = str_is(str_sub(text, at, end - at), "\"Statement\"");
            for (at = end; here && at < text.len; at++)
                if (text.ptr[at] == '{' || text.ptr[at] == '[')
                    return at;
        } else if (text.ptr[at] == '{' || text.ptr[at] == '[') {
            at = closing(text, at) + 1;
        } else {
            at++;
        }
    }
    return text.len;
}

/* AWS's columns are two more than the offset in the line (recorded: 39 is column 41). */
static struct policy_position position(struct str text, size_t at)
{
    struct policy_position out = { .line = 1 };
    size_t begin = 0;
    for (size_t i = 0; i < at; i++)
        if (text.ptr[i] == '\n') {
            out.line++;
            begin = i + 1;
        }
    out.column = (int64_t)(at - begin) + 2;
    return out;
}

bool policy_locate(struct str document, int statement, struct policy_position *start, struct policy_position *end)
{
    size_t at = statement_value(document);
    if (at < document.len && document.ptr[at] == '[') {
        size_t last = closing(document, at++);
        for (; at < last; at++) {
            if (document.ptr[at] != '{')
                continue;
            if (statement-- == 0)
                break;
            at = closing(document, at);
        }
        if (at >= last)
            return false;
    }
    if (at >= document.len || document.ptr[at] != '{')
        return false;
    *start = position(document, at);
    *end = position(document, closing(document, at));
    return true;
}

void policy_places(struct str text, struct policy_position *places, size_t n)
{
    size_t at = statement_value(text), begin = 0, seen = 0;
    struct policy_position here = { .line = 1 };
    for (size_t i = 0; i < n; i++)
        places[i] = (struct policy_position){ 0 };
    if (at < text.len && text.ptr[at] == '[')
        at++;
    for (size_t i = 0; i < n; i++) {
        while (at < text.len && text.ptr[at] != '{')
            at++;
        if (at >= text.len)
            return;
        for (; seen < at; seen++)
            if (text.ptr[seen] == '\n') {
                here.line++;
                begin = seen + 1;
            }
        here.column = (int64_t)(at - begin) + 1;
        places[i] = here;
        at = closing(text, at) + 1;
    }
}
