#include "admin/audit/search.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/chain_line.h"
#include "core/glob.h"
#include "core/json.h"
#include "core/json_tree.h"
#include "core/time.h"

enum { BLOCK_BYTES = 1 << 20, PAGE_BYTES = 8 << 20, MAX_NEEDLES = 12, DEPTH = 32 };

struct search {
    struct arena *arena; /* of the page */
    const struct audit_query *query;
    struct str needles[MAX_NEEDLES]; /* must all occur in the line */
    size_t n_needles;
    struct audit_page *page;
    size_t cap, bytes; /* of the page: its lines; what they hold */
    int64_t until;
    bool done;
};

/* ---- the query ---- */

const char *const audit_query_names = "name, source, principal, key, resource, error, ip, id, since, until, before, after, limit";

static bool set_time(struct arena *arena, struct str value, struct str *out)
{
    double s;
    if (!time_parse_iso8601(value, &s))
        return false;
    *out = time_iso8601(arena, (int64_t)s);
    return true;
}

bool audit_query_set(struct arena *arena, struct audit_query *query, struct str name, struct str value, struct str *why)
{
    const struct { const char *name; struct str *text; } texts[] = {
        { "name", &query->name }, { "source", &query->source }, { "principal", &query->principal }, { "key", &query->key },
        { "resource", &query->resource }, { "error", &query->error }, { "ip", &query->ip }, { "id", &query->id },
    };
    const struct { const char *name; struct str *time; } times[] = { { "since", &query->since }, { "until", &query->until } };
    const struct { const char *name; int64_t *number; } numbers[] = {
        { "before", &query->before }, { "after", &query->after }, { "limit", &query->limit } };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (str_is(name, texts[i].name)) {
            *texts[i].text = str_copy(arena, value);
            return true;
        }
    for (size_t i = 0; i < COUNT(times); i++)
        if (str_is(name, times[i].name)) {
            *why = str_printf(arena, "%s must be a time such as 2026-11-21T03:04:05Z or 2026-11-21", times[i].name);
            return set_time(arena, value, times[i].time);
        }
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (str_is(name, numbers[i].name)) {
            *why = str_printf(arena, "%s must be a number from 1%s", numbers[i].name, i == 2 ? " to 1000" : "");
            return str_i64(value, numbers[i].number) && *numbers[i].number >= (i == 1 ? 0 : 1) &&
                   (i != 2 || *numbers[i].number <= AUDIT_PAGE_MAX);
        }
    *why = str_printf(arena, "nothing can be searched by \"%.*s\"; there are %s", STR_FMT(name), audit_query_names);
    return false;
}

/* The longest piece of a pattern without wild cards, as it stands in JSON. */
static void add_needle(struct search *s, struct str pattern)
{
    struct str best = STR("");
    for (size_t at = 0; at < pattern.len;) {
        size_t end = at;
        while (end < pattern.len && pattern.ptr[end] != '*' && pattern.ptr[end] != '?')
            end++;
        if (end - at > best.len)
            best = str_sub(pattern, at, end - at);
        at = end + 1;
    }
    if (best.len == 0)
        return;
    struct strbuf quoted = strbuf_in(s->arena, best.len + 16);
    json_quote(&quoted, best);
    struct str text = strbuf_view(&quoted);
    s->needles[s->n_needles++] = str_sub(text, 1, text.len - 2);
}

static void prepare(struct search *s)
{
    const struct audit_query *q = s->query;
    const struct str patterns[] = { q->name, q->source, q->principal, q->key, q->resource, q->ip, q->id, q->account, q->error };
    for (size_t i = 0; i < COUNT(patterns); i++)
        add_needle(s, patterns[i]);
    if (q->error.ptr)
        s->needles[s->n_needles++] = STR("\"errorCode\":\"");
}

/* ---- one record ---- */

static bool fits(struct str pattern, struct str value)
{
    return value.ptr && glob_match(pattern, value);
}

static bool name_fits(struct str pattern, struct str value)
{
    size_t end = value.len;
    if (fits(pattern, value))
        return true;
    if (end > 2 && value.ptr[end - 2] == 'v' && value.ptr[end - 1] == '2')
        end -= 2;
    if (end <= 8)
        return false;
    for (size_t i = end - 8; i < end; i++)
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
    return fits(pattern, str_sub(value, 0, end - 8));
}

static bool source_fits(struct str pattern, struct str value)
{
    ptrdiff_t dot = str_find(value, '.');
    return fits(pattern, value) || (dot > 0 && fits(pattern, str_sub(value, 0, (size_t)dot)));
}

static bool any_of(const struct jt *object, struct str pattern, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fits(pattern, jt_get_str(object, names[i])))
            return true;
    return false;
}

static bool principal_fits(struct str pattern, const struct jt *record)
{
    static const char *const names[] = { "arn", "userName", "principalId" }, *const subs[] = { "sub", "userSub" };
    const struct jt *who = jt_get(record, STR("userIdentity")), *session = jt_get(who, STR("sessionContext"));
    return any_of(who, pattern, names, COUNT(names)) || any_of(jt_get(session, STR("sessionIssuer")), pattern, names, COUNT(names)) ||
           any_of(jt_get(record, STR("additionalEventData")), pattern, subs, COUNT(subs));
}

/* A string anywhere below; with `name`, only members of that name. */
static bool below(const struct jt *value, struct str pattern, const char *name, int depth)
{
    if (!value || depth > DEPTH)
        return false;
    if (value->kind == JT_STRING)
        return !name && fits(pattern, jt_text(value));
    for (uint32_t i = 0; value->kind == JT_ARRAY && i < value->n; i++)
        if (below(&value->items[i], pattern, name, depth + 1))
            return true;
    for (uint32_t i = 0; value->kind == JT_OBJECT && i < value->n; i++) {
        const struct jt_member *member = &value->object->members[i];
        if (name && str_is(member->name, name) && jt_is(&member->value, JT_STRING) && fits(pattern, jt_text(&member->value)))
            return true;
        if (below(&member->value, pattern, name, depth + 1))
            return true;
    }
    return false;
}

static bool record_fits(const struct audit_query *q, const struct jt *r)
{
    struct str time = jt_get_str(r, "eventTime");
    return time.ptr && (!q->name.ptr || name_fits(q->name, jt_get_str(r, "eventName"))) &&
           (!q->source.ptr || source_fits(q->source, jt_get_str(r, "eventSource"))) &&
           (!q->principal.ptr || principal_fits(q->principal, r)) && (!q->key.ptr || below(r, q->key, "accessKeyId", 0)) &&
           (!q->resource.ptr || below(jt_get(r, STR("resources")), q->resource, "ARN", 0) ||
            below(jt_get(r, STR("requestParameters")), q->resource, NULL, 0) ||
            below(jt_get(r, STR("responseElements")), q->resource, NULL, 0)) &&
           (!q->error.ptr || fits(q->error, jt_get_str(r, "errorCode"))) &&
           (!q->ip.ptr || fits(q->ip, jt_get_str(r, "sourceIPAddress"))) &&
           (!q->id.ptr || fits(q->id, jt_get_str(r, "eventID")) || fits(q->id, jt_get_str(r, "requestID"))) &&
           (!q->account.ptr || str_eq(q->account, jt_get_str(r, "recipientAccountId"))) &&
           (!q->since.ptr || str_cmp(time, q->since) >= 0) && (!q->until.ptr || str_cmp(time, q->until) < 0);
}

/* By its bytes: worth being parsed? */
static bool may_fit(const struct search *s, struct str line)
{
    static const struct str time_name = STR_INIT("\"eventTime\":\"");
    const struct audit_query *q = s->query;
    for (size_t i = 0; i < s->n_needles; i++)
        if (!memmem(line.ptr, line.len, s->needles[i].ptr, s->needles[i].len))
            return false;
    if (!q->since.ptr && !q->until.ptr)
        return true;
    const char *at = memmem(line.ptr, line.len, time_name.ptr, time_name.len);
    if (!at)
        return false;
    struct str time = str_sub(str_from(line, (size_t)(at - line.ptr) + time_name.len), 0, 20);
    return (!q->since.ptr || str_cmp(time, q->since) >= 0) && (!q->until.ptr || str_cmp(time, q->until) < 0);
}

static void keep(struct search *s, struct str line)
{
    struct audit_page *page = s->page;
    if (page->n == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 64;
        page->lines = arena_grow(s->arena, page->lines, s->cap * sizeof *page->lines, cap * sizeof *page->lines);
        s->cap = cap;
    }
    page->lines[page->n++] = str_copy(s->arena, line);
    s->bytes += line.len;
}

static void look_at(struct search *s, struct arena *scratch, struct str text)
{
    const struct audit_query *q = s->query;
    struct chain_line line;
    struct str why;
    if (!chain_line_parse(text, &line) || (q->before && line.sequence >= q->before) || (s->until && line.sequence > s->until))
        return;
    if (q->after && line.sequence <= q->after) {
        s->done = true;
        return;
    }
    if (line.checkpoint || !may_fit(s, text))
        return;
    const struct jt *record = jt_parse(scratch, text, &why);
    bool yes = record && record_fits(q, record);
    arena_reset(scratch);
    if (!yes)
        return;
    if ((int64_t)s->page->n == (q->limit ? q->limit : AUDIT_PAGE) || (s->page->n > 0 && s->bytes + text.len > PAGE_BYTES)) {
        struct chain_line last;
        if (chain_line_parse(s->page->lines[s->page->n - 1], &last))
            s->page->next = last.sequence;
        s->done = true;
        return;
    }
    keep(s, text);
}

/* ---- a file, from its end ---- */

static bool read_at(int fd, char *into, size_t bytes, int64_t at)
{
    size_t have = 0;
    while (have < bytes) {
        ssize_t n = pread(fd, into + have, bytes - have, at + (int64_t)have);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

/* Lines of [start, end) backwards; the first is left for the next block unless the file begins there. Gives where it
 * begins: -1 when there was no whole line. */
static int64_t block(struct search *s, struct arena *scratch, const char *bytes, int64_t start, int64_t end)
{
    const char *first = bytes, *stop = bytes + (end - start);
    if (start > 0) {
        first = memchr(bytes, '\n', (size_t)(stop - bytes));
        if (!first || first + 1 == stop)
            return -1;
        first++;
    }
    while (stop > first && !s->done) {
        const char *newline = memrchr(first, '\n', (size_t)(stop - first - 1)), *line = newline ? newline + 1 : first;
        look_at(s, scratch, (struct str){ line, (size_t)(stop - line - 1) });
        stop = line;
    }
    return start + (first - bytes);
}

static void search_file(struct search *s, const struct chain_segment *segment)
{
    struct arena *scratch = arena_new(64 * 1024);
    int fd = open(segment->path.ptr, O_RDONLY | O_CLOEXEC);
    size_t size = BLOCK_BYTES;
    char *bytes = malloc(size + 1);
    int64_t end = fd < 0 ? 0 : segment->bytes;
    if (!bytes)
        abort();
    bool ends_whole = false;
    while (end > 0 && !s->done) {
        int64_t start = end > (int64_t)size ? end - (int64_t)size : 0, next = -1;
        if (!read_at(fd, bytes, (size_t)(end - start), start))
            break; /* gone or shorter meanwhile */
        int64_t stop = end;
        if (!ends_whole) { /* what follows the last newline is being written */
            const char *newline = memrchr(bytes, '\n', (size_t)(end - start));
            stop = newline ? start + (newline - bytes) + 1 : start;
            ends_whole = newline != NULL;
        }
        if (stop > start)
            next = block(s, scratch, bytes, start, stop);
        if (next >= 0) {
            end = next;
        } else if (start == 0) {
            break;
        } else { /* a line longer than the block */
            size *= 2;
            bytes = realloc(bytes, size + 1);
            if (!bytes)
                abort();
        }
    }
    if (fd >= 0)
        close(fd);
    free(bytes);
    arena_free(scratch);
}

bool audit_search(struct arena *arena, const char *folder, const struct audit_query *query, int64_t until_sequence,
                  struct audit_page *page, struct str *why)
{
    struct search s = { .arena = arena, .query = query, .page = page, .until = until_sequence };
    struct chain_segment *segments;
    size_t n;
    *page = (struct audit_page){ 0 };
    if (!chain_segments(arena, folder, &segments, &n, why))
        return false;
    prepare(&s);
    while (n-- > 0 && !s.done)
        if ((!query->before || segments[n].first < query->before) && (!s.until || segments[n].first <= s.until))
            search_file(&s, &segments[n]);
    return true;
}
