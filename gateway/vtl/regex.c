#include "gateway/vtl/regex.h"

/* Backtracking stops here: a hostile pattern costs milliseconds, then matches nothing. */
#define MATCH_LIMIT 200000

static void free_code(void *code)
{
    pcre2_code_free(code);
}

pcre2_code *regex_compile(struct arena *arena, struct str pattern)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.ptr ? pattern.ptr : ""), pattern.len,
                                     PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &error, &offset, NULL);
    if (code)
        arena_defer(arena, free_code, code);
    return code;
}

static int match(const pcre2_code *code, struct str text, size_t from, uint32_t options,
                 size_t ovector[2 * REGEX_GROUPS])
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(REGEX_GROUPS, NULL);
    int found = -1;
    if (limits && data) {
        pcre2_set_match_limit(limits, MATCH_LIMIT);
        found = pcre2_match(code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, from, options, data, limits);
        if (found == 0)
            found = REGEX_GROUPS;
        if (found > 0 && ovector)
            memcpy(ovector, pcre2_get_ovector_pointer(data), (size_t)found * 2 * sizeof(size_t));
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return found > 0 ? found : 0;
}

bool regex_matches_whole(const pcre2_code *code, struct str text)
{
    return match(code, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, NULL) > 0;
}

int regex_find(const pcre2_code *code, struct str text, size_t from, size_t ovector[2 * REGEX_GROUPS])
{
    return match(code, text, from, 0, ovector);
}
