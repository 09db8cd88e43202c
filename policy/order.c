#include "policy/order.h"

#include <stddef.h>

#include "policy/set.h"

const char POLICY_FULL_ACCESS[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}";
const char POLICY_RESOURCE_FULL_ACCESS[] = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","
                                           "\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}";

static const struct part {
    const char *name;
    enum policy_use use;
    size_t at; /* in struct policy_layers */
} parts[] = {
    { "identity", POLICY_IDENTITY, offsetof(struct policy_layers, identity) },
    { "boundary", POLICY_IDENTITY, offsetof(struct policy_layers, boundary) },
    { "session", POLICY_IDENTITY, offsetof(struct policy_layers, session) },
    { "serviceControl", POLICY_SERVICE_CONTROL, offsetof(struct policy_layers, service_control) },
    { "resourceControl", POLICY_RESOURCE_CONTROL, offsetof(struct policy_layers, resource_control) },
    { "resource", POLICY_RESOURCE, offsetof(struct policy_layers, resource) },
    { "trust", POLICY_TRUST, offsetof(struct policy_layers, resource) },
};
enum { DOCUMENT_BYTES = 65536, DOCUMENTS = 64 };

static void let_go(void *set)
{
    policy_set_free(set);
}

static bool add_document(struct arena *arena, const struct part *part, const json_t *given, size_t number,
                         struct policy_set *set, struct str *why)
{
    struct str name = str_printf(arena, "%s.%zu", part->name, number), fault;
    const json_t *document = given;
    if (json_object_get(given, "document")) {
        name = json_str(given, "name").ptr ? json_str(given, "name") : name;
        document = json_object_get(given, "document");
    }
    struct str text = json_is_string(document)   ? json_value_str(document)
                      : json_is_object(document) ? json_print(arena, document) : STR_NONE;
    if (!text.ptr || text.len > DOCUMENT_BYTES)
        *why = str_printf(arena, "%.*s is no policy document", STR_FMT(name));
    else if (policy_set_add(set, part->use, name, text, arena, &fault))
        return true;
    else
        *why = str_printf(arena, "%.*s: %.*s", STR_FMT(name), STR_FMT(fault));
    return false;
}

static bool allows_anything(const struct policy_set *set)
{
    for (size_t i = 0; i < set->n_all; i++)
        if (!set->all[i].statement->deny)
            return true;
    return false;
}

static bool read_part(struct arena *arena, const struct part *part, const json_t *given, struct policy_order *out,
                      struct str *why)
{
    const struct policy_set **slot = (const struct policy_set **)(void *)((char *)&out->layers + part->at);
    struct policy_set *set = policy_set_new();
    arena_defer(arena, let_go, set);
    size_t n = json_is_array(given) ? json_array_size(given) : 1;
    if (n > DOCUMENTS) {
        *why = str_printf(arena, "%s: at most %d documents", part->name, DOCUMENTS);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (!add_document(arena, part, json_is_array(given) ? json_array_get(given, i) : given, i + 1, set, why))
            return false;
    struct str unused;
    if (part->use == POLICY_SERVICE_CONTROL && !allows_anything(set))
        policy_set_add(set, part->use, STR("FullAWSAccess"), str_of(POLICY_FULL_ACCESS), arena, &unused);
    if (part->use == POLICY_RESOURCE_CONTROL)
        policy_set_add(set, part->use, STR("RCPFullAWSAccess"), str_of(POLICY_RESOURCE_FULL_ACCESS), arena, &unused);
    *slot = set;
    out->layers.trust |= part->use == POLICY_TRUST;
    return true;
}

static bool read_policies(struct arena *arena, const json_t *policies, struct policy_order *out, struct str *why)
{
    const char *name;
    json_t *given;
    if (policies && !json_is_object(policies)) {
        *why = STR("policies is no object");
        return false;
    }
    if (json_object_get(policies, "trust") && json_object_get(policies, "resource")) {
        *why = STR("policies: give resource or trust, not both");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)policies, name, given) {
        const struct part *part = NULL;
        for (size_t i = 0; i < COUNT(parts); i++)
            if (strcmp(name, parts[i].name) == 0)
                part = &parts[i];
        if (!part) {
            *why = str_printf(arena, "policies: there is no %s; it has identity, boundary, session, serviceControl, "
                                     "resourceControl, resource, trust", name);
            return false;
        }
        if (!read_part(arena, part, given, out, why))
            return false;
    }
    return true;
}

static bool read_context(struct arena *arena, const json_t *context, struct policy_order *out, struct str *why)
{
    struct policy_context all = policy_context_in(arena);
    const char *name;
    json_t *given, *value;
    size_t i;
    if (context && !json_is_object(context)) {
        *why = STR("context is no object");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)context, name, given) {
        size_t n = json_is_array(given) ? json_array_size(given) : 1;
        struct str *values = ARENA_ARRAY(arena, struct str, n);
        for (i = 0; i < n; i++) {
            value = json_is_array(given) ? json_array_get(given, i) : given;
            if (json_is_object(value) || json_is_array(value) || json_is_null(value)) {
                *why = str_printf(arena, "context: %s is no text, number, boolean or list of such", name);
                return false;
            }
            values[i] = json_is_string(value) ? json_value_str(value) : json_print(arena, value);
        }
        policy_context_add_list(&all, name, values, n);
    }
    out->request.keys = all.keys;
    out->request.n_keys = all.n;
    return true;
}

/* "arn:aws:sts::1:assumed-role/r/s" is a session of role/r: its path is not to be seen in the ARN. */
static bool read_principal(struct arena *arena, struct str principal, struct policy_order *out)
{
    struct policy_request *request = &out->request;
    struct arn arn;
    out->has_principal = principal.ptr;
    if (!principal.ptr)
        return true;
    if (!str_starts(principal, STR("arn:"))) {
        out->layers.party = PARTY_OUTSIDER;
        request->service = str_is(principal, "anonymous") ? STR_NONE : principal;
        return str_is(principal, "anonymous") || str_find(principal, '.') > 0;
    }
    if (!arn_split(principal, &arn))
        return false;
    request->principal_arn = principal;
    request->account = arn.part[4];
    struct str kind, role, rest = arn.part[5];
    if (str_is(rest, "root"))
        out->layers.party = PARTY_ROOT;
    str_split(&rest, '/', &kind);
    if (str_is(kind, "assumed-role") && str_split(&rest, '/', &role))
        request->role_arn = str_printf(arena, "arn:%.*s:iam::%.*s:role/%.*s", STR_FMT(arn.part[1]), STR_FMT(arn.part[4]),
                                       STR_FMT(role));
    return true;
}

bool policy_order_read(struct arena *arena, const json_t *json, struct policy_order *out, struct str *why)
{
    static const char known[] = " principal action resource resourceAccount context policies ";
    const char *name;
    json_t *unused;
    *out = (struct policy_order){ 0 };
    if (!json_is_object(json)) {
        *why = STR("The question is no JSON object.");
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)json, name, unused) {
        if (str_find_str(str_of(known), str_printf(arena, " %s ", name)) >= 0)
            continue;
        *why = str_printf(arena, "There is no %s; a question has%s", name, known);
        return false;
    }
    struct str resource = json_str(json, "resource"), account = json_str(json, "resourceAccount");
    out->request.action = json_str(json, "action");
    out->request.resource = resource.len ? resource : STR("*");
    if (str_find(out->request.action, ':') <= 0)
        *why = STR("action must be a service and an operation, as in \"lambda:InvokeFunction\"");
    else if (!read_principal(arena, json_str(json, "principal"), out))
        *why = STR("principal must be an ARN, a service such as \"lambda.amazonaws.com\", or \"anonymous\"");
    else if (read_policies(arena, json_object_get(json, "policies"), out, why) &&
             read_context(arena, json_object_get(json, "context"), out, why)) {
        out->resource_account = account;
        out->layers.cross_account = account.len && out->request.account.len && !str_eq(account, out->request.account);
        return true;
    }
    return false;
}

void policy_order_complete(struct arena *arena, struct policy_order *order)
{
    struct policy_request *request = &order->request;
    struct policy_context all = policy_context_in(arena);
    struct arn arn;
    policy_context_add_keys(&all, request->keys, request->n_keys);
    if (!request->principal_arn.ptr || !arn_split(request->principal_arn, &arn))
        return;
    const struct {
        const char *name;
        struct str value;
    } follows[] = {
        { "aws:PrincipalArn", request->role_arn.ptr ? request->role_arn : request->principal_arn },
        { "aws:PrincipalAccount", request->account },
        { "aws:username", str_starts(arn.part[5], STR("user/"))
                              ? str_from(arn.part[5], (size_t)str_find_last(arn.part[5], '/') + 1) : STR_NONE },
    };
    for (size_t i = 0; i < COUNT(follows); i++)
        if (!policy_context_find(request->keys, request->n_keys, str_of(follows[i].name)))
            policy_context_add(&all, follows[i].name, follows[i].value);
    request->keys = all.keys;
    request->n_keys = all.n;
}
