/* Decimal numbers as they are written, compared and divided exactly. */
#include <stdio.h>
#include <stdlib.h>

#include "core/json_tree.h"
#include "core/map.h"

/* (-1)^negative * 0.DIGITS * 10^exponent, without zeros at either end; no digits: zero. */
struct decimal {
    bool negative;
    int64_t exponent;
    struct str before, after; /* digits: of the whole part and of the fraction */
    size_t n;                 /* digits together */
};

#define EXPONENT_MOST 4000000000000000000 /* nobody counts so many digits */

static int64_t read_exponent(struct str text)
{
    bool negative = text.len && text.ptr[0] == '-';
    int64_t value = 0;
    for (size_t i = text.len && (text.ptr[0] == '-' || text.ptr[0] == '+'); i < text.len; i++)
        value = value > EXPONENT_MOST / 10 ? EXPONENT_MOST / 10 : value * 10 + (text.ptr[i] - '0');
    return negative ? -value : value;
}

static struct decimal decimal_of(struct str text)
{
    struct decimal d = { 0 };
    if (text.len && text.ptr[0] == '-') {
        d.negative = true;
        text = str_from(text, 1);
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((text.ptr[i] | 32) == 'e') {
            d.exponent = read_exponent(str_from(text, i + 1));
            text = str_sub(text, 0, i);
        }
    }
    ptrdiff_t dot = str_find(text, '.');
    d.before = dot < 0 ? text : str_sub(text, 0, (size_t)dot);
    d.after = dot < 0 ? STR("") : str_from(text, (size_t)dot + 1);
    d.exponent += (int64_t)d.before.len;
    while (d.after.len && d.after.ptr[d.after.len - 1] == '0')
        d.after.len--;
    while (!d.after.len && d.before.len && d.before.ptr[d.before.len - 1] == '0')
        d.before.len--;
    while (d.before.len && d.before.ptr[0] == '0') {
        d.before = str_from(d.before, 1);
        d.exponent--;
    }
    while (!d.before.len && d.after.len && d.after.ptr[0] == '0') {
        d.after = str_from(d.after, 1);
        d.exponent--;
    }
    d.n = d.before.len + d.after.len;
    if (d.n == 0)
        d = (struct decimal){ 0 };
    return d;
}

static char digit_at(const struct decimal *d, size_t i)
{
    return i < d->before.len ? d->before.ptr[i] : i < d->n ? d->after.ptr[i - d->before.len] : '0';
}

static bool is_short(struct str text)
{
    return text.len <= 15 && memchr(text.ptr, 'e', text.len) == NULL && memchr(text.ptr, 'E', text.len) == NULL &&
           memchr(text.ptr, '.', text.len) == NULL;
}

static int64_t short_value(struct str text)
{
    int64_t value = 0;
    for (size_t i = text.ptr[0] == '-'; i < text.len; i++)
        value = value * 10 + (text.ptr[i] - '0');
    return text.ptr[0] == '-' ? -value : value;
}

int jt_number_compare(struct str left, struct str right)
{
    if (is_short(left) && is_short(right)) {
        int64_t x = short_value(left), y = short_value(right);
        return x < y ? -1 : x > y;
    }
    struct decimal a = decimal_of(left), b = decimal_of(right);
    int sign_a = a.n == 0 ? 0 : a.negative ? -1 : 1, sign_b = b.n == 0 ? 0 : b.negative ? -1 : 1;
    if (sign_a != sign_b || sign_a == 0)
        return sign_a < sign_b ? -1 : sign_a > sign_b;
    if (a.exponent != b.exponent)
        return a.exponent < b.exponent ? -sign_a : sign_a;
    for (size_t i = 0; i < a.n || i < b.n; i++) {
        char x = digit_at(&a, i), y = digit_at(&b, i);
        if (x != y)
            return x < y ? -sign_a : sign_a;
    }
    return 0;
}

static unsigned __int128 power_mod(int64_t exponent, uint64_t m)
{
    unsigned __int128 result = 1 % m, base = 10 % m;
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = result * base % m;
        base = base * base % m;
    }
    return result;
}

/* What b divides has no digit below b's last one; counted in those, both are whole. */
bool jt_number_multiple(struct str number, struct str of)
{
    struct decimal a = decimal_of(number), b = decimal_of(of);
    int64_t low_a = a.exponent - (int64_t)a.n, low_b = b.exponent - (int64_t)b.n; /* of the last digit */
    if (a.n == 0)
        return true;
    if (b.n == 0 || b.n > JT_DIVISOR_DIGITS || low_a < low_b)
        return false;
    uint64_t divisor = 0;
    for (size_t i = 0; i < b.n; i++)
        divisor = divisor * 10 + (uint64_t)(digit_at(&b, i) - '0');
    unsigned __int128 rest = 0;
    for (size_t i = 0; i < a.n; i++)
        rest = (rest * 10 + (unsigned)(digit_at(&a, i) - '0')) % divisor;
    return rest * power_mod(low_a - low_b, divisor) % divisor == 0;
}

size_t jt_number_digits(struct str number)
{
    return decimal_of(number).n;
}

bool jt_number_i64(struct str number, int64_t *out)
{
    return str_i64(number, out);
}

/* Few digits and a small exponent: both are exact as doubles, so that one division rounds once, and rightly. */
static bool few_digits(struct str number, double *out)
{
    static const double powers[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15 };
    int64_t digits = 0;
    size_t fraction = 0;
    bool negative = number.len && number.ptr[0] == '-', in_fraction = false;
    if (number.len > 16)
        return false;
    for (size_t i = negative; i < number.len; i++) {
        char c = number.ptr[i];
        if (c == '.') {
            in_fraction = true;
            continue;
        }
        if (c < '0' || c > '9')
            return false;
        digits = digits * 10 + (c - '0');
        fraction += in_fraction;
    }
    if (digits > 999999999999999 || fraction >= COUNT(powers))
        return false;
    *out = (double)digits / powers[fraction];
    if (negative)
        *out = -*out;
    return true;
}

double jt_number_double(struct str number)
{
    char copy[64];
    double quick;
    if (few_digits(number, &quick))
        return quick;
    if (number.len >= sizeof copy) { /* digits beyond what a double holds do not matter; the exponent does */
        struct decimal d = decimal_of(number);
        size_t n = 0;
        copy[n++] = d.negative ? '-' : '+';
        copy[n++] = '.';
        for (size_t i = 0; i < d.n && i < 25; i++)
            copy[n++] = digit_at(&d, i);
        int64_t exponent = d.exponent > 999 ? 999 : d.exponent < -999 ? -999 : d.exponent;
        snprintf(copy + n, sizeof copy - n, "0e%d", (int)exponent);
        return strtod(copy, NULL);
    }
    memcpy(copy, number.ptr, number.len);
    copy[number.len] = '\0';
    return strtod(copy, NULL);
}

static uint64_t number_hash(struct str text)
{
    struct decimal d = decimal_of(text);
    uint64_t h = (uint64_t)d.exponent * 31 + d.negative;
    for (size_t i = 0; i < d.n; i++)
        h = (h ^ (unsigned char)digit_at(&d, i)) * 0x100000001b3u;
    return str_hash((struct str){ (const char *)&h, sizeof h });
}

bool jt_equal(const struct jt *a, const struct jt *b, int64_t *steps)
{
    if ((*steps)-- <= 0 || a->kind != b->kind)
        return false;
    switch (a->kind) {
    case JT_BOOL:
        return a->flag == b->flag;
    case JT_NUMBER:
        return jt_number_compare(jt_text(a), jt_text(b)) == 0;
    case JT_STRING:
        return str_eq(jt_text(a), jt_text(b));
    case JT_ARRAY:
        for (uint32_t i = 0; a->n == b->n && i < a->n; i++)
            if (!jt_equal(&a->items[i], &b->items[i], steps))
                return false;
        return a->n == b->n;
    case JT_OBJECT:
        for (uint32_t i = 0; a->n == b->n && i < a->n; i++) {
            const struct jt *other = jt_get(b, a->object->members[i].name);
            if (!other || !jt_equal(&a->object->members[i].value, other, steps))
                return false;
        }
        return a->n == b->n;
    default:
        return true;
    }
}

uint64_t jt_hash(const struct jt *value, int64_t *steps)
{
    uint64_t h = value->kind * 0x9e3779b97f4a7c15u;
    if ((*steps)-- <= 0)
        return h;
    switch (value->kind) {
    case JT_BOOL:
        return h + value->flag;
    case JT_NUMBER:
        return h ^ number_hash(jt_text(value));
    case JT_STRING:
        return h ^ str_hash(jt_text(value));
    case JT_ARRAY:
        for (uint32_t i = 0; i < value->n; i++)
            h = h * 0x100000001b3u ^ jt_hash(&value->items[i], steps);
        return h;
    case JT_OBJECT: /* in any order */
        for (uint32_t i = 0; i < value->n; i++) {
            const struct jt_member *m = &value->object->members[i];
            h += (str_hash(m->name) ^ jt_hash(&m->value, steps)) * 0x9e3779b97f4a7c15u;
        }
        return h;
    default:
        return h;
    }
}
