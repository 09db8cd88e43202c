/* The smallest change that turns a decision.
 *
 * A denied request has faults: statements that deny it, layers that must allow and do not. Another value in
 * the request may mend one; it is offered when, with it, there really are fewer. What is left is mended in the
 * policies: a statement removed or added for each. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/why_parts.h"

enum { MOST = 16, TRIES = 24 }; /* tries: traces are written on loop threads */

/* --- values that would do --- */

/* Who asks is not for him to choose. */
static bool is_fixed(struct str key)
{
    static const char *const keys[] = { "aws:username", "aws:userid", "aws:PrincipalArn", "aws:PrincipalAccount",
                                        "aws:PrincipalType", "aws:PrincipalIsAWSService" };
    for (size_t i = 0; i < COUNT(keys); i++)
        if (str_eq_nocase(key, str_of(keys[i])))
            return true;
    return false;
}

static struct str without_wild_cards(struct arena *arena, struct str text)
{
    struct strbuf buf = strbuf_in(arena, text.len + 1);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '*')
            strbuf_char(&buf, text.ptr[i] == '?' ? 'x' : text.ptr[i]);
    return strbuf_view(&buf);
}

static struct str beside(struct arena *arena, struct str text, double by)
{
    struct date date;
    char *end;
    const char *from = str_c(arena, text);
    double number = strtod(from, &end);
    if (*from && !*end)
        return str_printf(arena, "%.15g", number + by);
    return date_parse(text, &date) ? str_printf(arena, "%lld", (long long)date.s + (long long)by) : STR_NONE;
}

/* Candidates, good or bad: the condition itself is asked which one does. */
static size_t candidates(struct arena *arena, const struct why_condition *condition, struct str out[MOST])
{
    size_t n = 0;
    static const char *const others[] = { "true", "false", "203.0.113.1", "2001:db8::1", "another-value", "0",
                                          "arn:aws:iam::000000000000:another", "4102444800", "-1", "x" };
    for (size_t i = 0; i < condition->n_expected && n < 4; i++) {
        struct str text = condition->expected[i];
        if (str_find_str(text, STR("${")) >= 0)
            continue;
        out[n++] = str_sub(text, 0, str_find(text, '/') > 0 ? (size_t)str_find(text, '/') : text.len);
        out[n++] = text;
        out[n++] = without_wild_cards(arena, text);
        struct str below = beside(arena, text, -1), above = beside(arena, text, 1);
        if (below.ptr && n + 2 <= MOST) {
            out[n++] = below;
            out[n++] = above;
        }
    }
    for (size_t i = 0; i < COUNT(others) && n < MOST; i++)
        out[n++] = str_of(others[i]);
    return n;
}

/* The request with one key changed; values NULL: without it. */
static struct policy_request with_key(struct arena *arena, const struct policy_request *request, struct str name,
                                      const struct str *values, size_t n)
{
    struct policy_request out = *request;
    struct policy_key *keys = ARENA_ARRAY(arena, struct policy_key, request->n_keys + 1);
    out.keys = keys;
    out.n_keys = 0;
    for (size_t i = 0; i < request->n_keys; i++)
        if (!str_eq_nocase(request->keys[i].name, name))
            keys[out.n_keys++] = request->keys[i];
    if (values)
        keys[out.n_keys++] = (struct policy_key){ name, values, n };
    return out;
}

/* Changes the request so that the condition comes out as wanted. False: nothing simple does. */
static bool turn(const struct why_case *c, const struct condition *condition, bool wanted, struct why_change *change,
                 struct policy_request *request)
{
    struct str tries[MOST];
    if (is_fixed(condition->key))
        return false;
    struct policy_request bare = with_key(c->arena, request, condition->key, NULL, 0);
    bool was = policy_context_find(request->keys, request->n_keys, condition->key) != NULL;
    size_t n = candidates(c->arena, &change->condition, tries);
    for (size_t i = 0; i < n; i++) {
        struct str *value = ARENA_NEW(c->arena, struct str);
        *value = tries[i];
        struct policy_request other = with_key(c->arena, request, condition->key, value, 1);
        if (!value->len || condition_holds(c->arena, condition, &other) != wanted)
            continue;
        change->values = value;
        change->n_values = 1;
        *request = other;
        return true;
    }
    if (!was || condition_holds(c->arena, condition, &bare) != wanted)
        return false;
    *request = bare;
    return true;
}

/* --- finding them --- */

struct search {
    struct why_case now;           /* with the values that were chosen so far */
    struct policy_request request;
    struct policy_why *out;
    int tries;
};

static size_t faults(const struct why_case *c)
{
    size_t n = (size_t)__builtin_popcount(c->silent);
    for (enum layer i = 0; i < LAYERS; i++)
        n += c->denies[i];
    return n;
}

static struct str statement_name(struct arena *arena, const char *layer, const struct why_statement *of)
{
    return str_printf(arena, "statement %d%s%.*s%s of %s %.*s (line %lld column %lld)", of->index + 1,
                      of->sid.len ? " (Sid " : "", STR_FMT(of->sid), of->sid.len ? ")" : "", layer, STR_FMT(of->policy),
                      (long long)of->at.line, (long long)of->at.column);
}

static void say_context(struct arena *arena, struct why_change *change)
{
    struct str key = change->condition.key;
    struct str with = change->values ? str_printf(arena, "with %.*s = %.*s", STR_FMT(key), STR_FMT(change->values[0]))
                                     : str_printf(arena, "without %.*s", STR_FMT(key));
    struct str name = statement_name(arena, change->layer, &change->of);
    struct str words = why_condition_words(arena, &change->condition), is = why_actual_words(arena, &change->condition);
    change->text = str_printf(arena, "ask %.*s, for example: then %.*s of %.*s would%s hold, and it would %s (%.*s)",
                              STR_FMT(with), STR_FMT(words), STR_FMT(name), change->of.deny ? " not" : "",
                              change->of.deny ? "no longer deny" : "allow", STR_FMT(is));
}

/* Would another value in the request mend it? For a statement that allows, all its conditions must hold; of one
 * that denies, one must not. */
static bool mend_by_context(struct search *s, enum layer l, const struct policy *policy, size_t index)
{
    struct arena *arena = s->now.arena;
    const struct statement *statement = &policy->statements[index];
    struct why_statement of = why_statement(&s->now, policy, index);
    for (size_t first = 0; first < statement->n_conditions; first++) {
        struct policy_request request = s->request;
        struct why_change changes[MOST];
        size_t n = 0;
        bool turned = true;
        for (size_t i = first; turned && i < statement->n_conditions && n + s->out->n_changes < MOST; i++) {
            if (of.conditions[i].holds != statement->deny)
                continue;
            changes[n] = (struct why_change){ .kind = WHY_CONTEXT, .layer = s->now.rows[l].type, .policy = policy->name,
                                              .of = of, .condition = of.conditions[i] };
            turned = turn(&s->now, &statement->conditions[i], !statement->deny, &changes[n++], &request);
            if (statement->deny)
                break;
        }
        struct why_case then;
        struct policy_request *kept = ARENA_NEW(arena, struct policy_request);
        *kept = request;
        why_case_of(arena, s->now.layers, kept, &then);
        if (turned && n && faults(&then) < faults(&s->now)) {
            for (size_t i = 0; i < n; i++) {
                say_context(arena, &changes[i]);
                s->out->changes[s->out->n_changes++] = changes[i];
            }
            s->request = *kept;
            s->now = then;
            return true;
        }
        if (!statement->deny)
            return false;
    }
    return false;
}

static bool mend_one_by_context(struct search *s)
{
    for (enum layer l = 0; l < LAYERS; l++) {
        const struct policy_set *set = s->now.rows[l].set;
        bool silent = s->now.silent & 1u << l;
        if (!set || (!silent && !s->now.denies[l]))
            continue;
        for (size_t p = 0; p < set->n; p++)
            for (size_t i = 0; i < set->policies[p]->n; i++) {
                const struct statement *statement = &set->policies[p]->statements[i];
                bool far;
                enum why_miss miss = why_miss(&s->now, statement, &far);
                bool candidate = statement->deny ? miss == WHY_APPLIES : silent && miss == WHY_CONDITION;
                if (candidate && statement->n_conditions && s->tries++ < TRIES && mend_by_context(s, l, set->policies[p], i))
                    return true;
            }
    }
    return false;
}

static void add_change(struct policy_why *out, struct why_change change)
{
    if (out->n_changes < MOST)
        out->changes[out->n_changes++] = change;
}

static void remove_denies(struct search *s, enum layer l)
{
    const struct policy_set *set = s->now.rows[l].set;
    for (size_t p = 0; set && p < set->n; p++)
        for (size_t i = 0; i < set->policies[p]->n; i++) {
            bool far;
            if (!set->policies[p]->statements[i].deny ||
                why_miss(&s->now, &set->policies[p]->statements[i], &far) != WHY_APPLIES)
                continue;
            struct why_change change = { .kind = WHY_REMOVE, .layer = s->now.rows[l].type,
                                         .policy = set->policies[p]->name,
                                         .of = why_statement(&s->now, set->policies[p], i) };
            struct str name = statement_name(s->now.arena, change.layer, &change.of);
            change.text = str_printf(s->now.arena, "remove %.*s, or narrow it: it denies", STR_FMT(name));
            add_change(s->out, change);
        }
}

/* Whom a statement of a resource's policy would have to name. */
static json_t *principal_of(const struct policy_request *request)
{
    if (request->service.ptr)
        return json_pack("{s:o}", "Service", json_of(request->service));
    if (request->federated.ptr)
        return json_pack("{s:o}", "Federated", json_of(request->federated));
    struct str arn = request->role_arn.ptr ? request->role_arn : request->principal_arn;
    return arn.ptr ? json_pack("{s:o}", "AWS", json_of(arn)) : json_string("*");
}

static struct why_change new_statement(const struct why_case *c, enum layer l, bool deny)
{
    struct arena *arena = c->arena;
    const struct policy_request *request = c->request;
    const struct policy_set *set = c->rows[l].set;
    json_t *json = json_own(arena, json_object());
    json_set_str(json, "Effect", deny ? STR("Deny") : STR("Allow"));
    if (l == LAYER_RESOURCE)
        json_object_set_new(json, "Principal", principal_of(request));
    json_set_str(json, "Action", request->action);
    if (l != LAYER_RESOURCE || !c->layers->trust)
        json_set_str(json, "Resource", request->resource.ptr ? request->resource : STR("*"));
    struct why_change out = { .kind = WHY_ADD, .layer = c->rows[l].type,
                              .policy = set && set->n ? set->policies[0]->name : STR_NONE,
                              .statement = json_print(arena, json) };
    out.text = out.policy.ptr ? str_printf(arena, "add to %s %.*s: %.*s", out.layer, STR_FMT(out.policy), STR_FMT(out.statement))
                              : str_printf(arena, "add %s %s: %.*s", l == LAYER_IDENTITY ? "an" : "a", out.layer, STR_FMT(out.statement));
    return out;
}

static void turn_denied(struct search *s)
{
    while (s->out->n_changes < MOST && !why_case_open(&s->now) && mend_one_by_context(s))
        ;
    for (enum layer l = 0; l < LAYERS; l++)
        if (s->now.denies[l])
            remove_denies(s, l);
    /* Who is named by a resource's policy needs less from his own. */
    unsigned silent = s->now.silent;
    if (silent & 1u << LAYER_RESOURCE)
        silent = 1u << LAYER_RESOURCE | why_case_if(&s->now, LAYER_RESOURCE, s->request.role_arn.ptr ? STATEMENT_TO_ROLE
                                                                                                   : STATEMENT_APPLIES);
    for (enum layer l = 0; l < LAYERS; l++)
        if (silent & 1u << l)
            add_change(s->out, new_statement(&s->now, l, false));
}

/* One statement that everything hangs on, or else a deny where one is possible. */
static void turn_allowed(struct search *s)
{
    const struct why_case *c = &s->now;
    for (enum layer l = 0; l < LAYERS; l++) {
        if (c->allows[l] != 1 || !why_case_if(c, l, STATEMENT_SILENT))
            continue;
        const struct policy_set *set = c->rows[l].set;
        for (size_t p = 0; p < set->n; p++)
            for (size_t i = 0; i < set->policies[p]->n; i++) {
                bool far;
                if (why_miss(c, &set->policies[p]->statements[i], &far) != WHY_APPLIES)
                    continue;
                struct why_change change = { .kind = WHY_REMOVE, .layer = c->rows[l].type, .policy = set->policies[p]->name,
                                             .of = why_statement(c, set->policies[p], i) };
                struct str name = statement_name(c->arena, change.layer, &change.of);
                change.text = str_printf(c->arena, "remove %.*s, or narrow it: nothing else there allows it", STR_FMT(name));
                add_change(s->out, change);
                return;
            }
    }
    enum layer where = c->layers->party == PARTY_ROOT ? LAYER_SERVICE_CONTROL
                       : c->layers->party == PARTY_OUTSIDER ? LAYER_RESOURCE : LAYER_IDENTITY;
    add_change(s->out, new_statement(c, where, true));
}

void why_changes(const struct why_case *c, struct policy_why *out)
{
    struct search s = { .now = *c, .request = *c->request, .out = out };
    out->changes = ARENA_ARRAY(c->arena, struct why_change, MOST);
    if (why_case_open(c))
        turn_allowed(&s);
    else
        turn_denied(&s);
}
