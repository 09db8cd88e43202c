#include "policy/date.h"

static bool number(struct str *rest, size_t min, size_t max, int64_t *out);
static bool take(struct str *rest, char c);
static bool time_of_day(struct str *rest, struct date *out);
static bool zone(struct str *rest, struct date *out);
static int64_t days_before(int64_t year, int64_t month, int64_t day);

/* "YYYY[-MM[-DD]][T[hh[:mm[:ss[.f{1,9}]]]]][Z|+hh[:mm]]", or an integer that is not negative. AWS takes numbers
 * with fewer digits, too ("01T", "t2:00:00"), but not in the zone. */
bool date_parse(struct str text, struct date *out)
{
    *out = (struct date){ 0 };
    if (str_i64(text, &out->s) && out->s >= 0 && text.len != 4)
        return true; /* four digits are a year */
    struct str rest = text;
    int64_t year, month = 1, day = 1;
    bool before_zero = take(&rest, '-');
    if (!before_zero)
        take(&rest, '+');
    if (!number(&rest, 1, 9, &year) || year > (before_zero ? 292275054 : 292278993))
        return false;
    if (before_zero)
        year = -year;
    if (take(&rest, '-')) {
        if (!number(&rest, 1, 2, &month) || month < 1 || month > 12)
            return false;
        if (take(&rest, '-') && (!number(&rest, 1, 2, &day) || day < 1 || day > 31))
            return false;
    }
    out->s = days_before(year, month, day) * 86400;
    if ((take(&rest, 'T') || take(&rest, 't')) && !time_of_day(&rest, out))
        return false;
    return zone(&rest, out) && rest.len == 0;
}

int date_cmp(struct date a, struct date b)
{
    if (a.s != b.s)
        return a.s < b.s ? -1 : 1;
    return (a.ns > b.ns) - (a.ns < b.ns);
}

static bool time_of_day(struct str *rest, struct date *out)
{
    int64_t hour, minute = 0, second = 0;
    if (rest->len == 0)
        return true;
    if (!number(rest, 1, 2, &hour) || hour > 23)
        return false;
    if (take(rest, ':')) {
        if (!number(rest, 1, 2, &minute) || minute > 59)
            return false;
        if (take(rest, ':')) {
            if (!number(rest, 1, 2, &second) || second > 59)
                return false;
            if (take(rest, '.')) {
                size_t before = rest->len;
                int64_t fraction;
                if (!number(rest, 1, 9, &fraction))
                    return false;
                for (size_t digits = before - rest->len; digits < 9; digits++)
                    fraction *= 10;
                out->ns = (int32_t)fraction;
            }
        }
    }
    out->s += hour * 3600 + minute * 60 + second;
    return true;
}

static bool zone(struct str *rest, struct date *out)
{
    if (rest->len == 0 || take(rest, 'Z') || take(rest, 'z'))
        return true;
    bool west = take(rest, '-');
    int64_t hour, minute = 0;
    if (!west && !take(rest, '+'))
        return false;
    if (!number(rest, 2, 2, &hour) || hour > 23)
        return false;
    if (rest->len && (take(rest, ':'), !number(rest, 2, 2, &minute) || minute > 59))
        return false;
    int64_t ahead_s = hour * 3600 + minute * 60;
    out->s += west ? ahead_s : -ahead_s;
    return true;
}

static bool take(struct str *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

static bool number(struct str *rest, size_t min, size_t max, int64_t *out)
{
    size_t n = 0;
    int64_t value = 0;
    while (n < rest->len && n < max && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        value = value * 10 + (rest->ptr[n++] - '0');
    if (n < min)
        return false;
    *rest = str_from(*rest, n);
    *out = value;
    return true;
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar, counting years from March. */
static int64_t days_before(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}
