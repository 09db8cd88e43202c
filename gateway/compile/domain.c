/* From what stands in the store about custom domains to the table that the loops read. */
#include <stdlib.h>

#include "core/glob.h"
#include "core/log.h"
#include "gateway/domain/domain.h"

static struct domain_rule compile_rule(const json_t *rule, struct arena *arena);
static void compile_mappings(struct domain *domain, const struct docs *mappings, struct arena *arena);

static bool has_type(const json_t *domain, const char *type)
{
    const json_t *types = json_object_get(json_object_get(domain, "endpointConfiguration"), "types");
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)types, i, one)
        if (str_is(json_value_str(one), type))
            return true;
    return false;
}

static void free_policy(void *set)
{
    policy_set_free(set);
}

/* A policy that does not compile any more lets nobody in. */
static const struct policy_set *policy_of(const json_t *domain, struct arena *arena)
{
    struct str text = json_str(domain, "policy"), why;
    if (!text.len)
        return NULL;
    struct policy_set *set = policy_set_new();
    arena_defer(arena, free_policy, set);
    if (!policy_set_add(set, POLICY_RESOURCE, STR("domain policy"), text, arena, &why))
        log_at(LOG_ERROR, "a domain's policy cannot be read", { "domain", json_str(domain, "domainName") }, { "why", why });
    return set;
}

static enum domain_routing routing_of(const json_t *domain)
{
    struct str mode = json_str(domain, "routingMode");
    return str_is(mode, "ROUTING_RULE_ONLY")                      ? ROUTE_RULES
           : str_is(mode, "ROUTING_RULE_THEN_BASE_PATH_MAPPING") ? ROUTE_RULES_THEN_MAPPINGS
                                                                  : ROUTE_MAPPINGS;
}

struct domain *domain_compile(const struct domain_source *source, struct arena *arena)
{
    const json_t *doc = source->domain;
    struct domain *domain = ARENA_NEW(arena, struct domain);
    *domain = (struct domain){
        .name = str_copy(arena, json_str(doc, "domainName")),
        .id = str_copy(arena, json_str(doc, "id")),
        .account = str_copy(arena, json_str(doc, "account")),
        .region = str_copy(arena, json_str(doc, "region")),
        .routing = routing_of(doc),
        .mutual_tls = json_str(json_object_get(doc, "mutualTlsAuthentication"), "truststoreUri").len > 0,
        .strict = str_is(json_str(doc, "endpointAccessMode"), "STRICT"),
        .is_private = has_type(doc, "PRIVATE"),
    };
    domain->policy = domain->is_private ? policy_of(doc, arena) : NULL;
    compile_mappings(domain, &source->mappings, arena);
    domain->rules = ARENA_ARRAY(arena, struct domain_rule, source->rules.n);
    for (size_t i = 0; i < source->rules.n; i++) /* the store has them by priority */
        domain->rules[domain->n_rules++] = compile_rule(source->rules.items[i], arena);
    domain->endpoints = ARENA_ARRAY(arena, struct str, source->associations.n);
    for (size_t i = 0; i < source->associations.n; i++)
        if (!json_flag(source->associations.items[i], "rejected", false))
            domain->endpoints[domain->n_endpoints++] =
                str_copy(arena, json_str(source->associations.items[i], "accessAssociationSource"));
    return domain;
}

static int longest_first(const void *a, const void *b)
{
    const struct domain_mapping *one = a, *two = b;
    if (one->base_path.len != two->base_path.len)
        return one->base_path.len < two->base_path.len ? 1 : -1;
    return str_cmp(one->base_path, two->base_path);
}

static void compile_mappings(struct domain *domain, const struct docs *mappings, struct arena *arena)
{
    domain->mappings = ARENA_ARRAY(arena, struct domain_mapping, mappings->n);
    for (size_t i = 0; i < mappings->n; i++) {
        const json_t *doc = mappings->items[i];
        struct str base_path = json_str(doc, "basePath"), stage = json_str(doc, "stage");
        domain->mappings[domain->n_mappings++] = (struct domain_mapping){
            str_is(base_path, "(none)") ? STR("") : str_copy(arena, base_path),
            str_copy(arena, json_str(doc, "restApiId")),
            stage.len ? str_copy(arena, stage) : STR_NONE,
        };
    }
    if (domain->n_mappings)
        qsort(domain->mappings, domain->n_mappings, sizeof *domain->mappings, longest_first);
}

/* Only '*' is a wild card; a '?' means itself. */
static struct str marked(struct str glob, struct arena *arena)
{
    char *copy = arena_alloc(arena, glob.len + 1, 1);
    for (size_t i = 0; i < glob.len; i++)
        copy[i] = glob.ptr[i] == '*' ? GLOB_STAR : glob.ptr[i];
    copy[glob.len] = '\0';
    return (struct str){ copy, glob.len };
}

static struct domain_condition compile_condition(const json_t *doc, struct arena *arena)
{
    const json_t *headers = json_object_get(json_object_get(doc, "matchHeaders"), "anyOf");
    const json_t *paths = json_object_get(json_object_get(doc, "matchBasePaths"), "anyOf");
    struct domain_condition out = {
        .headers = ARENA_ARRAY(arena, struct domain_header, json_array_size(headers)),
        .base_paths = ARENA_ARRAY(arena, struct str, json_array_size(paths)),
    };
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)headers, i, one)
        out.headers[out.n_headers++] = (struct domain_header){ str_copy(arena, json_str(one, "header")),
                                                               marked(json_str(one, "valueGlob"), arena) };
    json_array_foreach((json_t *)(uintptr_t)paths, i, one)
        out.base_paths[out.n_base_paths++] = str_copy(arena, json_value_str(one));
    return out;
}

static struct domain_rule compile_rule(const json_t *rule, struct arena *arena)
{
    const json_t *conditions = json_object_get(rule, "conditions");
    const json_t *action = json_object_get(json_array_get(json_object_get(rule, "actions"), 0), "invokeApi");
    struct domain_rule out = {
        .priority = json_i64(rule, "priority", 0),
        .conditions = ARENA_ARRAY(arena, struct domain_condition, json_array_size(conditions)),
        .id = str_copy(arena, json_str(rule, "routingRuleId")),
        .api_id = str_copy(arena, json_str(action, "apiId")),
        .stage = str_copy(arena, json_str(action, "stage")),
        .strip_base_path = json_flag(action, "stripBasePath", false),
    };
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)(uintptr_t)conditions, i, one)
        out.conditions[out.n_conditions++] = compile_condition(one, arena);
    return out;
}

/* --- the table --- */

struct domain_table *domain_table_new(bool tls, const struct domain_table *before)
{
    struct arena *arena = arena_new(16 * 1024);
    struct domain_table *table = ARENA_NEW(arena, struct domain_table);
    atomic_init(&table->references, 1);
    table->arena = arena;
    table->by_name = map_new();
    table->sites = tls ? tls_sites_new(before ? before->sites : NULL) : NULL;
    return table;
}

void domain_table_add(struct domain_table *table, struct domain *domain)
{
    map_set(table->by_name, domain->name, domain);
}

struct domain_table *domain_table_ref(struct domain_table *table)
{
    atomic_fetch_add_explicit(&table->references, 1, memory_order_relaxed);
    return table;
}

void domain_table_unref(struct domain_table *table)
{
    if (!table || atomic_fetch_sub(&table->references, 1) > 1)
        return;
    map_free(table->by_name, NULL);
    tls_sites_unref(table->sites);
    arena_free(table->arena);
}
