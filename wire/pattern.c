#include "wire/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <pthread.h>

#include "core/map.h"

enum { MATCH_LIMIT = 200000, DEPTH_LIMIT = 5000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *compiled; /* pattern -> pcre2_code *, for the life of the process */
static pcre2_match_context *limits;

/* \w and \d are ASCII as in Java, \p{L} knows Unicode, \u00ff is a character. */
static pcre2_code *compile(const char *pattern)
{
    int error;
    size_t offset;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_ALT_BSUX | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY,
                      &error, &offset, NULL);
    return code;
}

bool pattern_is_valid(const char *pattern)
{
    pcre2_code *code = compile(pattern);
    pcre2_code_free(code);
    return code != NULL;
}

static const pcre2_code *code_of(const char *pattern)
{
    pthread_mutex_lock(&lock);
    if (!compiled) {
        compiled = map_new();
        limits = pcre2_match_context_create(NULL);
        pcre2_set_match_limit(limits, MATCH_LIMIT);
        pcre2_set_depth_limit(limits, DEPTH_LIMIT);
    }
    pcre2_code *code = map_get(compiled, str_of(pattern));
    if (!code) {
        code = compile(pattern);
        if (code)
            map_set(compiled, str_of(pattern), code);
    }
    pthread_mutex_unlock(&lock);
    return code;
}

bool pattern_matches(const char *pattern, struct str text)
{
    const pcre2_code *code = code_of(pattern);
    if (!code)
        return false;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int result = pcre2_match(code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, 0, 0, data, limits);
    pcre2_match_data_free(data);
    return result >= 0;
}
