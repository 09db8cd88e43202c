#include "core/glob.h"

struct signs {
    char star, one;
    bool nocase;
};

static bool match(struct str pattern, struct str text, struct signs signs);

bool glob_match(struct str pattern, struct str text)
{
    return match(pattern, text, (struct signs){ '*', '?', false });
}

bool glob_match_nocase(struct str pattern, struct str text)
{
    return match(pattern, text, (struct signs){ '*', '?', true });
}

bool glob_match_marked(struct str pattern, struct str text)
{
    return match(pattern, text, (struct signs){ GLOB_STAR, GLOB_ONE, false });
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Does the run stand at the front of the text, which is at least as long? */
static inline bool stands(struct str run, const char *text, struct signs signs)
{
    for (size_t i = 0; i < run.len; i++)
        if (run.ptr[i] != text[i] && run.ptr[i] != signs.one &&
            !(signs.nocase && fold(run.ptr[i]) == fold(text[i])))
            return false;
    return true;
}

/* The text behind the run's first place in it; absent: it is not there. */
static struct str after(struct str run, struct str text, struct signs signs)
{
    if (run.len > text.len)
        return STR_NONE;
    if (!signs.nocase && !memchr(run.ptr, signs.one, run.len)) {
        const char *at = memmem(text.ptr, text.len, run.ptr, run.len); /* two-way search: linear */
        return at ? str_from(text, (size_t)(at - text.ptr) + run.len) : STR_NONE;
    }
    for (size_t i = 0; i + run.len <= text.len; i++)
        if (stands(run, text.ptr + i, signs))
            return str_from(text, i + run.len);
    return STR_NONE;
}

/* The run before the first star stands at the front and the one behind the last star at the end; each of the
 * others is looked for once, behind the one before: its first place is as good as any later. */
static bool match(struct str pattern, struct str text, struct signs signs)
{
    ptrdiff_t first = str_find(pattern, signs.star);
    if (first < 0)
        return pattern.len == text.len && stands(pattern, text.ptr, signs);
    ptrdiff_t last = str_find_last(pattern, signs.star);
    struct str head = str_sub(pattern, 0, (size_t)first), tail = str_from(pattern, (size_t)last + 1);
    if (head.len + tail.len > text.len || !stands(head, text.ptr, signs) ||
        !stands(tail, text.ptr + text.len - tail.len, signs))
        return false;
    struct str rest = str_sub(text, head.len, text.len - head.len - tail.len);
    struct str runs = str_sub(pattern, (size_t)first, (size_t)(last - first)), run;
    while (str_split(&runs, signs.star, &run)) {
        if (run.len == 0)
            continue;
        rest = after(run, rest, signs);
        if (!rest.ptr)
            return false;
    }
    return true;
}
