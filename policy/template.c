#include "policy/template.h"

#include "core/glob.h"
#include "policy/condition_key.h"

/* Looking no further for the end keeps "${${${…" linear; a tag's key has at most 128 characters. */
#define VARIABLE_MAX 2048

static size_t count_openings(struct str text);
static bool variable_at(struct str rest, struct template_piece *piece, char *literal, size_t *taken);
static void mark(struct strbuf *buf, struct str text, bool wild, bool *found);

/* "You can use policy variables in the Resource element and in string comparisons in the Condition
 * element." — IAM User Guide. An opening "${" that nothing closes is text. */
struct template template_compile(struct arena *arena, struct str text, bool variables, bool wild)
{
    struct template out = { .text = text };
    variables = variables && str_find_str(text, STR("${")) >= 0;
    if (!variables && (!wild || (str_find(text, '*') < 0 && str_find(text, '?') < 0)))
        return out; /* as most are */
    struct strbuf buf = strbuf_in(arena, text.len);
    if (!variables) {
        mark(&buf, text, wild, &out.wild);
        out.text = strbuf_view(&buf);
        return out;
    }
    struct template_piece *pieces = ARENA_ARRAY(arena, struct template_piece, 2 * count_openings(text) + 1);
    size_t n = 0;
    bool has_variable = false;
    while (text.len) {
        ptrdiff_t at = str_find_str(text, STR("${"));
        struct template_piece piece;
        char literal = '\0';
        size_t taken = 0;
        if (at < 0 || !variable_at(str_from(text, (size_t)at), &piece, &literal, &taken)) {
            size_t plain = at < 0 ? text.len : (size_t)at + 2;
            mark(&buf, str_sub(text, 0, plain), wild, &out.wild);
            text = str_from(text, plain);
            continue;
        }
        mark(&buf, str_sub(text, 0, (size_t)at), wild, &out.wild);
        text = str_from(text, (size_t)at + taken);
        if (literal) {
            strbuf_char(&buf, literal);
            continue;
        }
        if (buf.len)
            pieces[n++].text = str_copy(arena, strbuf_view(&buf));
        buf.len = 0;
        pieces[n++] = piece;
        has_variable = true;
    }
    if (!has_variable) {
        out.text = strbuf_view(&buf);
        return out;
    }
    if (buf.len)
        pieces[n++].text = strbuf_view(&buf);
    out.pieces = pieces;
    out.n_pieces = n;
    return out;
}

static size_t count_openings(struct str text)
{
    size_t n = 0;
    for (ptrdiff_t at; (at = str_find_str(text, STR("${"))) >= 0; n++)
        text = str_from(text, (size_t)at + 2);
    return n;
}

/* "${aws:username}", "${aws:PrincipalTag/team, 'company-wide'}", "${*}": `rest` begins with "${". */
static bool variable_at(struct str rest, struct template_piece *piece, char *literal, size_t *taken)
{
    ptrdiff_t end = str_find(str_sub(rest, 0, VARIABLE_MAX), '}');
    if (end < 3)
        return false;
    struct str inside = str_sub(rest, 2, (size_t)end - 2);
    if (str_is(inside, "*") || str_is(inside, "?") || str_is(inside, "$")) {
        *literal = inside.ptr[0];
        *taken = (size_t)end + 1;
        return true;
    }
    *piece = (struct template_piece){ .name = inside };
    ptrdiff_t comma = str_find(inside, ',');
    if (comma >= 0) {
        struct str value = str_trim(str_from(inside, (size_t)comma + 1));
        if (value.len < 2 || value.ptr[0] != '\'' || value.ptr[value.len - 1] != '\'')
            return false;
        piece->name = str_trim(str_sub(inside, 0, (size_t)comma));
        piece->fallback = str_sub(value, 1, value.len - 2);
    }
    piece->never = condition_key_is_multivalued(piece->name);
    *taken = (size_t)end + 1;
    return piece->name.len > 0;
}

static void mark(struct strbuf *buf, struct str text, bool wild, bool *found)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_wild = wild && (c == '*' || c == '?');
        *found |= is_wild;
        strbuf_char(buf, !is_wild ? c : c == '*' ? GLOB_STAR : GLOB_ONE);
    }
}

bool template_fill(struct arena *arena, const struct template *template, const struct policy_request *request,
                   struct str *out)
{
    if (template->n_pieces == 0) {
        *out = template->text;
        return true;
    }
    struct strbuf buf = strbuf_in(arena, 128);
    for (size_t i = 0; i < template->n_pieces; i++) {
        const struct template_piece *piece = &template->pieces[i];
        struct str text = piece->text;
        if (!text.ptr) {
            const struct policy_key *key = policy_context_find(request->keys, request->n_keys, piece->name);
            if (piece->never || (key && key->n > 1))
                return false; /* "multivalued keys cannot be used as variables" */
            text = key && key->n == 1 ? key->values[0] : piece->fallback;
            /* A value must not smuggle in our marks for wild cards; UTF-8 never holds them. */
            if (!text.ptr || str_find(text, GLOB_STAR) >= 0 || str_find(text, GLOB_ONE) >= 0)
                return false;
        }
        strbuf_add(&buf, text);
    }
    *out = strbuf_view(&buf);
    return true;
}

bool template_match(const struct template *template, struct str marked, struct str text)
{
    if (template->wild || template->n_pieces)
        return glob_match_marked(marked, text);
    return str_eq(marked, text);
}
