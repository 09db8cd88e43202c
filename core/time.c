#include "core/time.h"

#include <time.h>

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

static struct tm parts(int64_t s)
{
    struct tm tm;
    time_t t = (time_t)s;
    gmtime_r(&t, &tm);
    return tm;
}

struct str time_iso8601(struct arena *arena, int64_t s)
{
    struct tm tm = parts(s);
    return str_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                      tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct str time_iso8601_ms(struct arena *arena, int64_t us)
{
    struct tm tm = parts(us / 1000000);
    return str_printf(arena, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                      tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(us % 1000000 / 1000));
}

struct str time_basic(struct arena *arena, int64_t s)
{
    struct tm tm = parts(s);
    return str_printf(arena, "%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                      tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct str time_rfc1123(struct arena *arena, int64_t s)
{
    struct tm tm = parts(s);
    return str_printf(arena, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                      tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

struct str time_clf(struct arena *arena, int64_t s)
{
    struct tm tm = parts(s);
    return str_printf(arena, "%02d/%s/%04d:%02d:%02d:%02d +0000", tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
                      tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Takes `n` digits off the front. */
static bool digits(struct str *text, int n, int *out)
{
    if (text->len < (size_t)n)
        return false;
    *out = 0;
    for (int i = 0; i < n; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        *out = *out * 10 + text->ptr[i] - '0';
    }
    *text = str_from(*text, (size_t)n);
    return true;
}

static bool literal(struct str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = str_from(*text, 1);
    return true;
}

static bool instant(int year, int month, int day, int hour, int minute, int second, int64_t *s)
{
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day,
                     .tm_hour = hour, .tm_min = minute, .tm_sec = second };
    *s = (int64_t)timegm(&tm);
    return tm.tm_mday == day; /* timegm turns 31 February into March */
}

static bool fraction(struct str *text, double *out)
{
    double scale = 0.1;
    size_t n = 0;
    *out = 0;
    while (n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9') {
        *out += (text->ptr[n++] - '0') * scale;
        scale /= 10;
    }
    *text = str_from(*text, n);
    return n > 0;
}

bool time_parse_iso8601(struct str text, double *s)
{
    int year, month, day, hour = 0, minute = 0, second = 0, off_hour = 0, off_minute = 0, sign = 0;
    double part = 0;
    if (!digits(&text, 4, &year) || !literal(&text, '-') || !digits(&text, 2, &month) || !literal(&text, '-') ||
        !digits(&text, 2, &day))
        return false;
    if (text.len > 0) {
        if (!literal(&text, 'T') || !digits(&text, 2, &hour) || !literal(&text, ':') || !digits(&text, 2, &minute))
            return false;
        if (literal(&text, ':') && !digits(&text, 2, &second))
            return false;
        if (literal(&text, '.') && !fraction(&text, &part))
            return false;
        if (!literal(&text, 'Z')) {
            sign = literal(&text, '+') ? 1 : literal(&text, '-') ? -1 : 0;
            if (sign == 0 || !digits(&text, 2, &off_hour))
                return false;
            literal(&text, ':');
            if (!digits(&text, 2, &off_minute))
                return false;
        }
    }
    int64_t whole;
    if (text.len > 0 || !instant(year, month, day, hour, minute, second, &whole))
        return false;
    *s = (double)(whole - sign * (off_hour * 3600 + off_minute * 60)) + part;
    return true;
}

bool time_parse_basic(struct str text, int64_t *s)
{
    int year, month, day, hour, minute, second;
    return digits(&text, 4, &year) && digits(&text, 2, &month) && digits(&text, 2, &day) && literal(&text, 'T') &&
           digits(&text, 2, &hour) && digits(&text, 2, &minute) && digits(&text, 2, &second) && literal(&text, 'Z') &&
           text.len == 0 && instant(year, month, day, hour, minute, second, s);
}

bool time_parse_rfc1123(struct str text, int64_t *s)
{
    int day, month, year, hour, minute, second;
    if (text.len != 29 || !str_eq(str_sub(text, 3, 2), STR(", ")))
        return false;
    text = str_from(text, 5);
    if (!digits(&text, 2, &day) || !literal(&text, ' '))
        return false;
    for (month = 0; month < 12; month++)
        if (str_is(str_sub(text, 0, 3), months[month]))
            break;
    text = str_from(text, 3);
    return literal(&text, ' ') && digits(&text, 4, &year) && literal(&text, ' ') && digits(&text, 2, &hour) &&
           literal(&text, ':') && digits(&text, 2, &minute) && literal(&text, ':') && digits(&text, 2, &second) &&
           str_eq(text, STR(" GMT")) && instant(year, month + 1, day, hour, minute, second, s);
}
