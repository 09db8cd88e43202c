#include "identity/users/csv.h"

#include "core/json.h"

static struct str unescaped(struct arena *arena, struct str field)
{
    if (str_find(field, '\\') < 0)
        return field;
    struct strbuf out = strbuf_in(arena, field.len);
    for (size_t i = 0; i < field.len; i++) {
        bool escape = field.ptr[i] == '\\' && i + 1 < field.len && field.ptr[i + 1] == ',';
        if (!escape)
            strbuf_char(&out, field.ptr[i]);
    }
    return strbuf_view(&out);
}

size_t csv_split(struct arena *arena, struct str line, struct str out[CSV_MOST_COLUMNS])
{
    size_t n = 0, from = 0;
    for (size_t i = 0; i <= line.len; i++) {
        bool end = i == line.len || (line.ptr[i] == ',' && !(i > from && line.ptr[i - 1] == '\\'));
        if (!end)
            continue;
        if (n == CSV_MOST_COLUMNS)
            return CSV_MOST_COLUMNS + 1;
        out[n++] = unescaped(arena, str_sub(line, from, i - from));
        from = i + 1;
    }
    return n;
}

bool csv_is_utf8(struct str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t len = json_utf8_len(str_from(text, i));
        if (!len || text.ptr[i] == '\0')
            return false;
        i += len;
    }
    return true;
}

static int find(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return (int)i;
    return -1;
}

static bool is_wanted(const struct csv_column *columns, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(columns[i].name, name))
            return true;
    return false;
}

bool csv_header(struct arena *arena, struct str line, struct csv_column *columns, size_t n, struct str *why)
{
    struct str names[CSV_MOST_COLUMNS];
    if (!csv_is_utf8(line) || str_starts(line, STR("\xef\xbb\xbf"))) {
        *why = STR("The file must be UTF-8 without a byte order mark.");
        return false;
    }
    size_t given = csv_split(arena, line, names);
    for (size_t i = 0; i < given && given <= CSV_MOST_COLUMNS; i++) {
        names[i] = str_trim(names[i]);
        if (find(names, i, names[i]) >= 0 || !is_wanted(columns, n, names[i])) {
            *why = str_printf(arena, "The header has a column %.*s %s.", STR_FMT(str_sub(names[i], 0, 60)),
                              is_wanted(columns, n, names[i]) ? "twice" : "that the user pool does not have");
            return false;
        }
    }
    for (size_t i = 0; i < n && given <= CSV_MOST_COLUMNS; i++) {
        columns[i].at = find(names, given, columns[i].name);
        if (columns[i].at < 0 && !columns[i].optional) {
            *why = str_printf(arena, "The header lacks the column %.*s.", STR_FMT(columns[i].name));
            return false;
        }
    }
    if (given > CSV_MOST_COLUMNS)
        *why = STR("The header has too many columns.");
    return given <= CSV_MOST_COLUMNS;
}

bool csv_is_date(struct str text)
{
    static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int64_t month, day, year;
    return text.len == 10 && text.ptr[2] == '/' && text.ptr[5] == '/' && str_i64(str_sub(text, 0, 2), &month) &&
           str_i64(str_sub(text, 3, 2), &day) && str_i64(str_sub(text, 6, 4), &year) && month >= 1 && month <= 12 &&
           day >= 1 && day <= days[month - 1] && year >= 1;
}
