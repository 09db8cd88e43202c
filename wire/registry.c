#include "wire/registry.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/uri.h"
#include "wire/codec_rest.h"
#include "wire/sigv4.h"

/* A rest-json operation; `first` is the literal that its path begins with: "restapis". */
struct rest_row {
    const struct registered *registered;
    const struct operation *operation;
    struct str first;
    size_t weight;
};

struct registry {
    const struct registered *services;
    size_t n;
    struct rest_row *rows;
    size_t n_rows;
};

static struct str first_segment(struct str path)
{
    path = str_from(path, 1);
    ptrdiff_t end = str_find(path, '/'), query = str_find(path, '?');
    if (query >= 0 && (end < 0 || query < end))
        end = query;
    return end < 0 ? path : str_sub(path, 0, (size_t)end);
}

/* Of two patterns that match, the one with more literal text wins, and one that names a query parameter. */
static size_t weight(const char *pattern)
{
    size_t literal = 0;
    bool label = false;
    for (const char *c = pattern; *c; c++) {
        label = (label || *c == '{') && *c != '}';
        literal += !label;
    }
    return literal;
}

static void list_rest_operations(struct registry *registry)
{
    size_t n = 0;
    for (size_t i = 0; i < registry->n; i++)
        n += registry->services[i].service->n_operations;
    registry->rows = calloc(n + 1, sizeof(*registry->rows));
    if (!registry->rows)
        abort();
    for (size_t i = 0; i < registry->n; i++) {
        const struct service *service = registry->services[i].service;
        for (size_t o = 0; o < service->n_operations && service->protocol == PROTOCOL_REST_JSON; o++) {
            const char *path = service->operations[o].path;
            registry->rows[registry->n_rows++] =
                (struct rest_row){ &registry->services[i], &service->operations[o],
                                   first_segment(str_of(path)), weight(path) };
        }
    }
}

struct registry *registry_new(const struct registered *services, size_t n)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    if (!registry)
        abort();
    *registry = (struct registry){ .services = services, .n = n };
    list_rest_operations(registry);
    return registry;
}

void registry_free(struct registry *registry)
{
    if (registry)
        free(registry->rows);
    free(registry);
}

static int name_order(const void *name, const void *operation)
{
    return str_cmp(*(const struct str *)name, str_of(((const struct operation *)operation)->name));
}

static const struct operation *operation_named(const struct service *service, struct str name)
{
    return bsearch(&name, service->operations, service->n_operations, sizeof(struct operation), name_order);
}

static void settle(struct route *route, const struct registered *registered, struct str name)
{
    route->registered = registered;
    route->operation = operation_named(registered->service, name);
    route->unknown = route->operation ? STR_NONE : name;
}

/* "AWSCognitoIdentityProviderService.InitiateAuth" */
static bool by_target(const struct registry *registry, const struct wire_request *request,
                      struct route *route)
{
    struct str target = http_header_get(request->headers, "X-Amz-Target");
    ptrdiff_t dot = str_find_last(target, '.');
    for (size_t i = 0; dot > 0 && i < registry->n; i++) {
        const char *prefix = registry->services[i].service->target_prefix;
        if (!prefix || !str_is(str_sub(target, 0, (size_t)dot), prefix))
            continue;
        settle(route, &registry->services[i], str_from(target, (size_t)dot + 1));
        if (!str_is(request->method, "POST")) {
            route->operation = NULL;
            route->unknown = request->method;
        }
        return true;
    }
    return false;
}

/* The parameters of a query call stand in the query string of a GET and in the body of a POST. */
static struct str form_of(struct arena *arena, const struct wire_request *request)
{
    struct str type = http_header_get(request->headers, "Content-Type");
    bool form = str_starts_nocase(type, STR("application/x-www-form-urlencoded"));
    if (!form || str_empty(request->body))
        return request->query;
    if (str_empty(request->query))
        return request->body;
    return str_printf(arena, "%.*s&%.*s", STR_FMT(request->query), STR_FMT(request->body));
}

/* signing_name absent: any service whose version is the one asked for. */
static bool by_action(const struct registry *registry, struct arena *arena,
                      const struct wire_request *request, struct str signing_name, struct route *route)
{
    struct str form = form_of(arena, request);
    struct str action = uri_query_get(arena, form, "Action"), version = uri_query_get(arena, form, "Version");
    for (size_t i = 0; i < registry->n; i++) {
        const struct service *service = registry->services[i].service;
        if (service->protocol != PROTOCOL_QUERY)
            continue;
        if (signing_name.ptr ? !str_is(signing_name, service->signing_name)
                             : !action.ptr || !str_is(version, service->api_version))
            continue;
        settle(route, &registry->services[i], action.ptr ? action : STR(""));
        route->form = form;
        route->version = version.ptr ? version : str_of(service->api_version);
        if (!str_is(route->version, service->api_version)) {
            route->operation = NULL;
            route->unknown = action;
        }
        return true;
    }
    return false;
}

/* "/restapis?mode=import" wants that parameter. */
static bool query_fits(struct arena *arena, const char *pattern, struct str query)
{
    struct str rest = str_of(pattern), name, value;
    ptrdiff_t mark = str_find(rest, '?');
    rest = mark < 0 ? STR_NONE : str_from(rest, (size_t)mark + 1);
    while (uri_query_next(&rest, &name, &value))
        if (!str_eq(uri_query_get(arena, query, str_c(arena, name)), value))
            return false;
    return true;
}

static bool by_path(const struct registry *registry, struct arena *arena, const struct wire_request *request,
                    struct str signing_name, struct route *route)
{
    size_t best = 0, n_labels;
    struct label labels[MAX_LABELS];
    struct str first = first_segment(request->path);
    for (size_t i = 0; i < registry->n_rows; i++) {
        const struct rest_row *row = &registry->rows[i];
        if (row->weight <= best || !str_eq(row->first, first) ||
            !str_is(request->method, row->operation->method) ||
            (signing_name.ptr && !str_is(signing_name, row->registered->service->signing_name)) ||
            !rest_match(str_of(row->operation->path), request->path, labels, &n_labels) ||
            !query_fits(arena, row->operation->path, request->query))
            continue;
        best = row->weight;
        *route = (struct route){ .registered = row->registered,
                                 .operation = row->operation,
                                 .n_labels = n_labels };
        memcpy(route->labels, labels, n_labels * sizeof(*labels));
    }
    return best > 0;
}

/* The service that the signature is for, whatever was asked of it. */
static bool by_scope(const struct registry *registry, const struct wire_request *request, struct arena *arena,
                     struct str signing_name, struct route *route)
{
    for (size_t i = 0; i < registry->n; i++) {
        if (!str_is(signing_name, registry->services[i].service->signing_name))
            continue;
        route->registered = &registry->services[i];
        route->unknown = str_printf(arena, "%.*s %.*s", STR_FMT(request->method), STR_FMT(request->path));
        return true;
    }
    return false;
}

void registry_find(const struct registry *registry, struct arena *arena, const struct wire_request *request,
                   struct route *route)
{
    *route = (struct route){ 0 };
    if (by_target(registry, request, route))
        return;
    const struct sigv4_request claim = {
        .method = request->method, .path = request->path, .query = request->query, .headers = request->headers
    };
    struct str key_id, scope = STR_NONE;
    if (!sigv4_peek(arena, &claim, &key_id, &scope))
        scope = STR_NONE;
    if (by_action(registry, arena, request, scope, route) || by_path(registry, arena, request, scope, route))
        return;
    if (scope.ptr)
        by_scope(registry, request, arena, scope, route);
}

static json_t *service_json(const struct registered *registered)
{
    json_t *built = json_array(), *missing = json_array(), *refused = json_array();
    const struct service *service = registered->service;
    for (size_t i = 0; i < service->n_operations; i++)
        json_array_append_new(service->operations[i].handler ? built : missing,
                              json_string(service->operations[i].name));
    for (const char *const *row = registered->refused; row && *row; row++)
        json_array_append_new(refused, json_string(*row));
    return json_pack("{s:i, s:i, s:o, s:o, s:o}", "operations", (int)service->n_operations, "built_count",
                     (int)json_array_size(built), "built", built, "missing", missing, "refused_members",
                     refused);
}

json_t *registry_capabilities(const struct registry *registry, struct arena *arena)
{
    json_t *services = json_object();
    size_t operations = 0, built = 0;
    for (size_t i = 0; i < registry->n; i++) {
        json_t *one = service_json(&registry->services[i]);
        operations += (size_t)json_integer_value(json_object_get(one, "operations"));
        built += (size_t)json_integer_value(json_object_get(one, "built_count"));
        json_object_set_new(services, registry->services[i].service->id, one);
    }
    return json_own(arena, json_pack("{s:i, s:i, s:o}", "operations", (int)operations, "built_count",
                                     (int)built, "services", services));
}
