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

#define LONGEST 65536 /* of a text whose places fit on the stack, a bit each */

static bool bit(const uint64_t *bits, size_t at)
{
    return bits[at / 64] >> at % 64 & 1;
}

static void set_bit(uint64_t *bits, size_t at)
{
    bits[at / 64] |= 1ull << at % 64;
}

/* Up to 64 signs of a run: where they begin in the text was told, where they end is asked. All places at once: bit i
 * of `open` says that the first i + 1 signs stand right before this place. */
static void advance(struct str piece, struct str text, struct signs signs, const uint64_t *begins, uint64_t *ends)
{
    uint64_t stands_for[256] = { 0 }, everything = 0, open = 0;
    for (size_t i = 0; i < piece.len; i++) {
        unsigned char c = (unsigned char)piece.ptr[i];
        if (piece.ptr[i] == signs.one)
            everything |= 1ull << i;
        stands_for[c] |= 1ull << i;
        if (signs.nocase && fold((char)c) >= 'a' && fold((char)c) <= 'z')
            stands_for[c ^ 0x20] |= 1ull << i;
    }
    memset(ends, 0, (text.len / 64 + 1) * sizeof *ends);
    for (size_t t = 0; t < text.len; t++) {
        open = (open << 1 | bit(begins, t)) & (stands_for[(unsigned char)text.ptr[t]] | everything);
        if (open >> (piece.len - 1) & 1)
            set_bit(ends, t + 1);
    }
}

static struct str after_long(struct str run, struct str text, struct signs signs)
{
    uint64_t places[2][LONGEST / 64 + 1];
    size_t now = 0, words = text.len / 64 + 1;
    memset(places[now], 0xff, words * sizeof places[now][0]);
    for (size_t at = 0; at < run.len; at += 64, now = !now)
        advance(str_sub(run, at, 64), text, signs, places[now], places[!now]);
    for (size_t at = run.len; at <= text.len; at++)
        if (bit(places[now], at))
            return str_from(text, at);
    return STR_NONE;
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
    if (run.len * text.len > 2048 && text.len <= LONGEST)
        return after_long(run, text, signs);
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
