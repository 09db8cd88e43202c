/* The formats that are checked; every other name means nothing. */
#include <arpa/inet.h>

#include "core/jsonschema_parts.h"

static bool is_alpha(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static bool is_hex(char c)
{
    return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* Digits where the pattern has '0', itself elsewhere. */
static bool looks_like(struct str text, const char *pattern)
{
    if (text.len < strlen(pattern))
        return false;
    for (size_t i = 0; pattern[i]; i++)
        if (pattern[i] == '0' ? !is_digit(text.ptr[i]) : (text.ptr[i] & ~32) != (pattern[i] & ~32))
            return false;
    return true;
}

static int two(const char *p)
{
    return (p[0] - '0') * 10 + p[1] - '0';
}

/* "…T23:59:60Z" is good where a leap second can be: at the end of a UTC day. */
static bool good_date_time(struct str text)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (!looks_like(text, "0000-00-00T00:00:00"))
        return false;
    const char *p = text.ptr;
    int year = two(p) * 100 + two(p + 2), month = two(p + 5), day = two(p + 8);
    int hour = two(p + 11), minute = two(p + 14), second = two(p + 17), shift = 0;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    struct str rest = str_from(text, 19);
    if (month < 1 || month > 12 || day < 1 || day > days[month - 1] + (month == 2 && leap))
        return false;
    if (rest.len && rest.ptr[0] == '.') {
        size_t n = 1;
        while (n < rest.len && is_digit(rest.ptr[n]))
            n++;
        if (n == 1)
            return false;
        rest = str_from(rest, n);
    }
    if (rest.len == 1 && (rest.ptr[0] | 32) == 'z') {
        shift = 0;
    } else {
        if (rest.len != 6 || !looks_like(str_from(rest, 1), "00:00") || two(rest.ptr + 1) > 23 || two(rest.ptr + 4) > 59)
            return false;
        shift = two(rest.ptr + 1) * 60 + two(rest.ptr + 4);
        if (rest.ptr[0] == '+')
            shift = -shift;
        else if (rest.ptr[0] != '-')
            return false;
    }
    int utc = (hour * 60 + minute + shift + 2 * 1440) % 1440;
    return hour <= 23 && minute <= 59 && (second <= 59 || (second == 60 && utc == 1439));
}

static bool good_label(struct str label)
{
    if (!label.len || label.len > 63 || label.ptr[0] == '-' || label.ptr[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!is_alpha(label.ptr[i]) && !is_digit(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    return true;
}

static bool good_hostname(struct str text)
{
    struct str label;
    if (!text.len || text.len > 253)
        return false;
    while (str_split(&text, '.', &label))
        if (!good_label(label))
            return false;
    return true;
}

static bool good_address(int family, struct str text)
{
    char copy[46];
    unsigned char address[16];
    if (text.len >= sizeof copy || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(family, copy, address) == 1;
}

static bool good_ipv4(struct str text)
{
    return good_address(AF_INET, text);
}

static bool good_ipv6(struct str text)
{
    return good_address(AF_INET6, text);
}

static bool good_local_part(struct str text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return true;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool dot_alone = c == '.' && i > 0 && i + 1 < text.len && text.ptr[i - 1] != '.';
        if (!is_alpha(c) && !is_digit(c) && !dot_alone && !((unsigned char)c >= 0x80) &&
            (!c || !strchr("!#$%&'*+/=?^_`{|}~-", c)))
            return false;
    }
    return text.len > 0;
}

static bool good_email(struct str text)
{
    ptrdiff_t at = str_find_last(text, '@');
    if (at < 1)
        return false;
    struct str domain = str_from(text, (size_t)at + 1);
    if (domain.len > 2 && domain.ptr[0] == '[' && domain.ptr[domain.len - 1] == ']') {
        struct str address = str_sub(domain, 1, domain.len - 2);
        if (!good_ipv4(address) && !(str_starts_nocase(address, STR("IPv6:")) && good_ipv6(str_from(address, 5))))
            return false;
    } else if (!good_hostname(domain)) {
        return false;
    }
    return good_local_part(str_sub(text, 0, (size_t)at));
}

static bool good_port(struct str port)
{
    for (size_t i = 0; i < port.len; i++)
        if (!is_digit(port.ptr[i]))
            return false;
    return true;
}

static bool good_authority(struct str text)
{
    ptrdiff_t at = str_find_last(text, '@');
    struct str user = str_sub(text, 0, at < 0 ? 0 : (size_t)at), host = str_from(text, (size_t)(at + 1));
    if (str_find(user, '[') >= 0 || str_find(user, ']') >= 0)
        return false;
    if (host.len && host.ptr[0] == '[') {
        ptrdiff_t close = str_find(host, ']');
        return close > 0 && good_ipv6(str_sub(host, 1, (size_t)close - 1)) &&
               ((size_t)close + 1 == host.len || (host.ptr[close + 1] == ':' && good_port(str_from(host, (size_t)close + 2))));
    }
    ptrdiff_t colon = str_find(host, ':');
    return str_find(host, '[') < 0 && (colon < 0 || good_port(str_from(host, (size_t)colon + 1)));
}

/* RFC 3986, absolute. */
static bool good_uri(struct str text)
{
    size_t i = 0;
    if (!text.len || !is_alpha(text.ptr[0]))
        return false;
    while (i < text.len && (is_alpha(text.ptr[i]) || is_digit(text.ptr[i]) || strchr("+-.", text.ptr[i] ? text.ptr[i] : 'a')))
        i++;
    if (i == text.len || text.ptr[i] != ':')
        return false;
    struct str rest = str_from(text, i + 1);
    bool fragment = false;
    for (size_t k = 0; k < rest.len; k++) {
        char c = rest.ptr[k];
        if (c == '%' && (rest.len - k < 3 || !is_hex(rest.ptr[k + 1]) || !is_hex(rest.ptr[k + 2])))
            return false;
        if (c == '#' && fragment)
            return false;
        fragment = fragment || c == '#';
        if (!is_alpha(c) && !is_digit(c) && (!c || !strchr("-._~:/?#[]@!$&'()*+,;=%", c)))
            return false;
    }
    if (!str_starts(rest, STR("//")))
        return str_find(rest, '[') < 0 && str_find(rest, ']') < 0;
    rest = str_from(rest, 2);
    size_t end = 0;
    while (end < rest.len && !strchr("/?#", rest.ptr[end]))
        end++;
    struct str after = str_from(rest, end);
    return good_authority(str_sub(rest, 0, end)) && str_find(after, '[') < 0 && str_find(after, ']') < 0;
}

static bool good_regex(struct str text)
{
    struct arena *arena = arena_new(1024);
    bool good = regex_compile_ecma(arena, text) != NULL;
    arena_free(arena);
    return good;
}

static bool good_uuid(struct str text)
{
    static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; text.len == sizeof pattern - 1 && i < text.len; i++)
        if (pattern[i] == '-' ? text.ptr[i] != '-' : !is_hex(text.ptr[i]))
            return false;
    return text.len == sizeof pattern - 1;
}

static const struct format formats[] = {
    { "date-time", good_date_time,
      "string \"%.*s\" is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, "
      "yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]" },
    { "email", good_email, "string \"%.*s\" is not a valid email address" },
    { "hostname", good_hostname, "string \"%.*s\" is not a valid hostname" },
    { "ipv4", good_ipv4, "string \"%.*s\" is not a valid IPv4 address" },
    { "ipv6", good_ipv6, "string \"%.*s\" is not a valid IPv6 address" },
    { "regex", good_regex, "string \"%.*s\" is not a valid ECMA 262 regular expression" },
    { "uri", good_uri, "string \"%.*s\" is not a valid URI" },
    { "uuid", good_uuid, "input string \"%.*s\" is not a valid UUID" },
};

const struct format *jsonschema_format(struct str name)
{
    for (size_t i = 0; i < COUNT(formats); i++)
        if (str_is(name, formats[i].name))
            return &formats[i];
    return NULL;
}
