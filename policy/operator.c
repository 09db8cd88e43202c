#include "policy/operator.h"

#include <math.h>
#include <stdlib.h>

#include "core/base64.h"
#include "core/glob.h"

/* --- reading --- */

static struct operand read_plain(struct arena *arena, struct str text, bool variables)
{
    return (struct operand){ .valid = true, .text = template_compile(arena, text, variables, false) };
}

static struct operand read_pattern(struct arena *arena, struct str text, bool variables)
{
    return (struct operand){ .valid = true, .text = template_compile(arena, text, variables, true) };
}

static struct operand read_arn(struct arena *arena, struct str text, bool variables)
{
    return (struct operand){ .valid = true, .arn = arn_pattern_compile(arena, text, variables, true) };
}

static bool parse_number(struct str text, long double *out)
{
    char copy[64], *end;
    if (text.len == 0 || text.len >= sizeof copy || !strchr("+-.0123456789", text.ptr[0]))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (strspn(copy, "+-.0123456789eE") != text.len)
        return false;
    *out = strtold(copy, &end);
    return *end == '\0' && isfinite(*out);
}

static struct operand read_number(struct arena *arena, struct str text, bool variables)
{
    (void)arena, (void)variables;
    struct operand out = { 0 };
    out.valid = parse_number(text, &out.number);
    return out;
}

static struct operand read_date(struct arena *arena, struct str text, bool variables)
{
    (void)arena, (void)variables;
    struct operand out = { 0 };
    out.valid = date_parse(text, &out.date);
    return out;
}

static struct operand read_net(struct arena *arena, struct str text, bool variables)
{
    (void)arena, (void)variables;
    struct operand out = { 0 };
    out.valid = ip_net_parse(text, &out.net);
    return out;
}

static struct operand read_bytes(struct arena *arena, struct str text, bool variables)
{
    (void)variables;
    struct operand out = { 0 };
    out.valid = base64_decode(arena, text, &out.bytes);
    return out;
}

/* The manual's page about operators has variables here, its page about variables has not; the former. */
static struct operand read_flag(struct arena *arena, struct str text, bool variables)
{
    struct template template = template_compile(arena, text, variables, false);
    if (template.n_pieces)
        return (struct operand){ .valid = true, .text = template };
    bool yes = str_eq_nocase(text, STR("true"));
    return (struct operand){ .valid = yes || str_eq_nocase(text, STR("false")), .flag = yes };
}

static struct operand read_null(struct arena *arena, struct str text, bool variables)
{
    (void)variables;
    return read_flag(arena, text, false);
}

/* --- comparing: does this one value of the request match this one of the policy? --- */

static bool filled(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                   struct str *out)
{
    return template_fill(arena, &operand->text, request, out);
}

static bool text_equal(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                       struct str value)
{
    struct str text;
    return filled(arena, operand, request, &text) && str_eq(text, value);
}

static bool text_equal_nocase(struct arena *arena, const struct operand *operand,
                              const struct policy_request *request, struct str value)
{
    struct str text;
    return filled(arena, operand, request, &text) && str_eq_nocase(text, value);
}

static bool text_like(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                      struct str value)
{
    struct str text;
    return filled(arena, operand, request, &text) && template_match(&operand->text, text, value);
}

static bool arn_like(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                     struct str value)
{
    struct arn split;
    arn_split(value, &split);
    return arn_pattern_match(arena, &operand->arn, request, value, &split);
}

/* Sign of (request's value - policy's), or 2 when the request's value is no number. */
static int number_order(const struct operand *operand, struct str value)
{
    long double number;
    if (!parse_number(value, &number))
        return 2;
    return (number > operand->number) - (number < operand->number);
}

static int date_order(const struct operand *operand, struct str value)
{
    struct date date;
    return date_parse(value, &date) ? date_cmp(date, operand->date) : 2;
}

#define ORDER_MATCH(name, order, condition)                                                     \
    static bool name(struct arena *arena, const struct operand *operand,                        \
                     const struct policy_request *request, struct str value)                    \
    {                                                                                           \
        (void)arena, (void)request;                                                             \
        int sign = order(operand, value);                                                       \
        return sign != 2 && (condition);                                                        \
    }
ORDER_MATCH(number_equal, number_order, sign == 0)
ORDER_MATCH(number_less, number_order, sign < 0)
ORDER_MATCH(number_less_equal, number_order, sign <= 0)
ORDER_MATCH(number_greater, number_order, sign > 0)
ORDER_MATCH(number_greater_equal, number_order, sign >= 0)
ORDER_MATCH(date_equal, date_order, sign == 0)
ORDER_MATCH(date_less, date_order, sign < 0)
ORDER_MATCH(date_less_equal, date_order, sign <= 0)
ORDER_MATCH(date_greater, date_order, sign > 0)
ORDER_MATCH(date_greater_equal, date_order, sign >= 0)

static bool flag_equal(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                       struct str value)
{
    if (operand->text.n_pieces)
        return text_equal_nocase(arena, operand, request, value);
    return str_eq_nocase(value, operand->flag ? STR("true") : STR("false"));
}

static bool bytes_equal(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                        struct str value)
{
    (void)arena, (void)request;
    return str_eq(value, operand->bytes); /* base64 in the policy, bytes in the request */
}

static bool ip_within(struct arena *arena, const struct operand *operand, const struct policy_request *request,
                      struct str value)
{
    (void)arena, (void)request;
    struct ip ip;
    return ip_parse(value, &ip) && ip_in(&ip, &operand->net);
}

/* Null never comes to a comparison: condition.c looks at the key's presence. */
static const struct operator operators[] = {
    { "StringEquals", .read = read_plain, .match = text_equal },
    { "StringNotEquals", .negated = true, .read = read_plain, .match = text_equal },
    { "StringEqualsIgnoreCase", .read = read_plain, .match = text_equal_nocase },
    { "StringNotEqualsIgnoreCase", .negated = true, .read = read_plain, .match = text_equal_nocase },
    { "StringLike", .read = read_pattern, .match = text_like },
    { "StringNotLike", .negated = true, .read = read_pattern, .match = text_like },
    { "NumericEquals", .read = read_number, .match = number_equal },
    { "NumericNotEquals", .negated = true, .read = read_number, .match = number_equal },
    { "NumericLessThan", .read = read_number, .match = number_less },
    { "NumericLessThanEquals", .read = read_number, .match = number_less_equal },
    { "NumericGreaterThan", .read = read_number, .match = number_greater },
    { "NumericGreaterThanEquals", .read = read_number, .match = number_greater_equal },
    { "DateEquals", .is_date = true, .read = read_date, .match = date_equal },
    { "DateNotEquals", .negated = true, .is_date = true, .read = read_date, .match = date_equal },
    { "DateLessThan", .is_date = true, .read = read_date, .match = date_less },
    { "DateLessThanEquals", .is_date = true, .read = read_date, .match = date_less_equal },
    { "DateGreaterThan", .is_date = true, .read = read_date, .match = date_greater },
    { "DateGreaterThanEquals", .is_date = true, .read = read_date, .match = date_greater_equal },
    { "Bool", .read = read_flag, .match = flag_equal },
    { "BinaryEquals", .read = read_bytes, .match = bytes_equal },
    { "IpAddress", .read = read_net, .match = ip_within },
    { "NotIpAddress", .negated = true, .read = read_net, .match = ip_within },
    { "ArnEquals", .read = read_arn, .match = arn_like },
    { "ArnLike", .read = read_arn, .match = arn_like },
    { "ArnNotEquals", .negated = true, .read = read_arn, .match = arn_like },
    { "ArnNotLike", .negated = true, .read = read_arn, .match = arn_like },
    { "Null", .is_null = true, .read = read_null, .match = flag_equal },
};

const struct operator *operator_find(struct str name)
{
    for (size_t i = 0; i < COUNT(operators); i++)
        if (str_is(name, operators[i].name))
            return &operators[i];
    return NULL;
}
