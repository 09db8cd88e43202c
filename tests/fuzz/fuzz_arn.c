/* Patterns come from whoever may write a policy, ARNs from whoever asks. What matches is compared with a matcher
 * that tries every way: of patterns with stars and question marks, and of ARNs part by part. */
#include <stdlib.h>

#include "core/glob.h"
#include "policy/arn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST = 96 };

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* reach[t]: the pattern so far matches the first t bytes of the text. */
static bool every_way(struct str pattern, struct str text, bool nocase)
{
    bool reach[LONGEST + 1] = { true };
    for (size_t p = 0; p < pattern.len; p++) {
        bool next[LONGEST + 1] = { false };
        char c = pattern.ptr[p];
        for (size_t t = 0; t <= text.len; t++) {
            if (c == '*')
                next[t] = reach[t] || (t && next[t - 1]);
            else
                next[t] = t && reach[t - 1] &&
                          (c == '?' || c == text.ptr[t - 1] || (nocase && fold(c) == fold(text.ptr[t - 1])));
        }
        memcpy(reach, next, sizeof reach);
    }
    return reach[text.len];
}

static bool parts_match(struct str pattern, struct str text)
{
    struct arn want, have;
    if (!arn_split(pattern, &want) || !arn_split(text, &have))
        return false;
    for (size_t i = 0; i < ARN_PARTS; i++)
        if (!every_way(want.part[i], have.part[i], false))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = { (const char *)data, size }, pattern, text = all;
    if (!str_split(&text, '\n', &pattern) || pattern.len > LONGEST || text.len > LONGEST)
        return 0;
    if (!text.ptr)
        text = STR("");
    struct arena *arena = arena_new(4096);
    if (glob_match(pattern, text) != every_way(pattern, text, false) ||
        glob_match_nocase(pattern, text) != every_way(pattern, text, true))
        __builtin_trap();

    const struct policy_key keys[] = { { STR("u"), &text, 1 } };
    const struct policy_request request = { .resource = text, .keys = keys, .n_keys = 1 };
    struct arn split;
    arn_split(text, &split);
    struct arn_pattern plain = arn_pattern_compile(arena, pattern, false, false);
    bool matches = arn_pattern_match(arena, &plain, &request, text, &split);
    bool marks = str_find(pattern, GLOB_STAR) >= 0 || str_find(pattern, GLOB_ONE) >= 0; /* no UTF-8: never in a document */
    if (!marks && str_find_str(pattern, STR("${")) < 0 && arn_split(pattern, &(struct arn){ 0 }) &&
        matches != parts_match(pattern, text))
        __builtin_trap();
    struct arn_pattern varied = arn_pattern_compile(arena, pattern, true, false);
    arn_pattern_match(arena, &varied, &request, text, &split);
    varied = arn_pattern_compile(arena, pattern, true, true);
    arn_pattern_match(arena, &varied, &request, text, &split);
    if (!marks && str_find_str(pattern, STR("${")) < 0 && matches != arn_pattern_match(arena, &varied, &request, text, &split))
        __builtin_trap();
    arena_free(arena);
    return 0;
}
