/* An explanation in words, and as JSON. */
#include "policy/why_parts.h"

static const char *effect_word(enum policy_effect effect)
{
    return effect == POLICY_ALLOW ? "allowed" : effect == POLICY_EXPLICIT_DENY ? "explicitDeny" : "implicitDeny";
}

static void add_values(struct strbuf *buf, const struct str *values, size_t n)
{
    strbuf_char(buf, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            strbuf_add(buf, STR(", "));
        json_quote(buf, values[i]);
    }
    strbuf_char(buf, ']');
}

struct str why_condition_words(struct arena *arena, const struct why_condition *condition)
{
    struct strbuf buf = strbuf_in(arena, 128);
    strbuf_printf(&buf, "%.*s %.*s ", STR_FMT(condition->operator), STR_FMT(condition->key));
    add_values(&buf, condition->expected, condition->n_expected);
    return strbuf_view(&buf);
}

struct str why_actual_words(struct arena *arena, const struct why_condition *condition)
{
    struct strbuf buf = strbuf_in(arena, 64);
    if (!condition->actual)
        return STR("it is not in the request");
    strbuf_add(&buf, STR("the request has "));
    add_values(&buf, condition->actual, condition->n_actual);
    return strbuf_view(&buf);
}

/* --- one line --- */

/* The statement that would allow but for a condition. */
static const struct why_statement *nearest(const struct policy_why *why, const struct why_layer **of)
{
    for (size_t l = 0; l < why->n_layers; l++)
        for (size_t s = 0; s < why->layers[l].n; s++) {
            *of = &why->layers[l];
            if (str_is(why->decision.policy_type, why->layers[l].type) && !why->layers[l].statements[s].deny &&
                why->layers[l].statements[s].miss == WHY_CONDITION)
                return &why->layers[l].statements[s];
        }
    return NULL;
}

struct str why_nearest(struct arena *arena, const struct policy_why *why)
{
    const struct why_layer *layer;
    const struct why_statement *near = why->decision.effect == POLICY_IMPLICIT_DENY ? nearest(why, &layer) : NULL;
    for (size_t i = 0; near && i < near->n_conditions; i++) {
        if (near->conditions[i].holds)
            continue;
        struct str words = why_condition_words(arena, &near->conditions[i]);
        struct str is = why_actual_words(arena, &near->conditions[i]);
        return str_printf(arena, "statement %d of %.*s (line %lld column %lld) would, but %.*s does not hold: %.*s",
                          near->index + 1, STR_FMT(near->policy), (long long)near->at.line, (long long)near->at.column,
                          STR_FMT(words), STR_FMT(is));
    }
    return STR_NONE;
}

struct str why_sentence(struct arena *arena, const struct policy_why *why)
{
    struct strbuf buf = strbuf_in(arena, 256);
    strbuf_add(&buf, policy_reason(arena, why->request, &why->decision));
    if (why->decision.effect == POLICY_ALLOW)
        return strbuf_view(&buf);
    if (why->decision.effect == POLICY_IMPLICIT_DENY && why->request->resource.ptr)
        strbuf_printf(&buf, " on %.*s", STR_FMT(why->request->resource));
    if (why->nearest.ptr)
        strbuf_printf(&buf, "; %.*s", STR_FMT(why->nearest));
    for (size_t i = 0; i < why->n_changes; i++)
        strbuf_printf(&buf, "; %s%.*s", i ? "and " : "to change that: ", STR_FMT(why->changes[i].text));
    return strbuf_view(&buf);
}

/* --- lines --- */

static void add_conditions(struct strbuf *buf, struct arena *arena, const struct why_statement *statement)
{
    for (size_t i = 0; i < statement->n_conditions; i++) {
        struct str words = why_condition_words(arena, &statement->conditions[i]);
        struct str is = why_actual_words(arena, &statement->conditions[i]);
        strbuf_printf(buf, "      %.*s %s: %.*s\n", STR_FMT(words),
                      statement->conditions[i].holds ? "holds" : "does not hold", STR_FMT(is));
    }
}

static void add_statement(struct strbuf *buf, struct arena *arena, const struct why_statement *statement)
{
    static const char *const misses[] = {
        [WHY_APPLIES] = "", [WHY_CONDITION] = ", if its conditions held",
        [WHY_OTHER_PRINCIPAL] = ", but to other principals", [WHY_OTHER_RESOURCE] = ", but on other resources",
    };
    strbuf_printf(buf, "    statement %d%s%.*s%s of %.*s, line %lld column %lld: %s%s\n", statement->index + 1,
                  statement->sid.len ? " (Sid " : "", STR_FMT(statement->sid), statement->sid.len ? ")" : "",
                  STR_FMT(statement->policy), (long long)statement->at.line, (long long)statement->at.column,
                  statement->miss == WHY_APPLIES ? statement->deny ? "denies" : "allows"
                                                 : statement->deny ? "would deny" : "would allow",
                  misses[statement->miss]);
    add_conditions(buf, arena, statement);
}

static void add_layer(struct strbuf *buf, struct arena *arena, const struct why_layer *layer)
{
    strbuf_printf(buf, "  %s: %s%s\n", layer->type,
                  layer->effect == POLICY_ALLOW ? "allows" : layer->effect == POLICY_EXPLICIT_DENY ? "denies" : "allows nothing",
                  layer->required || layer->effect != POLICY_IMPLICIT_DENY ? "" : ", which does not matter here");
    for (size_t i = 0; i < layer->n; i++)
        add_statement(buf, arena, &layer->statements[i]);
    if (layer->left_off)
        strbuf_printf(buf, "    and %zu more statements\n", layer->left_off);
}

struct str policy_why_text(struct arena *arena, const struct policy_why *why)
{
    struct strbuf buf = strbuf_in(arena, 1024);
    const struct policy_request *request = why->request;
    struct str reason = policy_reason(arena, request, &why->decision);
    bool allowed = why->decision.effect == POLICY_ALLOW, said = why->decision.statement >= 0 || allowed;
    strbuf_printf(&buf, "%s%.*s\n", said ? "" : "denied: ", STR_FMT(reason));
    if (request->principal_arn.ptr)
        strbuf_printf(&buf, "  principal %.*s\n", STR_FMT(request->principal_arn));
    strbuf_printf(&buf, "  action %.*s\n", STR_FMT(request->action));
    if (request->resource.ptr)
        strbuf_printf(&buf, "  resource %.*s\n", STR_FMT(request->resource));
    for (size_t i = 0; i < why->n_layers; i++)
        add_layer(&buf, arena, &why->layers[i]);
    if (why->n_changes)
        strbuf_printf(&buf, "to %s it:\n", allowed ? "deny" : "allow");
    for (size_t i = 0; i < why->n_changes; i++)
        strbuf_printf(&buf, "  %.*s\n", STR_FMT(why->changes[i].text));
    return strbuf_view(&buf);
}

/* --- JSON --- */

static json_t *list_of(const struct str *values, size_t n)
{
    json_t *out = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(out, json_of(values[i]));
    return out;
}

static json_t *condition_json(const struct why_condition *condition)
{
    json_t *out = json_object();
    json_set_str(out, "operator", condition->operator);
    json_set_str(out, "key", condition->key);
    json_object_set_new(out, "expected", list_of(condition->expected, condition->n_expected));
    json_object_set_new(out, "actual", condition->actual ? list_of(condition->actual, condition->n_actual) : json_null());
    json_set_flag(out, "holds", condition->holds);
    return out;
}

static void place_json(json_t *out, struct str policy, int statement, struct str sid, struct policy_position at)
{
    json_set_str(out, "policy", policy);
    json_set_i64(out, "statement", statement + 1);
    if (sid.len)
        json_set_str(out, "sid", sid);
    json_set_i64(out, "line", at.line);
    json_set_i64(out, "column", at.column);
}

static json_t *statement_json(const struct why_statement *statement)
{
    static const char *const misses[] = { [WHY_APPLIES] = NULL, [WHY_CONDITION] = "condition",
                                          [WHY_OTHER_PRINCIPAL] = "principal", [WHY_OTHER_RESOURCE] = "resource" };
    json_t *out = json_object(), *conditions = json_array();
    place_json(out, statement->policy, statement->index, statement->sid, statement->at);
    json_set_str(out, "effect", statement->deny ? STR("Deny") : STR("Allow"));
    json_set_flag(out, "applies", statement->miss == WHY_APPLIES);
    if (misses[statement->miss])
        json_set_str(out, "failed", str_of(misses[statement->miss]));
    for (size_t i = 0; i < statement->n_conditions; i++)
        json_array_append_new(conditions, condition_json(&statement->conditions[i]));
    json_object_set_new(out, "conditions", conditions);
    return out;
}

static json_t *layer_json(const struct why_layer *layer)
{
    json_t *out = json_object(), *statements = json_array();
    json_set_str(out, "layer", str_of(layer->type));
    json_set_str(out, "decision", str_of(effect_word(layer->effect)));
    json_set_flag(out, "required", layer->required);
    for (size_t i = 0; i < layer->n; i++)
        json_array_append_new(statements, statement_json(&layer->statements[i]));
    json_object_set_new(out, "statements", statements);
    if (layer->left_off)
        json_set_i64(out, "statementsLeftOff", (int64_t)layer->left_off);
    return out;
}

static json_t *change_json(const struct why_change *change)
{
    static const char *const kinds[] = { [WHY_ADD] = "add", [WHY_REMOVE] = "remove", [WHY_CONTEXT] = "context" };
    json_t *out = json_object();
    json_set_str(out, "kind", str_of(kinds[change->kind]));
    json_set_str(out, "layer", str_of(change->layer));
    if (change->kind == WHY_ADD) {
        json_set_str(out, "policy", change->policy);
        json_object_set_new(out, "add", json_loadb(change->statement.ptr, change->statement.len, 0, NULL));
    } else {
        place_json(out, change->policy, change->of.index, change->of.sid, change->of.at);
    }
    if (change->kind == WHY_CONTEXT) {
        json_object_set_new(out, "condition", condition_json(&change->condition));
        json_object_set_new(out, "example", change->values ? list_of(change->values, change->n_values) : json_null());
    }
    json_set_str(out, "text", change->text);
    return out;
}

json_t *policy_why_json(struct arena *arena, const struct policy_why *why)
{
    const struct policy_decision *decision = &why->decision;
    json_t *out = json_own(arena, json_object()), *layers = json_array(), *changes = json_array();
    json_set_str(out, "decision", str_of(effect_word(decision->effect)));
    json_set_flag(out, "allowed", decision->effect == POLICY_ALLOW);
    json_set_str(out, "reason", policy_reason(arena, why->request, decision));
    json_set_str(out, "nearest", why->nearest);
    json_set_str(out, "message", why->denial);
    json_set_str(out, "principal", why->request->principal_arn);
    json_set_str(out, "action", why->request->action);
    json_set_str(out, "resource", why->request->resource);
    json_t *by = json_object();
    json_set_str(by, "layer", decision->policy_type);
    if (decision->statement >= 0)
        place_json(by, decision->policy_name, decision->statement, decision->sid, decision->at);
    json_object_set_new(out, "decidedBy", by);
    for (size_t i = 0; i < why->n_layers; i++)
        json_array_append_new(layers, layer_json(&why->layers[i]));
    for (size_t i = 0; i < why->n_changes; i++)
        json_array_append_new(changes, change_json(&why->changes[i]));
    json_object_set_new(out, "layers", layers);
    json_object_set_new(out, "toChange", changes);
    json_object_set_new(out, "missingContext", list_of(why->missing, why->n_missing));
    return out;
}
