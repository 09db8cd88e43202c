#include "core/regex.h"

#include <pthread.h>

/* Backtracking stops here: a hostile pattern costs milliseconds, then matches nothing. */
#define MATCH_LIMIT   200000
#define HEAP_LIMIT_KB (16 * 1024)

/* A thread's own, made once: allocating them costs more than a short match. */
struct matcher {
    pcre2_match_context *limits;
    pcre2_match_data *data;
};
static _Thread_local struct matcher matcher;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_exit;

static void free_matcher(void *ptr)
{
    struct matcher *m = ptr;
    pcre2_match_data_free(m->data);
    pcre2_match_context_free(m->limits);
}

static void make_key(void)
{
    pthread_key_create(&at_exit, free_matcher);
}

static bool have_matcher(void)
{
    if (matcher.data)
        return true;
    pthread_once(&once, make_key);
    matcher.limits = pcre2_match_context_create(NULL);
    matcher.data = pcre2_match_data_create(REGEX_GROUPS, NULL);
    if (!matcher.limits || !matcher.data) {
        free_matcher(&matcher);
        matcher = (struct matcher){ 0 };
        return false;
    }
    pcre2_set_heap_limit(matcher.limits, HEAP_LIMIT_KB);
    pthread_setspecific(at_exit, &matcher);
    return true;
}

static void free_code(void *code)
{
    pcre2_code_free(code);
}

static pcre2_code *compile(struct arena *arena, struct str pattern, uint32_t options)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.ptr ? pattern.ptr : ""), pattern.len,
                                     PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | options, &error, &offset, NULL);
    if (code)
        arena_defer(arena, free_code, code);
    return code;
}

pcre2_code *regex_compile(struct arena *arena, struct str pattern)
{
    return compile(arena, pattern, 0);
}

/* "\s" knows Unicode's blanks in ECMA 262, and "$" is only the end. */
static struct str ecma(struct arena *arena, struct str pattern)
{
    static const char blanks[] = "\\t\\n\\x0b\\f\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
                                 "\\x{205f}\\x{3000}\\x{feff}";
    static const struct {
        const char *name, *ours;
    } names[] = {
        { "{Letter}", "{L}" }, { "{digit}", "{Nd}" }, { "{Number}", "{N}" }, { "{Punctuation}", "{P}" },
        { "{Uppercase_Letter}", "{Lu}" }, { "{Lowercase_Letter}", "{Ll}" }, { "{Decimal_Number}", "{Nd}" },
        { "{Symbol}", "{S}" }, { "{Separator}", "{Z}" },
    };
    struct strbuf out = strbuf_in(arena, pattern.len + 32);
    bool in_class = false;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i], next = i + 1 < pattern.len ? pattern.ptr[i + 1] : '\0';
        if (c != '\\') {
            in_class = c == '[' || (in_class && c != ']');
            strbuf_char(&out, c);
            continue;
        }
        i++;
        if (next == 's' && in_class)
            strbuf_add(&out, str_of(blanks));
        else if (next == 's' || (next == 'S' && !in_class))
            strbuf_printf(&out, "[%s%s]", next == 'S' ? "^" : "", blanks);
        else if (next == 'u' && pattern.len - i > 4)
            strbuf_printf(&out, "\\x{%.4s}", pattern.ptr + i + 1), i += 4;
        else if (next)
            strbuf_printf(&out, "\\%c", next);
        else
            strbuf_char(&out, '\\');
        for (size_t k = 0; (next == 'p' || next == 'P') && k < COUNT(names); k++) {
            if (!str_starts(str_from(pattern, i + 1), str_of(names[k].name)))
                continue;
            strbuf_add(&out, str_of(names[k].ours));
            i += strlen(names[k].name);
            break;
        }
    }
    return strbuf_view(&out);
}

pcre2_code *regex_compile_ecma(struct arena *arena, struct str pattern)
{
    pcre2_code *code = compile(arena, ecma(arena, pattern), PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF);
    if (code)
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* where there is none, matching interprets */
    return code;
}

static int match(const pcre2_code *code, struct str text, size_t from, uint32_t options, uint32_t backtracks)
{
    if (!have_matcher())
        return PCRE2_ERROR_NOMEMORY;
    const unsigned char *subject = (const unsigned char *)(text.ptr ? text.ptr : "");
    pcre2_set_match_limit(matcher.limits, backtracks);
    int found = pcre2_match(code, subject, text.len, from, options, matcher.data, matcher.limits);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(code, subject, text.len, from, options | PCRE2_NO_JIT, matcher.data, matcher.limits);
    return found == 0 ? REGEX_GROUPS : found;
}

bool regex_matches_whole(const pcre2_code *code, struct str text)
{
    return match(code, text, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, MATCH_LIMIT) > 0;
}

bool regex_matches(const pcre2_code *code, struct str text, uint32_t backtracks, bool *gave_up)
{
    int found = match(code, text, 0, 0, backtracks);
    *gave_up = found < 0 && found != PCRE2_ERROR_NOMATCH;
    return found > 0;
}

int regex_find(const pcre2_code *code, struct str text, size_t from, size_t ovector[2 * REGEX_GROUPS])
{
    int found = match(code, text, from, 0, MATCH_LIMIT);
    if (found <= 0)
        return 0;
    memcpy(ovector, pcre2_get_ovector_pointer(matcher.data), (size_t)found * 2 * sizeof(size_t));
    return found;
}
