#include "identity/iam/reports/carried.h"

#include "core/glob.h"
#include "core/log.h"
#include "identity/iam/reports/service_name.h"

enum { MOST = 64 }; /* at first */

static struct carried *add(struct call *call, struct carried_list *list, size_t *cap)
{
    if (list->n == *cap) {
        list->items = arena_grow(call->arena, list->items, *cap * sizeof *list->items, 2 * *cap * sizeof *list->items);
        *cap *= 2;
    }
    list->items[list->n] = (struct carried){ 0 };
    return &list->items[list->n];
}

static void add_document(struct call *call, struct carried_list *list, size_t *cap, struct carried one, struct str document)
{
    struct str why;
    struct carried *slot = add(call, list, cap);
    *slot = one;
    if (policy_parse(call->arena, call->arena, POLICY_IDENTITY, document, &slot->policy, &why))
        list->n++;
    else
        log_at(LOG_ERROR, "stored policy does not compile", { "policy", one.name }, { "why", why });
}

static gh_err add_owner(struct call *call, const struct entity *owner, struct carried_list *list, size_t *cap)
{
    struct named_policies own;
    struct arns arns;
    gh_err err = inline_list(call->db, NULL, call->arena, owner->id, &own);
    for (size_t i = 0; !err && i < own.n; i++)
        add_document(call, list, cap, (struct carried){ .name = own.items[i].name, .owner = owner },
                     own.items[i].document);
    if (!err)
        err = attached_list(call->db, NULL, call->arena, owner->id, entity_kind_name(owner->kind), &arns);
    for (size_t i = 0; !err && i < arns.n; i++) {
        struct str document, arn = arns.items[i];
        err = managed_document(call->db, NULL, call->arena, arn, &document);
        if (!err && document.ptr)
            add_document(call, list, cap,
                         (struct carried){ .name = str_from(arn, (size_t)(str_find_last(arn, '/') + 1)), .arn = arn,
                                           .owner = owner },
                         document);
    }
    return err;
}

gh_err carried_by(struct call *call, const struct entity *entity, struct carried_list *out)
{
    size_t cap = MOST;
    struct entity_list groups = { 0 };
    *out = (struct carried_list){ .items = ARENA_ARRAY(call->arena, struct carried, cap) };
    gh_err err = add_owner(call, entity, out, &cap);
    if (!err && entity->kind == ENTITY_USER)
        err = entity_parents(call->db, NULL, call->arena, entity->id, ENTITY_GROUP, &groups);
    for (size_t i = 0; !err && i < groups.n; i++)
        err = add_owner(call, &groups.items[i], out, &cap);
    return err;
}

gh_err carried_managed(struct call *call, struct str arn, struct carried_list *out)
{
    size_t cap = 1;
    struct str document;
    *out = (struct carried_list){ .items = ARENA_ARRAY(call->arena, struct carried, cap) };
    gh_err err = managed_document(call->db, NULL, call->arena, arn, &document);
    if (!err && !document.ptr)
        err = iam_no_such(call, ENTITY_POLICY, arn);
    if (!err)
        add_document(call, out, &cap, (struct carried){ .name = arn, .arn = arn }, document);
    return err;
}

/* ---- what they reach ---- */

static bool is_whole_service(const struct action_pattern *action, struct str service)
{
    return action->everything || (str_eq_nocase(action->vendor, service) && str_is(action->name, "*"));
}

/* Does the statement speak of any action of the service? NotAction does, unless it excepts them all. */
static bool speaks_of(const struct statement *statement, struct str service)
{
    for (size_t i = 0; i < statement->n_actions; i++) {
        const struct action_pattern *action = &statement->actions[i];
        if (statement->not_action ? is_whole_service(action, service)
                                  : action->everything || str_eq_nocase(action->vendor, service))
            return !statement->not_action;
    }
    return statement->not_action;
}

static bool denies_whole(const struct statement *statement, struct str service)
{
    bool anywhere = statement->n_conditions == 0 && !statement->not_resource && !statement->not_action;
    bool everything = false, whole = false;
    for (size_t i = 0; i < statement->n_resources; i++)
        everything |= statement->resources[i].arn.everything;
    for (size_t i = 0; i < statement->n_actions; i++)
        whole |= is_whole_service(&statement->actions[i], service);
    return statement->deny && anywhere && everything && whole;
}

bool policy_grants_service(const struct policy *policy, struct str service)
{
    for (size_t i = 0; i < policy->n; i++)
        if (!policy->statements[i].deny && speaks_of(&policy->statements[i], service))
            return true;
    return false;
}

bool carried_reaches(const struct carried_list *list, struct str service)
{
    bool granted = false;
    for (size_t i = 0; i < list->n; i++) {
        const struct policy *policy = &list->items[i].policy;
        granted |= policy_grants_service(policy, service);
        for (size_t s = 0; s < policy->n; s++)
            if (denies_whole(&policy->statements[s], service))
                return false;
    }
    return granted;
}

static bool names_action(const struct statement *statement, struct str service, struct str action)
{
    for (size_t i = 0; i < statement->n_actions; i++) {
        const struct action_pattern *one = &statement->actions[i];
        if (one->everything || (str_eq_nocase(one->vendor, service) && glob_match_nocase(one->name, action)))
            return !statement->not_action;
    }
    return statement->not_action;
}

bool carried_grants(const struct carried_list *list, struct str service, struct str action)
{
    for (size_t i = 0; i < list->n; i++)
        for (size_t s = 0; s < list->items[i].policy.n; s++) {
            const struct statement *statement = &list->items[i].policy.statements[s];
            if (!statement->deny && names_action(statement, service, action))
                return true;
        }
    return false;
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

size_t carried_services(struct arena *arena, const struct carried_list *list, struct str **out)
{
    size_t cap = service_count(), n = 0, kept = 0;
    for (size_t i = 0; i < list->n; i++)
        for (size_t s = 0; s < list->items[i].policy.n; s++)
            cap += list->items[i].policy.statements[s].n_actions;
    struct str *names = ARENA_ARRAY(arena, struct str, cap);
    for (size_t i = 0; i < service_count(); i++)
        names[n++] = service_at(i);
    for (size_t i = 0; i < list->n; i++)
        for (size_t s = 0; s < list->items[i].policy.n; s++)
            for (size_t a = 0; a < list->items[i].policy.statements[s].n_actions; a++) {
                struct str vendor = list->items[i].policy.statements[s].actions[a].vendor;
                if (vendor.len)
                    names[n++] = str_lower(arena, vendor);
            }
    qsort(names, n, sizeof *names, by_text);
    for (size_t i = 0; i < n; i++)
        if ((kept == 0 || !str_eq(names[kept - 1], names[i])) && carried_reaches(list, names[i]))
            names[kept++] = names[i];
    *out = names;
    return kept;
}

/* ---- whose ---- */

gh_err carrier_find(struct call *call, struct str arn, struct entity *out)
{
    static const enum entity_kind kinds[] = { ENTITY_USER, ENTITY_GROUP, ENTITY_ROLE };
    struct str name = str_from(arn, (size_t)(str_find_last(arn, '/') + 1));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct str begin = str_printf(call->arena, "arn:aws:iam::%.*s:%s/", STR_FMT(call->account),
                                      entity_kind_name(kinds[i]));
        bool found = false;
        if (!str_starts(arn, begin))
            continue;
        gh_err err = entity_load(call->db, NULL, call->arena, call->account, kinds[i], name, out, &found);
        if (err)
            return err;
        return found && str_eq(out->arn, arn) ? NULL : iam_no_such(call, kinds[i], name);
    }
    return gh_fail(call->arena, &iam_InvalidInputException, "ARN %.*s is not valid.", STR_FMT(arn));
}
