#include "core/glob.h"

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* On a mismatch only the last star is tried again, one character further: what an earlier star
 * took cannot matter once a later one has been reached. So there is no exponential pattern. */
static inline bool match(struct str pattern, struct str text, char star, char one, bool nocase)
{
    size_t p = 0, t = 0, after_star = 0, retry = 0;
    bool starred = false;
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == star) {
            starred = true;
            after_star = ++p;
            retry = t;
            if (p == pattern.len)
                return true;
        } else if (p < pattern.len &&
                   (pattern.ptr[p] == one || pattern.ptr[p] == text.ptr[t] ||
                    (nocase && fold(pattern.ptr[p]) == fold(text.ptr[t])))) {
            p++;
            t++;
        } else if (starred) {
            p = after_star;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == star)
        p++;
    return p == pattern.len;
}

bool glob_match(struct str pattern, struct str text)
{
    return match(pattern, text, '*', '?', false);
}

bool glob_match_nocase(struct str pattern, struct str text)
{
    return match(pattern, text, '*', '?', true);
}

bool glob_match_marked(struct str pattern, struct str text)
{
    return match(pattern, text, GLOB_STAR, GLOB_ONE, false);
}
