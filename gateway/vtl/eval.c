#include "gateway/vtl/eval.h"

#include <math.h>

#include "gateway/vtl/ast.h"

#define MAX_DEPTH 64

/* Generous for honest templates; a loop thread is busy for some 50 ms at the very worst. */
const struct vtl_limits vtl_limits_default = {
    .steps = 500000, .output_bytes = 10 * 1024 * 1024, .heap_bytes = 128 * 1024 * 1024, .rounds = 1000,
};

struct vtl_scope {
    struct vtl_map *variables;
};

struct vtl_run {
    struct arena *arena;
    struct vtl_scope *scope;
    const struct vtl_limits *limits;
    struct strbuf *out;
    int64_t steps;
    int depth;
    bool failed, stopped;
    int breaking;              /* loops to leave */
    struct str message;
    uint32_t failed_at;
    const void *prepared;      /* what the parser made of the call that is under way */
    size_t heap_before;
};

static void run_nodes(struct vtl_run *run, const struct vtl_node *node);
static struct vtl_value eval(struct vtl_run *run, const struct vtl_expr *expr);

struct vtl_scope *vtl_scope_new(struct arena *arena)
{
    struct vtl_scope *scope = ARENA_NEW(arena, struct vtl_scope);
    scope->variables = vtl_map_new(arena);
    return scope;
}

void vtl_scope_set(struct vtl_scope *scope, struct str name, struct vtl_value value)
{
    vtl_map_put(scope->variables, name, value);
}

struct arena *vtl_run_arena(struct vtl_run *run)
{
    return run->arena;
}

const void *vtl_run_prepared(const struct vtl_run *run)
{
    return run->prepared;
}

void vtl_run_charge(struct vtl_run *run, int64_t steps)
{
    run->steps -= steps;
}

int64_t vtl_run_left(const struct vtl_run *run)
{
    return run->steps;
}

bool vtl_run_fail(struct vtl_run *run, const char *fmt, ...)
{
    if (!run->failed) {
        va_list args;
        va_start(args, fmt);
        run->message = str_vprintf(run->arena, fmt, args);
        va_end(args);
        run->failed = true;
    }
    return false;
}

static bool fail_at(struct vtl_run *run, uint32_t offset, const char *message)
{
    if (!run->failed) {
        vtl_run_fail(run, "%s", message);
        run->failed_at = offset;
    }
    return false;
}

static bool step(struct vtl_run *run, uint32_t offset)
{
    if (run->failed)
        return false;
    if (run->steps-- <= 0)
        return fail_at(run, offset, "the template takes too many steps");
    if (run->out->len > run->limits->output_bytes)
        return fail_at(run, offset, "the template's output is too long");
    if (arena_bytes(run->arena) - run->heap_before > run->limits->heap_bytes)
        return fail_at(run, offset, "the template takes too much memory");
    return true;
}

/* --- references --- */

static size_t eval_args(struct vtl_run *run, struct vtl_expr *const *args, size_t n, struct vtl_value *out, size_t max)
{
    if (n > max)
        n = max;
    for (size_t i = 0; i < n; i++)
        out[i] = eval(run, args[i]);
    return n;
}

/* A method's work grows with the text it works on; a regular expression's is bounded, but not small. */
static void charge_method(struct vtl_run *run, struct vtl_value self, struct str name)
{
    if (self.kind == VTL_STRING)
        run->steps -= (int64_t)(self.text.len / 64) +
                      (str_starts(name, STR("replace")) || str_is(name, "matches") || str_is(name, "split") ? 200 : 0);
    else if (self.kind == VTL_LIST)
        run->steps -= (int64_t)(self.list->n / 16);
    else if (self.kind == VTL_MAP)
        run->steps -= (int64_t)(self.map->n / 16);
}

/* False: the object has no such member; it may still be a map that has. */
static bool access_object(struct vtl_run *run, struct vtl_value self, const struct vtl_accessor *access,
                          const struct vtl_value *args, size_t n, uint32_t offset, struct vtl_value *out)
{
    const struct vtl_class *class = self.object.class;
    bool found;
    if (access->kind == ACCESS_CALL) {
        run->prepared = access->prepared;
        found = class->call(self.object.self, run, access->name, args, n, out);
        if (run->failed && !run->failed_at)
            run->failed_at = offset;
    } else {
        struct str name = access->kind == ACCESS_PROPERTY ? access->name : vtl_string(run->arena, args[0]);
        found = class->get(self.object.self, name, out);
    }
    return found || run->failed || !class->map || access->kind != ACCESS_CALL;
}

static struct vtl_value access_one(struct vtl_run *run, struct vtl_value self, const struct vtl_accessor *access,
                                   uint32_t offset)
{
    struct vtl_value args[8] = { 0 }, out = vtl_null();
    size_t n = eval_args(run, access->args, access->n_args, args, COUNT(args));
    if (run->failed || self.kind == VTL_NULL)
        return vtl_null();
    if (access->n_args > COUNT(args)) {
        fail_at(run, offset, "too many arguments");
        return out;
    }
    if (self.kind == VTL_OBJECT && access_object(run, self, access, args, n, offset, &out))
        return out;
    self = vtl_plain(self);
    if (access->kind == ACCESS_PROPERTY) {
        vtl_property(run->arena, self, access->name, &out);
    } else if (access->kind == ACCESS_CALL) {
        charge_method(run, self, access->name);
        vtl_method(run->arena, self, access->name, args, n, &out);
    } else {
        vtl_index(run->arena, self, args[0], &out);
    }
    return out;
}

static struct vtl_value eval_ref_until(struct vtl_run *run, const struct vtl_ref *ref, const struct vtl_accessor *end)
{
    struct vtl_value *found = vtl_map_find(run->scope->variables, ref->name);
    struct vtl_value value = found ? *found : vtl_null();
    for (const struct vtl_accessor *access = ref->first; access && access != end; access = access->next) {
        if (!step(run, ref->offset))
            return vtl_null();
        value = access_one(run, value, access, ref->offset);
    }
    return value;
}

static void print(struct vtl_run *run, struct vtl_value value, uint32_t offset)
{
    if (value.kind == VTL_NULL)
        return;
    if (value.kind == VTL_BLOCK) {
        if (++run->depth > MAX_DEPTH)
            fail_at(run, offset, "#define blocks refer to each other");
        else
            run_nodes(run, value.block);
        run->depth--;
        return;
    }
    if (!vtl_print(run->out, value, 0))
        fail_at(run, offset, "a value is nested too deeply");
}

/* --- expressions --- */

static struct vtl_value eval_text(struct vtl_run *run, const struct vtl_expr *expr)
{
    struct strbuf text = strbuf_in(run->arena, 64), *outer = run->out;
    run->out = &text;
    if (++run->depth > MAX_DEPTH)
        fail_at(run, expr->offset, "nested too deeply");
    else
        run_nodes(run, expr->text);
    run->depth--;
    run->out = outer;
    return vtl_text(strbuf_view(&text));
}

static struct vtl_value eval_list(struct vtl_run *run, const struct vtl_expr *expr)
{
    struct vtl_list *list = vtl_list_new(run->arena);
    for (size_t i = 0; i < expr->n && !run->failed; i++)
        vtl_list_add(list, eval(run, expr->items[i]));
    return vtl_list_value(list);
}

static struct vtl_value eval_range(struct vtl_run *run, const struct vtl_expr *expr)
{
    struct vtl_value from = eval(run, expr->items[0]), to = eval(run, expr->items[1]);
    if (from.kind != VTL_INT || to.kind != VTL_INT)
        return vtl_null();
    struct vtl_list *list = vtl_list_new(run->arena);
    int direction = from.integer <= to.integer ? 1 : -1;
    for (int64_t i = from.integer;; i += direction) {
        if (!step(run, expr->offset))
            break;
        vtl_list_add(list, vtl_int(i));
        if (i == to.integer)
            break;
    }
    return vtl_list_value(list);
}

static struct vtl_value eval_map(struct vtl_run *run, const struct vtl_expr *expr)
{
    struct vtl_map *map = vtl_map_new(run->arena);
    for (size_t i = 0; i + 1 < expr->n && !run->failed; i += 2) {
        struct vtl_value key = eval(run, expr->items[i]);
        vtl_map_put(map, vtl_string(run->arena, key), eval(run, expr->items[i + 1]));
    }
    return vtl_map_value(map);
}

/* Beyond a long Velocity goes on with BigInteger. */
static struct vtl_value arithmetic_int(struct arena *arena, enum vtl_op op, int64_t a, int64_t b)
{
    switch (op) {
    case OP_ADD:
        return vtl_big(arena, (__int128)a + b);
    case OP_SUB:
        return vtl_big(arena, (__int128)a - b);
    case OP_MUL:
        return vtl_big(arena, (__int128)a * b);
    default:
        if (b == 0)
            return vtl_null();
        return vtl_big(arena, op == OP_DIV ? (__int128)a / b : (__int128)a % b);
    }
}

static struct vtl_value arithmetic(struct vtl_run *run, enum vtl_op op, struct vtl_value a, struct vtl_value b)
{
    if (op == OP_ADD && (a.kind == VTL_STRING || b.kind == VTL_STRING))
        return vtl_text(str_concat(run->arena, vtl_string(run->arena, a), vtl_string(run->arena, b)));
    if (a.kind == VTL_INT && b.kind == VTL_INT)
        return arithmetic_int(run->arena, op, a.integer, b.integer);
    if ((a.kind != VTL_INT && a.kind != VTL_DOUBLE) || (b.kind != VTL_INT && b.kind != VTL_DOUBLE))
        return vtl_null();
    double x = a.kind == VTL_INT ? (double)a.integer : a.real, y = b.kind == VTL_INT ? (double)b.integer : b.real;
    switch (op) {
    case OP_ADD:
        return vtl_double(x + y);
    case OP_SUB:
        return vtl_double(x - y);
    case OP_MUL:
        return vtl_double(x * y);
    case OP_DIV:
        return vtl_double(x / y);
    default:
        return y == 0 ? vtl_null() : vtl_double(fmod(x, y));
    }
}

static struct vtl_value eval_binary(struct vtl_run *run, const struct vtl_expr *expr)
{
    struct vtl_value a = eval(run, expr->left);
    if (expr->op == OP_OR)
        return vtl_bool(vtl_is_true(a) || vtl_is_true(eval(run, expr->right)));
    if (expr->op == OP_AND)
        return vtl_bool(vtl_is_true(a) && vtl_is_true(eval(run, expr->right)));
    struct vtl_value b = eval(run, expr->right);
    int order = expr->op >= OP_LT && expr->op <= OP_GE ? vtl_compare(a, b) : 0;
    switch (expr->op) {
    case OP_EQ:
        return vtl_bool(vtl_same(run->arena, a, b));
    case OP_NE:
        return vtl_bool(!vtl_same(run->arena, a, b));
    case OP_LT:
        return vtl_bool(order == -1);
    case OP_LE:
        return vtl_bool(order == -1 || order == 0);
    case OP_GT:
        return vtl_bool(order == 1);
    case OP_GE:
        return vtl_bool(order == 1 || order == 0);
    default:
        return arithmetic(run, expr->op, a, b);
    }
}

static struct vtl_value eval_minus(struct vtl_value value)
{
    if (value.kind == VTL_INT)
        return vtl_int((int64_t)(0 - (uint64_t)value.integer));
    return value.kind == VTL_DOUBLE ? vtl_double(-value.real) : vtl_null();
}

static struct vtl_value eval(struct vtl_run *run, const struct vtl_expr *expr)
{
    if (!step(run, expr->offset))
        return vtl_null();
    switch (expr->kind) {
    case EXPR_LITERAL:
        return expr->literal;
    case EXPR_REF:
        return eval_ref_until(run, expr->ref, NULL);
    case EXPR_TEXT:
        return eval_text(run, expr);
    case EXPR_LIST:
        return eval_list(run, expr);
    case EXPR_RANGE:
        return eval_range(run, expr);
    case EXPR_MAP:
        return eval_map(run, expr);
    case EXPR_NOT:
        return vtl_bool(!vtl_is_true(eval(run, expr->left)));
    case EXPR_MINUS:
        return eval_minus(eval(run, expr->left));
    case EXPR_BINARY:
        return eval_binary(run, expr);
    }
    return vtl_null();
}

/* --- directives --- */

static void set_member(struct vtl_run *run, struct vtl_value self, const struct vtl_accessor *last,
                       struct vtl_value value, uint32_t offset)
{
    if (last->kind == ACCESS_CALL) {
        fail_at(run, offset, "a method's result cannot be set");
        return;
    }
    struct vtl_value key = last->kind == ACCESS_PROPERTY ? vtl_text(last->name) : eval(run, last->args[0]);
    if (self.kind == VTL_LIST && key.kind == VTL_INT && key.integer >= 0 &&
        key.integer < (int64_t)self.list->n) {
        self.list->items[key.integer] = value;
    } else if (self.kind == VTL_OBJECT) {
        fail_at(run, offset, "this part of $context is read only");
    } else if (self.kind == VTL_MAP) {
        struct str name = str_copy(run->arena, vtl_string(run->arena, key));
        if (self.map->read_only)
            fail_at(run, offset, "this part of $context is read only");
        else if (self.map->write_once && vtl_map_find(self.map, name))
            fail_at(run, offset, "the same override is set twice");
        else
            vtl_map_put(self.map, name, value);
    } /* nothing there to set it on: Velocity lets it pass */
}

static void run_set(struct vtl_run *run, const struct vtl_node *node)
{
    struct vtl_value value = eval(run, node->expr);
    if (run->failed)
        return;
    const struct vtl_accessor *last = node->ref->first;
    if (!last) {
        vtl_map_put(run->scope->variables, node->ref->name, value);
        return;
    }
    while (last->next)
        last = last->next;
    set_member(run, eval_ref_until(run, node->ref, last), last, value, node->offset);
}

static void run_if(struct vtl_run *run, const struct vtl_node *node)
{
    for (const struct vtl_branch *branch = node->branches; branch && !run->failed; branch = branch->next)
        if (!branch->condition || vtl_is_true(eval(run, branch->condition))) {
            run_nodes(run, branch->body);
            return;
        }
}

/* What #foreach loops over: a list's items, a map's values, nothing for everything else. */
static const struct vtl_list *loop_items(struct vtl_run *run, struct vtl_value over)
{
    struct vtl_value values;
    over = vtl_plain(over);
    if (over.kind == VTL_LIST)
        return over.list;
    if (over.kind == VTL_MAP && vtl_method(run->arena, over, STR("values"), NULL, 0, &values))
        return values.list;
    return NULL;
}

/* Names a loop sets, and what they held before. */
static const char *const loop_names[] = { "foreach", "velocityCount", "velocityHasNext" };
#define LOOP_NAMES 4

struct saved {
    struct str name;
    bool was_set;
    struct vtl_value value;
};

static void save(struct vtl_run *run, struct saved saved[LOOP_NAMES], struct str variable)
{
    for (size_t i = 0; i < LOOP_NAMES; i++) {
        saved[i].name = i < COUNT(loop_names) ? str_of(loop_names[i]) : variable;
        struct vtl_value *old = vtl_map_find(run->scope->variables, saved[i].name);
        saved[i].was_set = old != NULL;
        saved[i].value = old ? *old : vtl_null();
    }
}

static void restore(struct vtl_run *run, const struct saved saved[LOOP_NAMES])
{
    for (size_t i = 0; i < LOOP_NAMES; i++) {
        if (saved[i].was_set)
            vtl_map_put(run->scope->variables, saved[i].name, saved[i].value);
        else
            vtl_map_put(run->scope->variables, saved[i].name, vtl_null());
    }
}

/* $foreach: a map that only the loop writes, so that its entries stay where they are. */
static const char *const loop_members[] = { "index", "count", "hasNext", "first", "last", "parent" };

static struct vtl_map *loop_map(struct vtl_run *run, struct vtl_value parent)
{
    struct vtl_map *loop = vtl_map_new(run->arena);
    for (size_t i = 0; i < COUNT(loop_members); i++)
        vtl_map_put(loop, str_of(loop_members[i]), parent);
    loop->read_only = true;
    return loop;
}

static void begin_round(struct vtl_run *run, struct vtl_map *loop, const struct vtl_node *node,
                        struct vtl_value item, size_t i, size_t n)
{
    struct vtl_map *vars = run->scope->variables;
    const struct vtl_value now[] = { vtl_int((int64_t)i), vtl_int((int64_t)i + 1), vtl_bool(i + 1 < n), vtl_bool(i == 0),
                                     vtl_bool(i + 1 == n) };
    for (size_t k = 0; k < COUNT(now); k++)
        loop->entries[k].value = now[k];
    vtl_map_put(vars, STR("foreach"), vtl_map_value(loop));
    vtl_map_put(vars, STR("velocityCount"), now[1]);
    vtl_map_put(vars, STR("velocityHasNext"), now[2]);
    vtl_map_put(vars, node->text, item);
}

static void run_foreach(struct vtl_run *run, const struct vtl_node *node)
{
    const struct vtl_list *items = loop_items(run, eval(run, node->expr));
    if (!items || items->n == 0 || run->failed)
        return;
    struct saved saved[LOOP_NAMES];
    save(run, saved, node->text);
    struct vtl_map *loop = loop_map(run, saved[0].value);
    size_t n = items->n;
    for (size_t i = 0; i < n && i < items->n && !run->failed && !run->stopped; i++) {
        if (i >= (size_t)run->limits->rounds) /* "limited to 1,000 iterations": the rest is left out */
            break;
        begin_round(run, loop, node, items->items[i], i, n);
        run_nodes(run, node->body);
        if (run->breaking)
            break;
    }
    run->breaking -= run->breaking > 0;
    restore(run, saved);
}

static void run_call(struct vtl_run *run, const struct vtl_node *node)
{
    const struct vtl_macro *macro = node->macro;
    struct vtl_value args[16], old[16];
    size_t n = eval_args(run, node->args, node->n_args, args, COUNT(args));
    if (++run->depth > MAX_DEPTH) {
        fail_at(run, node->offset, "macros call each other too deeply");
    } else {
        for (size_t i = 0; i < macro->n; i++) {
            struct vtl_value *before = vtl_map_find(run->scope->variables, macro->parameters[i]);
            old[i] = before ? *before : vtl_null();
            vtl_map_put(run->scope->variables, macro->parameters[i], i < n ? args[i] : vtl_null());
        }
        run_nodes(run, macro->body);
        for (size_t i = 0; i < macro->n; i++)
            vtl_map_put(run->scope->variables, macro->parameters[i], old[i]);
    }
    run->depth--;
}

static void run_nodes(struct vtl_run *run, const struct vtl_node *node)
{
    for (; node && !run->stopped && !run->breaking && step(run, node->offset); node = node->next) {
        switch (node->kind) {
        case NODE_TEXT:
            strbuf_add(run->out, node->text);
            break;
        case NODE_REF:
            print(run, eval_ref_until(run, node->ref, NULL), node->offset);
            break;
        case NODE_SET:
            run_set(run, node);
            break;
        case NODE_IF:
            run_if(run, node);
            break;
        case NODE_FOREACH:
            run_foreach(run, node);
            break;
        case NODE_DEFINE:
            vtl_map_put(run->scope->variables, node->text,
                        (struct vtl_value){ .kind = VTL_BLOCK, .block = node->body });
            break;
        case NODE_CALL:
            run_call(run, node);
            break;
        case NODE_STOP:
            run->stopped = true;
            break;
        case NODE_BREAK:
            run->breaking = (int)node->levels;
            break;
        }
    }
}

bool vtl_run(const struct vtl_template *tpl, struct vtl_scope *scope, const struct vtl_limits *limits,
             struct strbuf *out, struct vtl_where *where)
{
    struct vtl_run run = { .arena = out->arena, .scope = scope, .limits = limits, .out = out,
                           .steps = limits->steps, .heap_before = arena_bytes(out->arena) };
    run_nodes(&run, tpl->first);
    if (run.failed && where)
        *where = vtl_locate(tpl->text, run.failed_at, run.message);
    return !run.failed;
}
