/* Routing rules of a custom domain: operations of apigatewayv2 on the same domains.
 *
 * "API Gateway supports up to two header conditions and one path condition. … Each rule can have one
 * action. … Rules can't have the same priority." */
#include "core/http_msg.h"
#include "gateway/ops/domain.h"
#include "gen/apigatewayv2.h"

enum { MAX_RULES = 50, MAX_HEADERS = 2, MAX_PATHS = 1, HEADER_BYTES = 40, VALUE_BYTES = 128 };

static gh_err save(struct domain_draft *draft, struct str id, const void *in, json_t **out);
static gh_err check(struct domain_draft *draft, struct str id, const json_t *rule);
static gh_err check_conditions(struct domain_draft *draft, const json_t *conditions);
static gh_err check_header(struct call *call, const json_t *header);
static gh_err find(struct call *call, struct tx *tx, struct str domain_id, struct str id, json_t **out);

gh_err apiv2_CreateRoutingRule(struct call *call, const struct apiv2_CreateRoutingRule_in *in,
                               struct apiv2_CreateRoutingRule_out *out)
{
    struct domain_draft draft;
    json_t *rule = NULL;
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    if (!err)
        err = save(&draft, ops_id(call, 6), in, &rule);
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, rule, out);
}

gh_err apiv2_GetRoutingRule(struct call *call, const struct apiv2_GetRoutingRule_in *in,
                            struct apiv2_GetRoutingRule_out *out)
{
    json_t *domain, *rule = NULL;
    gh_err err = domain_find_named(call, NULL, in->domain_name, in->domain_name_id, &domain);
    if (!err)
        err = find(call, NULL, json_str(domain, "id"), in->routing_rule_id, &rule);
    return err ? err : ops_answer(call, rule, out);
}

/* By priority; the token is that of the last rule shown. */
gh_err apiv2_ListRoutingRules(struct call *call, const struct apiv2_ListRoutingRules_in *in,
                              struct apiv2_ListRoutingRules_out *out)
{
    json_t *domain, *page = json_own(call->arena, json_object()), *items = json_array();
    struct docs docs = { 0 };
    struct str after;
    int64_t last = 0;
    size_t max = in->max_results.set ? (size_t)in->max_results.value : 100;
    json_object_set_new(page, "routingRules", items);
    if (!position_key(call->arena, in->next_token, &after) || (after.len && !str_i64(after, &last)))
        return gh_fail(call->arena, &apiv2_BadRequestException, "Invalid nextToken specified");
    gh_err err = domain_find_named(call, NULL, in->domain_name, in->domain_name_id, &domain);
    if (!err)
        err = rule_list(call->db, NULL, call->arena, json_str(domain, "id"), &docs);
    for (size_t i = 0; !err && i < docs.n; i++) {
        if (json_i64(docs.items[i], "priority", 0) <= last)
            continue;
        if (json_array_size(items) == max) {
            int64_t shown = json_i64(json_array_get(items, max - 1), "priority", 0);
            json_set_str(page, "nextToken", position_of(call->arena, str_printf(call->arena, "%lld", (long long)shown)));
            break;
        }
        json_array_append(items, docs.items[i]);
    }
    return err ? err : ops_answer(call, page, out);
}

/* "Replaces an existing routing rule. When you replace one, the RoutingRuleId isn't changed." */
gh_err apiv2_PutRoutingRule(struct call *call, const struct apiv2_PutRoutingRule_in *in,
                            struct apiv2_PutRoutingRule_out *out)
{
    struct domain_draft draft;
    json_t *rule = NULL;
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    if (!err)
        err = find(call, &draft.tx, draft.id, in->routing_rule_id, &rule);
    if (!err)
        err = save(&draft, in->routing_rule_id, in, &rule);
    err = domain_close(&draft, err);
    return err ? err : ops_answer(call, rule, out);
}

gh_err apiv2_DeleteRoutingRule(struct call *call, const struct apiv2_DeleteRoutingRule_in *in,
                               struct apiv2_DeleteRoutingRule_out *out)
{
    struct domain_draft draft;
    json_t *rule;
    (void)out;
    gh_err err = domain_open(&draft, call, in->domain_name, in->domain_name_id);
    if (!err)
        err = find(call, &draft.tx, draft.id, in->routing_rule_id, &rule);
    if (!err)
        rule_delete(&draft.tx, draft.id, in->routing_rule_id);
    return domain_close(&draft, err);
}

static gh_err find(struct call *call, struct tx *tx, struct str domain_id, struct str id, json_t **out)
{
    gh_err err = rule_load(call->db, tx, call->arena, domain_id, id, out);
    if (err || *out)
        return err;
    return gh_fail(call->arena, &apiv2_NotFoundException, "Invalid routing rule identifier specified");
}

static gh_err bad(struct call *call, const char *what)
{
    return gh_fail(call->arena, &apiv2_BadRequestException, "%s", what);
}

static const json_t *action_of(const json_t *rule)
{
    return json_object_get(json_array_get(json_object_get(rule, "actions"), 0), "invokeApi");
}

static gh_err save(struct domain_draft *draft, struct str id, const void *in, json_t **out)
{
    static const char *const members[] = { "actions", "conditions", "priority" };
    struct call *call = draft->call;
    json_t *rule = ops_given(call, in, members, COUNT(members));
    gh_err err = check(draft, id, rule);
    if (err)
        return err;
    json_set_str(rule, "routingRuleId", id);
    json_set_str(rule, "routingRuleArn",
                 str_printf(call->arena, "arn:%.*s:apigateway:%.*s:%.*s:/domainnames/%.*s/routingrules/%.*s",
                            STR_FMT(call->partition), STR_FMT(call->region), STR_FMT(call->account),
                            STR_FMT(json_str(draft->domain, "domainName")), STR_FMT(id)));
    rule_save(&draft->tx, draft->id, json_str(action_of(rule), "apiId"), rule);
    *out = rule;
    return NULL;
}

static gh_err check(struct domain_draft *draft, struct str id, const json_t *rule)
{
    struct call *call = draft->call;
    const json_t *action = action_of(rule);
    struct docs others;
    int64_t priority = json_i64(rule, "priority", 0);
    if (json_array_size(json_object_get(rule, "actions")) != 1 || !action)
        return bad(call, "A routing rule must have exactly one action, InvokeApi");
    if (!json_str(action, "stage").len)
        return bad(call, "Invalid stage identifier specified");
    gh_err err = check_conditions(draft, json_object_get(rule, "conditions"));
    if (!err)
        err = domain_check_target(call, &draft->tx, draft->domain, json_str(action, "apiId"), json_str(action, "stage"));
    if (!err)
        err = rule_list(call->db, &draft->tx, call->arena, draft->id, &others);
    if (err)
        return err;
    bool replaces = false;
    for (size_t i = 0; i < others.n; i++) {
        bool same = str_eq(json_str(others.items[i], "routingRuleId"), id);
        replaces = replaces || same;
        if (!same && json_i64(others.items[i], "priority", 0) == priority)
            return gh_fail(call->arena, &apiv2_ConflictException, "A routing rule with priority %lld already exists",
                           (long long)priority);
    }
    if (!replaces && others.n >= MAX_RULES)
        return bad(call, "The domain name has its maximum of 50 routing rules");
    return NULL;
}

static gh_err check_conditions(struct domain_draft *draft, const json_t *conditions)
{
    struct call *call = draft->call;
    size_t i, k, headers = 0, paths = 0;
    json_t *one, *value;
    gh_err err = NULL;
    json_array_foreach((json_t *)(uintptr_t)conditions, i, one) {
        json_t *of_header = json_object_get(json_object_get(one, "matchHeaders"), "anyOf");
        json_t *of_path = json_object_get(json_object_get(one, "matchBasePaths"), "anyOf");
        headers += of_header != NULL;
        paths += of_path != NULL;
        if ((of_header != NULL) == (of_path != NULL) || !json_array_size(of_header ? of_header : of_path))
            return bad(call, "A condition must be either MatchHeaders or MatchBasePaths, with something to match");
        json_array_foreach(of_header, k, value)
            if ((err = check_header(call, value)))
                return err;
        json_array_foreach(of_path, k, value) {
            struct str base_path;
            if (!json_string_length(value) || json_string_length(value) > VALUE_BYTES)
                return bad(call, "A base path to match must have 1 to 128 characters");
            if ((err = domain_check_path(call, draft->domain, json_value_str(value), &base_path)))
                return err;
        }
    }
    if (headers > MAX_HEADERS || paths > MAX_PATHS)
        return bad(call, "A routing rule can have at most two MatchHeaders and one MatchBasePaths condition");
    return NULL;
}

/* "The wildcard must be *prefix-match, suffix-match* or *contains*": a star within matches nothing. */
static gh_err check_header(struct call *call, const json_t *header)
{
    struct str name = json_str(header, "header"), glob = json_str(header, "valueGlob");
    if (!http_is_token(name) || name.len > HEADER_BYTES)
        return bad(call, "A header to match must be the name of a header of at most 40 characters");
    if (!glob.len || glob.len > VALUE_BYTES || !http_is_field_value(glob))
        return bad(call, "A header value to match must have 1 to 128 characters");
    for (size_t i = 1; i + 1 < glob.len; i++)
        if (glob.ptr[i] == '*')
            return bad(call, "In a header value to match, * can stand at the start and at the end only");
    return NULL;
}
