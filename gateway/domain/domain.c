#include "gateway/domain/domain.h"

#include "core/glob.h"

const struct domain *domain_find(const struct domain_table *table, struct str host)
{
    char wild[256];
    const struct domain *domain = map_get(table->by_name, host);
    ptrdiff_t dot = str_find(host, '.');
    if (domain || dot <= 0 || host.len - (size_t)dot + 1 > sizeof wild)
        return domain;
    size_t len = host.len - (size_t)dot;
    wild[0] = '*';
    memcpy(wild + 1, host.ptr + dot, len);
    return map_get(table->by_name, (struct str){ wild, len + 1 });
}

/* "v1/orders" is at the front of "/v1/orders", "/v1/orders/7", not of "/v1/orders7". "" is everywhere.
 * "The matching is case-sensitive." */
static bool at_front(struct str base_path, struct str path)
{
    if (!base_path.len)
        return true;
    return path.len > base_path.len && memcmp(path.ptr + 1, base_path.ptr, base_path.len) == 0 &&
           (path.len == base_path.len + 1 || path.ptr[base_path.len + 1] == '/');
}

static struct str behind(struct str base_path, struct str path)
{
    struct str rest = base_path.len ? str_from(path, base_path.len + 1) : path;
    return rest.len ? rest : STR("/");
}

/* "Header name matching is case-insensitive, but header glob value matching is case-sensitive." */
static bool header_holds(const struct domain_header *wanted, const struct http_headers *headers)
{
    for (size_t i = 0; i < headers->n; i++)
        if (str_eq_nocase(headers->items[i].name, wanted->name) &&
            glob_match_marked(wanted->glob, headers->items[i].value))
            return true;
    return false;
}

static bool condition_holds_here(const struct domain_condition *condition, const struct http_headers *headers,
                                 struct str path, struct str *base_path)
{
    bool header = condition->n_headers == 0, at = condition->n_base_paths == 0;
    for (size_t i = 0; i < condition->n_headers && !header; i++)
        header = header_holds(&condition->headers[i], headers);
    for (size_t i = 0; i < condition->n_base_paths; i++) {
        struct str one = condition->base_paths[i];
        if (at_front(one, path) && (!at || one.len > base_path->len)) {
            at = true;
            *base_path = one;
        }
    }
    return header && at;
}

static bool by_rules(const struct domain *domain, const struct http_headers *headers, struct str path,
                     struct domain_match *out)
{
    for (size_t i = 0; i < domain->n_rules; i++) {
        const struct domain_rule *rule = &domain->rules[i];
        struct str base_path = STR("");
        size_t held = 0;
        while (held < rule->n_conditions &&
               condition_holds_here(&rule->conditions[held], headers, path, &base_path))
            held++;
        if (held < rule->n_conditions)
            continue;
        if (!rule->strip_base_path)
            base_path = STR("");
        *out = (struct domain_match){ rule->api_id, rule->stage, behind(base_path, path), base_path, rule->id };
        return true;
    }
    return false;
}

static bool by_mappings(const struct domain *domain, struct str path, struct domain_match *out)
{
    for (size_t i = 0; i < domain->n_mappings; i++) {
        const struct domain_mapping *mapping = &domain->mappings[i];
        if (!at_front(mapping->base_path, path))
            continue;
        *out = (struct domain_match){ mapping->api_id, mapping->stage, behind(mapping->base_path, path),
                                      mapping->base_path, STR_NONE };
        return true;
    }
    return false;
}

bool domain_route(const struct domain *domain, const struct http_headers *headers, struct str path,
                  struct domain_match *out)
{
    if (domain->routing != ROUTE_MAPPINGS && by_rules(domain, headers, path, out))
        return true;
    return domain->routing != ROUTE_RULES && by_mappings(domain, path, out);
}
