/* Access advisor: which services a user, group, role or policy may reach, and when each was last asked. A report is a
 * document, made when it is asked for and read page by page later. */
#include "core/id.h"
#include "core/json.h"
#include "gen/cognito_identity.h"
#include "gen/cognito_idp.h"
#include "gen/kms.h"
#include "gen/lambda.h"
#include "gen/sts.h"
#include "identity/iam/policies/managed.h"
#include "identity/iam/reports/carried.h"
#include "identity/iam/reports/service_name.h"
#include "identity/store/last_access.h"

#define KEPT_US (30LL * 24 * 3600 * 1000000)

/* Whom the report is about: one, or all who have the group's or the policy's permissions. */
struct scope {
    struct carried_list policies;
    struct entity *people;
    struct accesses *accesses; /* of people[i] */
    size_t n, cap;
};

/* The services whose actions are followed one by one: those whose operations are in the model here. */
static const struct service *const tracked[] = { &ci_service, &idp_service, &iam_service, &kms_service,
                                                 &lambda_service, &sts_service };

/* ---- who ---- */

static gh_err add_person(struct call *call, struct scope *scope, const struct entity *entity)
{
    for (size_t i = 0; i < scope->n; i++)
        if (str_eq(scope->people[i].id, entity->id))
            return NULL;
    if (scope->n == scope->cap) {
        size_t cap = scope->cap ? 2 * scope->cap : 16;
        scope->people = arena_grow(call->arena, scope->people, scope->cap * sizeof *scope->people, cap * sizeof *scope->people);
        scope->accesses = arena_grow(call->arena, scope->accesses, scope->cap * sizeof *scope->accesses, cap * sizeof *scope->accesses);
        scope->cap = cap;
    }
    scope->people[scope->n] = *entity;
    return last_access_of(iam_identity(call), call->arena, entity->id, &scope->accesses[scope->n++]);
}

static gh_err add_members(struct call *call, struct scope *scope, struct str group_id)
{
    struct entity_list members;
    gh_err err = entity_members(call->db, NULL, call->arena, group_id, &members);
    for (size_t i = 0; !err && i < members.n; i++)
        err = add_person(call, scope, &members.items[i]);
    return err;
}

static gh_err add_attached(struct call *call, struct scope *scope, struct str policy_arn)
{
    static const char *const kinds[] = { "user", "role", "group" };
    gh_err err = NULL;
    for (size_t k = 0; !err && k < COUNT(kinds); k++) {
        struct arns ids;
        err = attached_owners(call->db, NULL, call->arena, call->account, policy_arn, kinds[k], &ids);
        for (size_t i = 0; !err && i < ids.n; i++) {
            struct entity entity;
            bool found = false;
            if (strcmp(kinds[k], "group") == 0)
                err = add_members(call, scope, ids.items[i]);
            else
                err = entity_load_id(call->db, NULL, call->arena, ids.items[i], &entity, &found);
            if (!err && found)
                err = add_person(call, scope, &entity);
        }
    }
    return err;
}

static gh_err find_scope(struct call *call, struct str arn, struct scope *out)
{
    struct entity entity;
    *out = (struct scope){ 0 };
    if (str_find_str(arn, STR(":policy/")) >= 0) {
        gh_err err = managed_find(arn) ? NULL : iam_find_policy(call, NULL, arn, &entity);
        if (!err)
            err = carried_managed(call, arn, &out->policies);
        return err ? err : add_attached(call, out, arn);
    }
    gh_err err = carrier_find(call, arn, &entity);
    if (!err)
        err = carried_by(call, &entity, &out->policies);
    if (err)
        return err;
    return entity.kind == ENTITY_GROUP ? add_members(call, out, entity.id) : add_person(call, out, &entity);
}

/* ---- the document ---- */

/* The latest use of the service, or of one of its actions; NULL: none. */
static const struct accessed *latest(const struct accesses *accesses, struct str service, struct str action)
{
    for (size_t i = 0; i < accesses->n; i++)
        if (str_eq(accesses->items[i].service, service) && (!action.ptr || str_eq(accesses->items[i].action, action)))
            return &accesses->items[i];
    return NULL;
}

static json_t *print_people(const struct scope *scope, struct str service)
{
    json_t *list = json_array();
    for (size_t i = 0; i < scope->n; i++) {
        const struct entity *one = &scope->people[i];
        const struct accessed *last = latest(&scope->accesses[i], service, STR_NONE);
        json_t *row = json_object();
        json_set_str(row, "arn", one->arn);
        json_set_str(row, "name", one->name);
        json_set_str(row, "type", one->kind == ENTITY_USER ? STR("USER") : STR("ROLE"));
        json_set_str(row, "id", one->id);
        json_set_str(row, "path", one->path);
        json_set_i64(row, "at", last ? last->at_s : 0);
        json_set_str(row, "region", last ? last->region : STR_NONE);
        json_array_append_new(list, row);
    }
    return list;
}

static void print_action(json_t *list, const struct scope *scope, struct str service, struct str action)
{
    const struct accessed *best = NULL;
    struct str who = STR_NONE;
    for (size_t i = 0; i < scope->n; i++) {
        const struct accessed *last = latest(&scope->accesses[i], service, action);
        if (last && (!best || last->at_s > best->at_s)) {
            best = last;
            who = scope->people[i].arn;
        }
    }
    json_t *row = json_object();
    json_set_str(row, "name", action);
    json_set_str(row, "arn", who);
    json_set_i64(row, "at", best ? best->at_s : 0);
    json_set_str(row, "region", best ? best->region : STR_NONE);
    json_array_append_new(list, row);
}

/* Operations are sorted by name, but some share an action. */
static json_t *print_actions(struct arena *arena, const struct scope *scope, struct str service)
{
    json_t *list = json_array(), *seen = json_own(arena, json_object());
    for (size_t t = 0; t < COUNT(tracked); t++) {
        for (size_t i = 0; str_is(service, tracked[t]->id) && i < tracked[t]->n_operations; i++) {
            const char *action = tracked[t]->operations[i].action;
            struct str rest = str_of(action ? action : ""), vendor;
            if (!str_split(&rest, ':', &vendor) || !str_eq(vendor, service) || json_at(seen, rest) ||
                !carried_grants(&scope->policies, service, rest))
                continue;
            json_object_set_new(seen, str_c(arena, rest), json_true());
            print_action(list, scope, service, rest);
        }
    }
    return list;
}

static struct str make_report(struct call *call, const struct scope *scope, struct str level)
{
    struct str *services;
    size_t n = carried_services(call->arena, &scope->policies, &services);
    json_t *doc = json_own(call->arena, json_object()), *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_object();
        json_set_str(row, "namespace", services[i]);
        json_object_set_new(row, "people", print_people(scope, services[i]));
        if (str_is(level, "ACTION_LEVEL"))
            json_object_set_new(row, "actions", print_actions(call->arena, scope, services[i]));
        json_array_append_new(list, row);
    }
    json_set_str(doc, "level", level);
    json_set_i64(doc, "madeUs", call->now_us);
    json_object_set_new(doc, "services", list);
    return json_print(call->arena, doc);
}

gh_err iam_GenerateServiceLastAccessedDetails(struct call *call, const struct iam_GenerateServiceLastAccessedDetails_in *in,
                                              struct iam_GenerateServiceLastAccessedDetails_out *out)
{
    struct scope scope;
    gh_err err = find_scope(call, in->arn, &scope);
    if (err)
        return err;
    struct str doc = make_report(call, &scope, in->granularity.ptr ? in->granularity : STR("SERVICE_LEVEL"));
    struct tx tx;
    out->job_id = id_uuid(call->env, call->arena);
    tx_begin(&tx, call->db, call->arena);
    access_report_insert(&tx, call->account, out->job_id, call->now_us, doc, call->now_us - KEPT_US);
    return iam_finish(&tx, NULL);
}

/* ---- reading it ---- */

static gh_err load(struct call *call, struct str id, json_t **out)
{
    struct str doc, why;
    gh_err err = access_report_find(call->db, call->arena, call->account, id, &doc);
    if (!err && !doc.ptr)
        err = gh_fail(call->arena, &iam_NoSuchEntityException, "The job with id %.*s cannot be found.", STR_FMT(id));
    if (!err)
        *out = json_parse(call->arena, doc, &why);
    return err;
}

static struct opt_time time_of(const json_t *row)
{
    int64_t at = json_i64(row, "at", 0);
    return at ? (struct opt_time){ true, (double)at } : (struct opt_time){ 0 };
}

static void describe_actions(struct call *call, const json_t *list, struct iam_TrackedActionsLastAccessed *out)
{
    size_t n = json_array_size(list);
    *out = (struct iam_TrackedActionsLastAccessed){ true, n, ARENA_ARRAY(call->arena, struct iam_TrackedActionLastAccessed *, n) };
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(list, i);
        out->items[i] = ARENA_NEW(call->arena, struct iam_TrackedActionLastAccessed);
        *out->items[i] = (struct iam_TrackedActionLastAccessed){
            .action_name = json_str(row, "name"), .last_accessed_entity = json_str(row, "arn"),
            .last_accessed_time = time_of(row), .last_accessed_region = json_str(row, "region") };
    }
}

static struct iam_ServiceLastAccessed *describe_service(struct call *call, const json_t *row)
{
    struct iam_ServiceLastAccessed *out = ARENA_NEW(call->arena, struct iam_ServiceLastAccessed);
    const json_t *people = json_object_get(row, "people"), *actions = json_object_get(row, "actions"), *last = NULL;
    int64_t total = 0;
    for (size_t i = 0; i < json_array_size(people); i++) {
        const json_t *one = json_array_get(people, i);
        int64_t at = json_i64(one, "at", 0);
        total += at > 0;
        if (at > 0 && (!last || at > json_i64(last, "at", 0)))
            last = one;
    }
    out->service_namespace = json_str(row, "namespace");
    out->service_name = service_name(out->service_namespace);
    out->total_authenticated_entities = some_i64(total);
    if (last) {
        out->last_authenticated = time_of(last);
        out->last_authenticated_entity = json_str(last, "arn");
        out->last_authenticated_region = json_str(last, "region");
    }
    if (json_array_size(actions))
        describe_actions(call, actions, &out->tracked_actions_last_accessed);
    return out;
}

static struct str nth_namespace(const void *items, size_t i)
{
    return json_str(json_array_get(items, i), "namespace");
}

gh_err iam_GetServiceLastAccessedDetails(struct call *call, const struct iam_GetServiceLastAccessedDetails_in *in,
                                         struct iam_GetServiceLastAccessedDetails_out *out)
{
    json_t *doc;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = load(call, in->job_id, &doc);
    if (err)
        return err;
    const json_t *services = json_object_get(doc, "services");
    struct iam_cut cut = iam_cut(call, &page, services, json_array_size(services), nth_namespace);
    out->job_status = STR("COMPLETED");
    out->job_type = json_str(doc, "level");
    out->job_creation_date = out->job_completion_date = iam_time(json_i64(doc, "madeUs", 0));
    out->services_last_accessed = (struct iam_ServicesLastAccessed){
        true, cut.n, ARENA_ARRAY(call->arena, struct iam_ServiceLastAccessed *, cut.n) };
    for (size_t i = 0; i < cut.n; i++)
        out->services_last_accessed.items[i] = describe_service(call, json_array_get(services, cut.first + i));
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}

/* "By default, the list of associated entities is sorted by date, with the most recent access listed first." */
struct placed {
    struct str place;
    const json_t *row;
};

static int by_place(const void *a, const void *b)
{
    return str_cmp(((const struct placed *)a)->place, ((const struct placed *)b)->place);
}

static struct str nth_place(const void *items, size_t i)
{
    return ((const struct placed *)items)[i].place;
}

static const json_t *people_of(const json_t *doc, struct str service)
{
    const json_t *services = json_object_get(doc, "services");
    for (size_t i = 0; i < json_array_size(services); i++)
        if (str_eq(json_str(json_array_get(services, i), "namespace"), service))
            return json_object_get(json_array_get(services, i), "people");
    return NULL;
}

gh_err iam_GetServiceLastAccessedDetailsWithEntities(struct call *call,
                                                     const struct iam_GetServiceLastAccessedDetailsWithEntities_in *in,
                                                     struct iam_GetServiceLastAccessedDetailsWithEntities_out *out)
{
    json_t *doc;
    struct iam_page page;
    gh_err err = iam_page(call, in->marker, in->max_items, &page);
    if (!err)
        err = load(call, in->job_id, &doc);
    if (err)
        return err;
    const json_t *people = people_of(doc, in->service_namespace);
    size_t n = json_array_size(people);
    struct placed *placed = ARENA_ARRAY(call->arena, struct placed, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(people, i);
        placed[i] = (struct placed){ str_printf(call->arena, "%019lld %.*s", (long long)(INT64_MAX - json_i64(row, "at", 0)),
                                                STR_FMT(json_str(row, "arn"))), row };
    }
    qsort(placed, n, sizeof *placed, by_place);
    struct iam_cut cut = iam_cut(call, &page, placed, n, nth_place);
    out->job_status = STR("COMPLETED");
    out->job_creation_date = out->job_completion_date = iam_time(json_i64(doc, "madeUs", 0));
    out->entity_details_list = (struct iam_entityDetailsListType){ true, cut.n, ARENA_ARRAY(call->arena, struct iam_EntityDetails *, cut.n) };
    for (size_t i = 0; i < cut.n; i++) {
        const json_t *row = placed[cut.first + i].row;
        struct iam_EntityDetails *one = out->entity_details_list.items[i] = ARENA_NEW(call->arena, struct iam_EntityDetails);
        one->entity_info = ARENA_NEW(call->arena, struct iam_EntityInfo);
        *one->entity_info = (struct iam_EntityInfo){ .arn = json_str(row, "arn"), .name = json_str(row, "name"),
                                                     .type = json_str(row, "type"), .id = json_str(row, "id"),
                                                     .path = json_str(row, "path") };
        one->last_authenticated = time_of(row);
    }
    out->is_truncated = some_bool(cut.truncated);
    out->marker = cut.marker;
    return NULL;
}
