/* "What would happen if": the one evaluator, asked without doing anything. */
#include "core/base64.h"
#include "identity/iam/iam.h"
#include "identity/iam/reports/source.h"

struct simulation {
    struct call *call;
    struct policy_set *identity;
    const struct policy_set *boundary;
    const struct iam_ActionNameListType *actions;
    const struct iam_ResourceNameListType *resources;
    struct policy_context context;
    struct iam_ContextKeyNamesResultListType missing;
};

static gh_err add_documents(struct simulation *s, struct policy_set *set, const struct iam_SimulationPolicyListType *list,
                            const char *word)
{
    struct arena *arena = s->call->arena;
    for (size_t i = 0; i < list->n; i++) {
        struct str why;
        if (!policy_set_add(set, POLICY_IDENTITY, str_printf(arena, "%s.%zu", word, i + 1), list->items[i], arena, &why))
            return gh_fail(arena, &iam_InvalidInputException, "Invalid Policy at %s.%zu: %.*s", word, i + 1, STR_FMT(why));
    }
    return NULL;
}

static void let_go(void *set)
{
    policy_set_free(set);
}

static struct policy_set *new_set(struct simulation *s)
{
    struct policy_set *set = policy_set_new();
    arena_defer(s->call->arena, let_go, set);
    return set;
}

/* Boundaries that were passed stand in for the entity's own. */
static gh_err set_boundary(struct simulation *s, const struct iam_SimulationPolicyListType *list)
{
    if (list->n == 0)
        return NULL;
    struct policy_set *set = new_set(s);
    s->boundary = set;
    return add_documents(s, set, list, "PermissionsBoundaryPolicyInputList");
}

static gh_err set_context(struct simulation *s, const struct iam_ContextEntryListType *entries)
{
    struct arena *arena = s->call->arena;
    s->context = policy_context_in(arena);
    for (size_t i = 0; i < entries->n; i++) {
        const struct iam_ContextEntry *entry = entries->items[i];
        struct str *values = ARENA_ARRAY(arena, struct str, entry->context_key_values.n);
        for (size_t v = 0; v < entry->context_key_values.n; v++) {
            values[v] = entry->context_key_values.items[v];
            if (str_starts(entry->context_key_type, STR("binary")) && !base64_decode(arena, values[v], &values[v]))
                return gh_fail(arena, &iam_InvalidInputException, "Invalid Input %.*s is not base64.",
                               STR_FMT(entry->context_key_name));
        }
        policy_context_add_list(&s->context, str_c(arena, entry->context_key_name), values, entry->context_key_values.n);
    }
    struct str *names;
    size_t n = policy_set_keys(s->identity, arena, &names);
    s->missing = (struct iam_ContextKeyNamesResultListType){ true, 0, ARENA_ARRAY(arena, struct str, n) };
    for (size_t i = 0; i < n; i++)
        if (!policy_context_find(s->context.keys, s->context.n, names[i]))
            s->missing.items[s->missing.n++] = names[i];
    return NULL;
}

static struct str decision_word(enum policy_effect effect)
{
    return effect == POLICY_ALLOW ? STR("allowed") : effect == POLICY_EXPLICIT_DENY ? STR("explicitDeny")
                                                                                    : STR("implicitDeny");
}

static struct iam_Position *position_out(struct arena *arena, struct policy_position at)
{
    struct iam_Position *out = ARENA_NEW(arena, struct iam_Position);
    out->line = some_i64(at.line);
    out->column = some_i64(at.column);
    return out;
}

static struct iam_StatementListType matched(struct arena *arena, const struct policy_decision *decision)
{
    struct iam_StatementListType list = { .set = true };
    struct policy_position start, end;
    if (decision->statement < 0 || !policy_locate(decision->document, decision->statement, &start, &end))
        return list;
    list.n = 1;
    list.items = ARENA_ARRAY(arena, struct iam_Statement *, 1);
    list.items[0] = ARENA_NEW(arena, struct iam_Statement);
    list.items[0]->source_policy_id = decision->policy_name;
    list.items[0]->source_policy_type = STR("IAM Policy");
    list.items[0]->start_position = position_out(arena, start);
    list.items[0]->end_position = position_out(arena, end);
    return list;
}

static struct iam_PermissionsBoundaryDecisionDetail *boundary_detail(struct simulation *s,
                                                                     const struct policy_request *request)
{
    if (!s->boundary)
        return NULL;
    struct iam_PermissionsBoundaryDecisionDetail *out = ARENA_NEW(s->call->arena, struct iam_PermissionsBoundaryDecisionDetail);
    struct policy_decision decision;
    policy_set_decide(s->call->arena, s->boundary, "permissions boundary", request, &decision);
    out->allowed_by_permissions_boundary = some_bool(decision.effect == POLICY_ALLOW);
    return out;
}

/* Of several resources the most restrictive decision is the action's: explicit before implicit deny. */
static bool stricter(enum policy_effect a, enum policy_effect b)
{
    static const int rank[] = { [POLICY_ALLOW] = 0, [POLICY_IMPLICIT_DENY] = 1, [POLICY_EXPLICIT_DENY] = 2 };
    return rank[a] > rank[b];
}

static struct iam_EvaluationResult *evaluate(struct simulation *s, struct str action)
{
    struct arena *arena = s->call->arena;
    struct str anything = STR("*");
    size_t n = s->resources->n ? s->resources->n : 1;
    const struct str *resources = s->resources->n ? s->resources->items : &anything;
    struct iam_EvaluationResult *out = ARENA_NEW(arena, struct iam_EvaluationResult);
    struct iam_ResourceSpecificResult **each = ARENA_ARRAY(arena, struct iam_ResourceSpecificResult *, n);
    struct policy_decision worst = { .effect = POLICY_ALLOW };
    for (size_t i = 0; i < n; i++) {
        struct policy_request request = { .action = action, .resource = resources[i], .keys = s->context.keys,
                                          .n_keys = s->context.n };
        struct policy_decision decision;
        policy_decide(arena, &(struct policy_layers){ .identity = s->identity, .boundary = s->boundary }, &request, &decision);
        if (i == 0 || stricter(decision.effect, worst.effect)) {
            worst = decision;
            out->permissions_boundary_decision_detail = boundary_detail(s, &request);
        }
        each[i] = ARENA_NEW(arena, struct iam_ResourceSpecificResult);
        each[i]->eval_resource_name = resources[i];
        each[i]->eval_resource_decision = decision_word(decision.effect);
        each[i]->matched_statements = matched(arena, &decision);
        each[i]->missing_context_values = s->missing;
    }
    out->eval_action_name = action;
    out->eval_resource_name = resources[0];
    out->eval_decision = decision_word(worst.effect);
    out->matched_statements = matched(arena, &worst);
    out->missing_context_values = s->missing;
    out->eval_decision_details.set = true;
    out->organizations_decision_detail = ARENA_NEW(arena, struct iam_OrganizationsDecisionDetail);
    out->organizations_decision_detail->allowed_by_organizations = some_bool(true); /* no organization, no limits */
    if (s->resources->n)
        out->resource_specific_results = (struct iam_ResourceSpecificResultListType){ true, n, each };
    return out;
}

/* The marker is the number of the next action. */
static gh_err answer(struct simulation *s, struct str marker, struct opt_i64 max_items,
                     struct iam_SimulatePolicyResponse *out)
{
    struct arena *arena = s->call->arena;
    struct iam_page page;
    int64_t first = 0;
    gh_err err = iam_page(s->call, marker, max_items, &page);
    if (err)
        return err;
    if (page.after.ptr && (!str_i64(page.after, &first) || first < 0 || first > (int64_t)s->actions->n))
        return gh_fail(arena, &IAM_VALIDATION_ERROR, "Invalid Marker.");
    size_t left = s->actions->n - (size_t)first;
    bool more = left > (size_t)page.max;
    size_t n = more ? (size_t)page.max : left;
    out->evaluation_results = (struct iam_EvaluationResultsListType){ true, n, ARENA_ARRAY(arena, struct iam_EvaluationResult *, n) };
    for (size_t i = 0; i < n; i++)
        out->evaluation_results.items[i] = evaluate(s, s->actions->items[(size_t)first + i]);
    out->is_truncated = some_bool(more);
    if (more)
        out->marker = iam_marker(s->call, str_printf(arena, "%lld", (long long)first + (long long)n));
    return NULL;
}

/* "arn:aws:iam::1:user/path/name", of a user, group or role. */
gh_err simulated_source(struct call *call, struct str arn, struct entity *out)
{
    static const enum entity_kind kinds[] = { ENTITY_USER, ENTITY_GROUP, ENTITY_ROLE };
    struct str name = str_from(arn, (size_t)(str_find_last(arn, '/') + 1));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct str head = str_printf(call->arena, ":%s/", entity_kind_name(kinds[i]));
        if (str_find_str(arn, head) < 0)
            continue;
        gh_err err = iam_find(call, NULL, kinds[i], name, out);
        return err || str_eq(out->arn, arn) ? err : iam_no_such(call, kinds[i], name);
    }
    return gh_fail(call->arena, &iam_InvalidInputException, "Invalid Entity Arn: %.*s does not clearly define entity type and name.",
                   STR_FMT(arn));
}

gh_err iam_SimulatePrincipalPolicy(struct call *call, const struct iam_SimulatePrincipalPolicy_in *in,
                                   struct iam_SimulatePrincipalPolicy_out *out)
{
    struct simulation s = { .call = call, .actions = &in->action_names, .resources = &in->resource_arns };
    struct entity entity;
    gh_err err = simulated_source(call, in->policy_source_arn, &entity);
    if (!err)
        err = principals_compile(call->db, call->arena, &entity, &s.identity, &s.boundary);
    if (!err)
        err = add_documents(&s, s.identity, &in->policy_input_list, "PolicyInputList");
    if (!err)
        err = set_boundary(&s, &in->permissions_boundary_policy_input_list);
    if (!err)
        err = set_context(&s, &in->context_entries);
    return err ? err : answer(&s, in->marker, in->max_items, &out->whole);
}

gh_err iam_SimulateCustomPolicy(struct call *call, const struct iam_SimulateCustomPolicy_in *in,
                                struct iam_SimulateCustomPolicy_out *out)
{
    struct simulation s = { .call = call, .actions = &in->action_names, .resources = &in->resource_arns };
    s.identity = new_set(&s);
    gh_err err = add_documents(&s, s.identity, &in->policy_input_list, "PolicyInputList");
    if (!err)
        err = set_boundary(&s, &in->permissions_boundary_policy_input_list);
    if (!err)
        err = set_context(&s, &in->context_entries);
    return err ? err : answer(&s, in->marker, in->max_items, &out->whole);
}

static void list_keys(struct simulation *s, struct iam_GetContextKeysForPolicyResponse *out)
{
    out->context_key_names.set = true;
    out->context_key_names.n = policy_set_keys(s->identity, s->call->arena, &out->context_key_names.items);
}

gh_err iam_GetContextKeysForCustomPolicy(struct call *call, const struct iam_GetContextKeysForCustomPolicy_in *in,
                                         struct iam_GetContextKeysForCustomPolicy_out *out)
{
    struct simulation s = { .call = call };
    s.identity = new_set(&s);
    gh_err err = add_documents(&s, s.identity, &in->policy_input_list, "PolicyInputList");
    if (!err)
        list_keys(&s, &out->whole);
    return err;
}

gh_err iam_GetContextKeysForPrincipalPolicy(struct call *call, const struct iam_GetContextKeysForPrincipalPolicy_in *in,
                                            struct iam_GetContextKeysForPrincipalPolicy_out *out)
{
    struct simulation s = { .call = call };
    struct entity entity;
    gh_err err = simulated_source(call, in->policy_source_arn, &entity);
    if (!err)
        err = principals_compile(call->db, call->arena, &entity, &s.identity, &s.boundary);
    if (!err)
        err = add_documents(&s, s.identity, &in->policy_input_list, "PolicyInputList");
    if (!err)
        list_keys(&s, &out->whole);
    return err;
}
