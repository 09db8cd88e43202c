/* Templates: text, references and directives. */
#include "gateway/vtl/ast.h"

#define MAX_BLOCKS 64

struct builder {
    struct vtl_node *first, **end;
};

/* Which word ended a block. */
enum ending { END_OF_TEXT, END_END, END_ELSE, END_ELSEIF };

static struct vtl_node *parse_block(struct vtl_parser *p, int blocks, enum ending *ending);

static struct vtl_node *add(struct vtl_parser *p, struct builder *b, int kind)
{
    struct vtl_node *node = ARENA_NEW(p->arena, struct vtl_node);
    node->kind = kind;
    node->offset = p->base + (uint32_t)p->at;
    *b->end = node;
    b->end = &node->next;
    return node;
}

static void add_text(struct vtl_parser *p, struct builder *b, struct str text)
{
    if (text.len)
        add(p, b, NODE_TEXT)->text = text;
}

/* --- directives --- */

static const char *const known[] = { "set",  "if",    "elseif", "else",  "end",     "foreach",
                                     "stop", "break", "define", "macro", "include", "parse", "evaluate" };

static struct vtl_macro *find_macro(const struct vtl_parser *p, struct str name)
{
    for (struct vtl_macro *macro = p->macros; macro; macro = macro->next)
        if (str_eq(macro->name, name))
            return macro;
    return NULL;
}

static struct vtl_macro *announce_macro(struct vtl_parser *p, struct str name)
{
    struct vtl_macro *macro = find_macro(p, name);
    if (macro)
        return macro;
    macro = ARENA_NEW(p->arena, struct vtl_macro);
    macro->name = name;
    macro->next = p->macros;
    p->macros = macro;
    return macro;
}

/* A macro may be called in front of its definition: their names are known before anything is parsed. */
static void announce_macros(struct vtl_parser *p)
{
    struct vtl_parser look = *p;
    ptrdiff_t at;
    for (struct str rest = p->text; (at = str_find_str(rest, STR("#macro"))) >= 0; rest = str_from(p->text, look.at)) {
        look.at = (size_t)(rest.ptr - p->text.ptr) + (size_t)at + strlen("#macro");
        vtl_blanks(&look);
        if (!vtl_take(&look, '('))
            continue;
        vtl_blanks(&look);
        struct str name = vtl_word(&look);
        if (name.ptr)
            announce_macro(p, name);
    }
}

/* The directive's name when one stands at `at` (a '#'), with the place behind it. */
static struct str directive_at(const struct vtl_parser *p, size_t at, size_t *behind)
{
    struct vtl_parser look = *p;
    look.at = at;
    if (!vtl_take(&look, '#'))
        return STR_NONE;
    bool formal = vtl_take(&look, '{');
    struct str name = vtl_word(&look);
    if (!name.ptr || (formal && !vtl_take(&look, '}')))
        return STR_NONE;
    *behind = look.at;
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_is(name, known[i]))
            return name;
    return find_macro(p, name) ? name : STR_NONE;
}

static bool open_paren(struct vtl_parser *p, struct str name)
{
    vtl_blanks(p);
    return vtl_take(p, '(') || vtl_fail(p, "'(' expected after #%.*s", STR_FMT(name));
}

static bool close_paren(struct vtl_parser *p)
{
    vtl_blanks(p);
    return vtl_take(p, ')') || vtl_fail(p, "')' expected");
}

static bool parse_variable(struct vtl_parser *p, struct str *name)
{
    vtl_blanks(p);
    if (vtl_peek(p, 0) != '$')
        return vtl_fail(p, "variable expected");
    struct vtl_ref *ref = vtl_parse_ref(p);
    if (!ref)
        return false;
    *name = ref->name;
    return !ref->first || vtl_fail(p, "plain variable expected");
}

static bool parse_set(struct vtl_parser *p, struct builder *b, struct str name)
{
    struct vtl_node *node = add(p, b, NODE_SET);
    if (!open_paren(p, name))
        return false;
    vtl_blanks(p);
    if (vtl_peek(p, 0) != '$')
        return vtl_fail(p, "reference expected in #set");
    node->ref = vtl_parse_ref(p);
    if (!node->ref)
        return false;
    vtl_blanks(p);
    if (!vtl_take(p, '='))
        return vtl_fail(p, "'=' expected in #set");
    node->expr = vtl_parse_expr(p);
    if (!node->expr || !close_paren(p))
        return false;
    vtl_eat_line_end(p);
    return true;
}

static bool parse_if(struct vtl_parser *p, struct builder *b, struct str name, int blocks)
{
    struct vtl_node *node = add(p, b, NODE_IF);
    struct vtl_branch **end = &node->branches;
    enum ending ending = END_ELSEIF;
    while (ending != END_END) {
        struct vtl_branch *branch = ARENA_NEW(p->arena, struct vtl_branch);
        if (ending == END_ELSEIF) {
            if (!open_paren(p, name))
                return false;
            branch->condition = vtl_parse_expr(p);
            if (!branch->condition || !close_paren(p))
                return false;
        }
        vtl_eat_line_end(p);
        bool last = ending == END_ELSE;
        branch->body = parse_block(p, blocks, &ending);
        *end = branch;
        end = &branch->next;
        if (p->failed)
            return false;
        if (ending == END_OF_TEXT || (last && ending != END_END))
            return vtl_fail(p, "#end expected");
    }
    vtl_eat_line_end(p);
    return true;
}

static bool parse_body(struct vtl_parser *p, struct vtl_node **body, int blocks)
{
    enum ending ending;
    vtl_eat_line_end(p);
    *body = parse_block(p, blocks, &ending);
    if (p->failed)
        return false;
    if (ending != END_END)
        return vtl_fail(p, "#end expected");
    vtl_eat_line_end(p);
    return true;
}

static bool parse_foreach(struct vtl_parser *p, struct builder *b, struct str name, int blocks)
{
    struct vtl_node *node = add(p, b, NODE_FOREACH);
    if (!open_paren(p, name) || !parse_variable(p, &node->text))
        return false;
    vtl_blanks(p);
    if (!str_is(vtl_word(p), "in"))
        return vtl_fail(p, "'in' expected in #foreach");
    node->expr = vtl_parse_expr(p);
    return node->expr && close_paren(p) && parse_body(p, &node->body, blocks);
}

static bool parse_define(struct vtl_parser *p, struct builder *b, struct str name, int blocks)
{
    struct vtl_node *node = add(p, b, NODE_DEFINE);
    return open_paren(p, name) && parse_variable(p, &node->text) && close_paren(p) &&
           parse_body(p, &node->body, blocks);
}

static bool parse_macro(struct vtl_parser *p, struct str name, int blocks)
{
    if (!open_paren(p, name))
        return false;
    vtl_blanks(p);
    struct str called = vtl_word(p);
    if (!called.ptr)
        return vtl_fail(p, "name of the macro expected");
    struct vtl_macro *macro = announce_macro(p, called);
    macro->parameters = ARENA_ARRAY(p->arena, struct str, 16);
    macro->n = 0;
    for (vtl_blanks(p); vtl_peek(p, 0) == '$' || vtl_peek(p, 0) == ','; vtl_blanks(p)) {
        if (vtl_take(p, ','))
            continue;
        if (macro->n == 16)
            return vtl_fail(p, "at most 16 parameters");
        if (!parse_variable(p, &macro->parameters[macro->n++]))
            return false;
    }
    return close_paren(p) && parse_body(p, &macro->body, blocks);
}

/* Arguments of a macro are parted by blanks or commas. */
static bool parse_call(struct vtl_parser *p, struct builder *b, const struct vtl_macro *macro)
{
    struct vtl_node *node = add(p, b, NODE_CALL);
    node->macro = macro;
    node->args = ARENA_ARRAY(p->arena, struct vtl_expr *, 16);
    if (!open_paren(p, macro->name))
        return false;
    for (;;) {
        vtl_blanks(p);
        if (vtl_take(p, ')'))
            break;
        if (vtl_take(p, ','))
            continue;
        if (node->n_args == 16)
            return vtl_fail(p, "at most 16 arguments");
        struct vtl_expr *arg = vtl_parse_expr(p);
        if (!arg)
            return false;
        node->args[node->n_args++] = arg;
    }
    vtl_eat_line_end(p);
    return true;
}

/* "#break" or "#break($foreach.parent)": how many loops that is. */
static bool parse_break(struct vtl_parser *p, struct builder *b)
{
    struct vtl_node *node = add(p, b, NODE_BREAK);
    node->levels = 1;
    if (!vtl_take(p, '('))
        return true;
    vtl_blanks(p);
    struct vtl_ref *ref = vtl_peek(p, 0) == '$' ? vtl_parse_ref(p) : NULL;
    if (!ref || !str_is(ref->name, "foreach"))
        return vtl_fail(p, "$foreach expected in #break");
    for (const struct vtl_accessor *access = ref->first; access; access = access->next, node->levels++)
        if (access->kind != ACCESS_PROPERTY || !str_is(access->name, "parent"))
            return vtl_fail(p, "$foreach.parent expected in #break");
    return close_paren(p);
}

/* The directive at p->at; *ending is set when it closes the block we are in. */
static bool parse_directive(struct vtl_parser *p, struct builder *b, struct str name, size_t behind, int blocks,
                            enum ending *ending)
{
    p->at = behind;
    if (str_is(name, "end"))
        *ending = END_END;
    else if (str_is(name, "else"))
        *ending = END_ELSE;
    else if (str_is(name, "elseif"))
        *ending = END_ELSEIF;
    else if (str_is(name, "set"))
        return parse_set(p, b, name);
    else if (str_is(name, "if"))
        return parse_if(p, b, name, blocks);
    else if (str_is(name, "foreach"))
        return parse_foreach(p, b, name, blocks);
    else if (str_is(name, "define"))
        return parse_define(p, b, name, blocks);
    else if (str_is(name, "macro"))
        return parse_macro(p, name, blocks);
    else if (str_is(name, "stop"))
        add(p, b, NODE_STOP);
    else if (str_is(name, "break"))
        return parse_break(p, b);
    else if (find_macro(p, name))
        return parse_call(p, b, find_macro(p, name));
    else
        return vtl_fail(p, "#%.*s is not available", STR_FMT(name));
    return true;
}

/* --- text --- */

/* "##" to the end of its line, "#* *#", "#[[ ]]#" (kept as it is). True: it was one. */
static bool skip_comment(struct vtl_parser *p, struct builder *b)
{
    struct str rest = str_from(p->text, p->at);
    if (str_starts(rest, STR("##"))) {
        ptrdiff_t end = str_find(rest, '\n');
        p->at += end < 0 ? rest.len : (size_t)end + 1;
        return true;
    }
    if (str_starts(rest, STR("#*"))) {
        ptrdiff_t end = str_find_str(rest, STR("*#"));
        p->at += end < 0 ? rest.len : (size_t)end + 2;
        return true;
    }
    ptrdiff_t end = str_starts(rest, STR("#[[")) ? str_find_str(rest, STR("]]#")) : -1;
    if (end < 0)
        return false;
    add_text(p, b, str_sub(rest, 3, (size_t)end - 3));
    p->at += (size_t)end + 3;
    return true;
}

/* A run of backslashes. Before a reference or directive each pair is one, an odd one escapes;
 * anywhere else they are text. Recorded: "\\$email" is "\foo", "\#end" is "#end", "\ " stays. */
static void parse_backslashes(struct vtl_parser *p, struct builder *b)
{
    size_t start = p->at, behind;
    while (vtl_peek(p, 0) == '\\')
        p->at++;
    size_t n = p->at - start;
    if (!vtl_at_reference(p, p->at) && !directive_at(p, p->at, &behind).ptr) {
        add_text(p, b, str_sub(p->text, start, n));
        return;
    }
    add_text(p, b, str_sub(p->text, start, n / 2));
    if (n % 2) {
        add_text(p, b, str_sub(p->text, p->at, 1));
        p->at++;
    }
}

static struct vtl_node *parse_block(struct vtl_parser *p, int blocks, enum ending *ending)
{
    struct builder b = { NULL, NULL };
    b.end = &b.first;
    *ending = END_OF_TEXT;
    if (blocks > MAX_BLOCKS) {
        vtl_fail(p, "blocks nested too deeply");
        return NULL;
    }
    while (p->at < p->text.len && *ending == END_OF_TEXT && !p->failed) {
        char c = vtl_peek(p, 0);
        size_t behind;
        struct str name;
        if (c == '\\') {
            parse_backslashes(p, &b);
        } else if (c == '$' && vtl_at_reference(p, p->at)) {
            struct vtl_node *node = add(p, &b, NODE_REF);
            node->ref = vtl_parse_ref(p);
        } else if (c == '#' && skip_comment(p, &b)) {
            continue;
        } else if (c == '#' && (name = directive_at(p, p->at, &behind)).ptr) {
            parse_directive(p, &b, name, behind, blocks + 1, ending);
        } else {
            size_t start = p->at++;
            while (p->at < p->text.len && !strchr("\\$#", p->text.ptr[p->at]))
                p->at++;
            add_text(p, &b, str_sub(p->text, start, p->at - start));
        }
    }
    return b.first;
}

struct vtl_node *vtl_parse_inner(struct vtl_parser *p, struct str text, uint32_t base)
{
    struct vtl_parser inner = { .arena = p->arena, .text = text, .base = base, .depth = p->depth + 1,
                                .macros = p->macros };
    enum ending ending;
    struct vtl_node *first = parse_block(&inner, 0, &ending);
    if (!inner.failed && ending != END_OF_TEXT)
        vtl_fail(&inner, "#end without a block");
    if (inner.failed && !p->failed) {
        p->failed = true;
        p->failed_at = inner.failed_at;
        p->message = inner.message;
    }
    return first;
}

struct vtl_template *vtl_parse(struct arena *arena, struct str text, struct vtl_where *where)
{
    struct vtl_parser p = { .arena = arena, .text = text };
    struct vtl_template *tpl = ARENA_NEW(arena, struct vtl_template);
    enum ending ending;
    tpl->text = text;
    announce_macros(&p);
    tpl->first = parse_block(&p, 0, &ending);
    if (!p.failed && ending != END_OF_TEXT)
        vtl_fail(&p, "#end, #else or #elseif without a block");
    if (!p.failed)
        return tpl;
    if (where)
        *where = vtl_locate(text, p.failed_at, p.message);
    return NULL;
}

struct str vtl_template_text(const struct vtl_template *tpl)
{
    return tpl->text;
}
