#include "gateway/vtl/ast.h"

char vtl_peek(const struct vtl_parser *p, size_t ahead)
{
    return p->at + ahead < p->text.len ? p->text.ptr[p->at + ahead] : '\0';
}

bool vtl_take(struct vtl_parser *p, char c)
{
    if (p->at >= p->text.len || p->text.ptr[p->at] != c)
        return false;
    p->at++;
    return true;
}

void vtl_blanks(struct vtl_parser *p)
{
    while (p->at < p->text.len && strchr(" \t\r\n", p->text.ptr[p->at]) && p->text.ptr[p->at])
        p->at++;
}

bool vtl_is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return vtl_is_name_start(c) || (c >= '0' && c <= '9') || c == '-';
}

struct str vtl_word(struct vtl_parser *p)
{
    size_t start = p->at;
    if (!vtl_is_name_start(vtl_peek(p, 0)))
        return STR_NONE;
    while (is_name(vtl_peek(p, 0)))
        p->at++;
    return str_sub(p->text, start, p->at - start);
}

void vtl_eat_line_end(struct vtl_parser *p)
{
    size_t at = p->at;
    while (at < p->text.len && (p->text.ptr[at] == ' ' || p->text.ptr[at] == '\t'))
        at++;
    if (at < p->text.len && p->text.ptr[at] == '\r')
        at++;
    if (at < p->text.len && p->text.ptr[at] == '\n')
        p->at = at + 1;
}

bool vtl_fail(struct vtl_parser *p, const char *fmt, ...)
{
    if (!p->failed) {
        va_list args;
        va_start(args, fmt);
        p->message = str_vprintf(p->arena, fmt, args);
        va_end(args);
        p->failed_at = p->base + (uint32_t)p->at;
        p->failed = true;
    }
    return false;
}

struct vtl_where vtl_locate(struct str text, uint32_t offset, struct str message)
{
    struct vtl_where where = { message, 1, 1 };
    for (size_t i = 0; i < offset && i < text.len; i++) {
        where.column++;
        if (text.ptr[i] == '\n') {
            where.line++;
            where.column = 1;
        }
    }
    return where;
}

bool vtl_at_reference(const struct vtl_parser *p, size_t at)
{
    struct str rest = str_from(p->text, at);
    if (!rest.len || rest.ptr[0] != '$')
        return false;
    rest = str_from(rest, 1);
    if (rest.len && rest.ptr[0] == '!')
        rest = str_from(rest, 1);
    if (rest.len && rest.ptr[0] == '{')
        rest = str_from(rest, 1);
    return rest.len && vtl_is_name_start(rest.ptr[0]);
}
