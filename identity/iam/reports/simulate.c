/* "What would happen if": the one evaluator, asked without doing anything. */
#include "core/base64.h"
#include "identity/iam/iam.h"
#include "identity/access/guard_rails.h"
#include "identity/iam/reports/simulate_scene.h"
#include "identity/iam/reports/source.h"
#include "identity/state.h"
#include "policy/why.h"

struct simulation {
    struct call *call;
    struct policy_set *identity;
    const struct policy_set *boundary, *resource;
    const struct policy_set *resource_control;
    const struct policy_set **levels; /* of the organization, from its root to the account */
    size_t n_levels;
    bool of_organization;             /* SimulatePrincipalPolicy, or levels were given */
    struct simulated_scene scene;
    const struct iam_ActionNameListType *actions;
    const struct iam_ResourceNameListType *resources;
    struct policy_context context;
    struct iam_ContextKeyNamesResultListType missing;
};

static gh_err add_documents(struct simulation *s, enum policy_use use, struct policy_set *set,
                            const struct iam_SimulationPolicyListType *list, const char *word)
{
    struct arena *arena = s->call->arena;
    for (size_t i = 0; i < list->n; i++) {
        struct str why;
        if (!policy_set_add(set, use, str_printf(arena, "%s.%zu", word, i + 1), list->items[i], arena, &why))
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
    return add_documents(s, POLICY_IDENTITY, set, list, "PermissionsBoundaryPolicyInputList");
}

static gh_err set_resource_policy(struct simulation *s, struct str document)
{
    struct str why;
    if (!document.ptr)
        return NULL;
    struct policy_set *set = new_set(s);
    s->resource = set;
    if (policy_set_add(set, POLICY_RESOURCE, STR("ResourcePolicy"), document, s->call->arena, &why))
        return NULL;
    return gh_fail(s->call->arena, &iam_InvalidInputException, "Invalid Policy at ResourcePolicy: %.*s", STR_FMT(why));
}

/* "Each level must allow": that of the root, of each organizational unit, of the account. */
static gh_err set_levels(struct simulation *s, const struct iam_OrganizationPolicyListType *list)
{
    gh_err err = NULL;
    s->levels = ARENA_ARRAY(s->call->arena, const struct policy_set *, list->n);
    s->of_organization = list->n > 0;
    for (size_t i = 0; !err && i < list->n; i++) {
        struct policy_set *set = new_set(s);
        struct str word = str_printf(s->call->arena, "OrderedOrganizationPolicyInputList.%zu.ServiceControlPolicyInputList", i + 1);
        err = add_documents(s, POLICY_SERVICE_CONTROL, set, &list->items[i]->service_control_policy_input_list, word.ptr);
        s->levels[s->n_levels++] = set;
    }
    return err;
}

/* The account's own guard rails; a service-linked role has none. */
static void set_guard_rails(struct simulation *s, const struct entity *entity)
{
    struct identity *identity = iam_identity(s->call);
    const struct policy_set *service;
    s->of_organization = true;
    if (str_starts(entity->path, STR("/aws-service-role/")))
        return;
    guard_rails_of(identity->guard_rails, s->call->arena, entity->account, &service, &s->resource_control);
    s->levels = ARENA_ARRAY(s->call->arena, const struct policy_set *, 1);
    if (service)
        s->levels[s->n_levels++] = service;
}

/* Keys that any of the policies looks at and nobody gave. */
static void find_missing(struct simulation *s)
{
    struct arena *arena = s->call->arena;
    const struct policy_set *const sets[] = { s->identity, s->boundary, s->resource };
    struct str *names[COUNT(sets)];
    size_t n[COUNT(sets)], all = 0;
    for (size_t i = 0; i < COUNT(sets); i++)
        all += n[i] = sets[i] ? policy_set_keys(sets[i], arena, &names[i]) : 0;
    s->missing = (struct iam_ContextKeyNamesResultListType){ true, 0, ARENA_ARRAY(arena, struct str, all) };
    for (size_t i = 0; i < COUNT(sets); i++)
        for (size_t k = 0; k < n[i]; k++) {
            bool known = policy_context_find(s->context.keys, s->context.n, names[i][k]) != NULL;
            for (size_t m = 0; m < s->missing.n; m++)
                known |= str_eq_nocase(s->missing.items[m], names[i][k]);
            if (!known)
                s->missing.items[s->missing.n++] = names[i][k];
        }
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
    find_missing(s);
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

static struct iam_Statement *statement_out(struct arena *arena, const struct why_statement *of, const char *layer)
{
    struct iam_Statement *out = ARENA_NEW(arena, struct iam_Statement);
    out->source_policy_id = of->policy;
    out->source_policy_type = strcmp(layer, "resource-based policy") == 0 ? STR("Resource Policy") : STR("IAM Policy");
    out->start_position = position_out(arena, of->start);
    out->end_position = position_out(arena, of->end);
    return out;
}

/* "Even if multiple statements allow the operation, if only one statement denies that operation, then … the deny
 * statement is the only entry included in the result." What allows is told of identity and resource policies. */
static struct iam_StatementListType matched(struct arena *arena, const struct policy_why *why)
{
    struct iam_StatementListType list = { .set = true };
    enum policy_effect effect = why->decision.effect;
    list.items = ARENA_ARRAY(arena, struct iam_Statement *, why->n_layers * WHY_STATEMENTS);
    for (size_t l = 0; effect != POLICY_IMPLICIT_DENY && l < why->n_layers; l++) {
        const struct why_layer *layer = &why->layers[l];
        bool told = effect == POLICY_EXPLICIT_DENY || strcmp(layer->type, "identity-based policy") == 0 ||
                    strcmp(layer->type, "resource-based policy") == 0;
        for (size_t i = 0; told && i < layer->n; i++)
            if (layer->statements[i].miss == WHY_APPLIES && layer->statements[i].deny == (effect == POLICY_EXPLICIT_DENY))
                list.items[list.n++] = statement_out(arena, &layer->statements[i], layer->type);
    }
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

/* The level that says no: a deny, else silence. NULL: none has anything against it. */
static const struct policy_set *against(struct simulation *s, const struct policy_request *request)
{
    const struct policy_set *found = NULL;
    for (size_t i = 0; i < s->n_levels; i++) {
        struct policy_decision decision;
        enum policy_effect effect = policy_set_decide(s->call->arena, s->levels[i], "service control policy", request, &decision);
        if (effect == POLICY_EXPLICIT_DENY)
            return s->levels[i];
        if (effect != POLICY_ALLOW && !found)
            found = s->levels[i];
    }
    return found;
}

/* "Populated for only cross-account simulations"; "within the same account … present but empty". */
static struct iam_EvalDecisionDetailsType details_of(struct simulation *s, const struct policy_why *why)
{
    static const struct {
        const char *layer;
        struct str name;
    } sources[] = { { "identity-based policy", STR_INIT("IAM Policy") }, { "resource-based policy", STR_INIT("Resource Policy") } };
    struct iam_EvalDecisionDetailsType out = { .set = s->resources->n > 0 || s->scene.cross_account };
    if (!s->scene.cross_account)
        return out;
    out.items = arena_zalloc(s->call->arena, COUNT(sources) * sizeof *out.items);
    for (size_t i = 0; i < COUNT(sources); i++)
        for (size_t l = 0; l < why->n_layers; l++)
            if (strcmp(why->layers[l].type, sources[i].layer) == 0) {
                out.items[out.n].key = sources[i].name;
                out.items[out.n++].value = decision_word(why->layers[l].effect);
            }
    return out;
}

struct outcome {
    struct policy_why why;
    struct iam_PermissionsBoundaryDecisionDetail *boundary;
    bool by_organization;
};

/* Decided as a request is: by policy_decide, with all that was given. */
static void ask(struct simulation *s, struct str action, struct str resource, struct outcome *out)
{
    struct arena *arena = s->call->arena;
    struct policy_request *request = ARENA_NEW(arena, struct policy_request);
    struct policy_layers *layers = ARENA_NEW(arena, struct policy_layers);
    *request = (struct policy_request){ .principal_arn = s->scene.principal_arn, .account = s->scene.account,
                                        .role_arn = s->scene.role_arn, .action = action, .resource = resource,
                                        .keys = s->context.keys, .n_keys = s->context.n };
    *layers = (struct policy_layers){ .identity = s->identity, .boundary = s->boundary, .resource = s->resource,
                                      .cross_account = s->scene.cross_account, .service_control = against(s, request),
                                      .resource_control = str_is(resource, "*") ? NULL : s->resource_control };
    policy_why(arena, layers, request, &out->why);
    struct policy_decision decision;
    out->boundary = boundary_detail(s, request);
    out->by_organization = !layers->service_control &&
                           (!layers->resource_control || policy_set_decide(arena, layers->resource_control, "resource control policy",
                                                                           request, &decision) == POLICY_ALLOW);
}

static struct iam_ResourceSpecificResult *specific(struct simulation *s, struct str resource, const struct outcome *from)
{
    struct iam_ResourceSpecificResult *out = ARENA_NEW(s->call->arena, struct iam_ResourceSpecificResult);
    out->eval_resource_name = resource;
    out->eval_resource_decision = decision_word(from->why.decision.effect);
    out->matched_statements = matched(s->call->arena, &from->why);
    out->missing_context_values = s->missing;
    out->permissions_boundary_decision_detail = from->boundary;
    if (s->scene.cross_account)
        out->eval_decision_details = details_of(s, &from->why);
    return out;
}

static struct iam_EvaluationResult *evaluate(struct simulation *s, struct str action)
{
    struct arena *arena = s->call->arena;
    struct str anything = STR("*");
    size_t n = s->resources->n ? s->resources->n : 1;
    const struct str *resources = s->resources->n ? s->resources->items : &anything;
    struct iam_EvaluationResult *out = ARENA_NEW(arena, struct iam_EvaluationResult);
    struct iam_ResourceSpecificResult **each = ARENA_ARRAY(arena, struct iam_ResourceSpecificResult *, n);
    struct outcome worst = { .by_organization = true };
    for (size_t i = 0; i < n; i++) {
        struct outcome one;
        ask(s, action, resources[i], &one);
        if (i == 0 || stricter(one.why.decision.effect, worst.why.decision.effect))
            worst = one;
        each[i] = specific(s, resources[i], &one);
    }
    out->eval_action_name = action;
    out->eval_resource_name = resources[0];
    out->eval_decision = decision_word(worst.why.decision.effect);
    out->matched_statements = matched(arena, &worst.why);
    out->missing_context_values = s->missing;
    out->permissions_boundary_decision_detail = worst.boundary;
    /* "If an AWS Organizations SCP included in the evaluation denies access, the simulation ends": no details. */
    if (worst.by_organization)
        out->eval_decision_details = details_of(s, &worst.why);
    if (s->of_organization) {
        out->organizations_decision_detail = ARENA_NEW(arena, struct iam_OrganizationsDecisionDetail);
        out->organizations_decision_detail->allowed_by_organizations = some_bool(worst.by_organization);
    }
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

gh_err iam_SimulatePrincipalPolicy(struct call *call, const struct iam_SimulatePrincipalPolicy_in *in,
                                   struct iam_SimulatePrincipalPolicy_out *out)
{
    struct simulation s = { .call = call, .actions = &in->action_names, .resources = &in->resource_arns };
    struct entity entity;
    gh_err err = simulated_source(call, in->policy_source_arn, &entity);
    const struct simulated_order order = { .caller_arn = in->caller_arn, .resource_owner = in->resource_owner,
                                           .resource_policy = in->resource_policy, .handling = in->resource_handling_option,
                                           .resources = &in->resource_arns };
    if (!err)
        err = simulated_scene(call, &order, &entity, &s.scene);
    if (!err)
        err = principals_compile(call->db, call->arena, &entity, &s.identity, &s.boundary);
    if (!err)
        err = add_documents(&s, POLICY_IDENTITY, s.identity, &in->policy_input_list, "PolicyInputList");
    if (!err)
        err = set_boundary(&s, &in->permissions_boundary_policy_input_list);
    if (!err)
        err = set_resource_policy(&s, in->resource_policy);
    if (!err)
        err = set_context(&s, &in->context_entries);
    if (err)
        return err;
    set_guard_rails(&s, &entity);
    return answer(&s, in->marker, in->max_items, &out->whole);
}

gh_err iam_SimulateCustomPolicy(struct call *call, const struct iam_SimulateCustomPolicy_in *in,
                                struct iam_SimulateCustomPolicy_out *out)
{
    struct simulation s = { .call = call, .actions = &in->action_names, .resources = &in->resource_arns };
    const struct simulated_order order = { .caller_arn = in->caller_arn, .resource_owner = in->resource_owner,
                                           .resource_policy = in->resource_policy, .handling = in->resource_handling_option,
                                           .resources = &in->resource_arns };
    s.identity = new_set(&s);
    gh_err err = simulated_scene(call, &order, NULL, &s.scene);
    if (!err)
        err = add_documents(&s, POLICY_IDENTITY, s.identity, &in->policy_input_list, "PolicyInputList");
    if (!err)
        err = set_boundary(&s, &in->permissions_boundary_policy_input_list);
    if (!err)
        err = set_resource_policy(&s, in->resource_policy);
    if (!err)
        err = set_levels(&s, &in->ordered_organization_policy_input_list);
    if (!err)
        err = set_context(&s, &in->context_entries);
    return err ? err : answer(&s, in->marker, in->max_items, &out->whole);
}
