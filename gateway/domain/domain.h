/* Custom domains as the loops see them: which API and stage a host and a path mean.
 *
 * A table of all domains is compiled when one changes, then only read; each loop has its hold on the
 * newest. Decisions are pure functions of table and request. */
#pragma once

#include <stdatomic.h>

#include "core/http_msg.h"
#include "core/json.h"
#include "core/map.h"
#include "core/tls_peer.h"
#include "core/tls_sites.h"
#include "gateway/domain/certificate.h"
#include "gateway/store/docs.h"
#include "policy/eval.h"

struct domain_mapping {
    struct str base_path; /* "v1/orders"; "" is AWS's "(none)" */
    struct str api_id;
    struct str stage;     /* absent: the first segment behind the base path */
};

struct domain_header {
    struct str name;
    struct str glob; /* marked, for glob_match_marked */
};

/* All conditions must hold, of each one of its values. */
struct domain_condition {
    struct domain_header *headers;
    size_t n_headers;
    struct str *base_paths;
    size_t n_base_paths;
};

struct domain_rule {
    int64_t priority;
    struct domain_condition *conditions;
    size_t n_conditions;
    struct str id, api_id, stage;
    bool strip_base_path;
};

enum domain_routing { ROUTE_MAPPINGS, ROUTE_RULES, ROUTE_RULES_THEN_MAPPINGS };

struct domain {
    struct str name, id, account, region;
    enum domain_routing routing;
    bool mutual_tls;               /* clients must show a certificate that the truststore knows */
    bool strict;                   /* endpointAccessMode STRICT: SNI and Host must agree */
    bool is_private;
    const struct policy_set *policy; /* of a private domain; NULL: none */
    struct domain_mapping *mappings; /* the longest base path first */
    size_t n_mappings;
    struct domain_rule *rules;     /* by priority */
    size_t n_rules;
    struct str *endpoints;         /* of a private domain: VPC endpoints with access */
    size_t n_endpoints;
};

struct domain_table {
    atomic_int references;
    struct arena *arena;
    struct map *by_name;           /* "api.x.test", "*.x.test" -> struct domain */
    struct tls_sites *sites;       /* NULL: there is no TLS listener */
    struct seen_files files;
};

/* host lower case, without port. The exact name, then the wild card one label up. */
const struct domain *domain_find(const struct domain_table *table, struct str host);

struct domain_match {
    struct str api_id, stage; /* stage absent: the first segment of path */
    struct str path;          /* raw, what is left for the API: begins with '/' */
    struct str base_path;     /* what was taken off; "" when nothing */
    struct str rule_id;       /* absent: a mapping decided */
};
/* path raw, begins with '/'. False: nothing is there, 403 Forbidden. Views into domain and path. */
bool domain_route(const struct domain *domain, const struct http_headers *headers, struct str path,
                  struct domain_match *out);

/* What stands in the store about one domain. */
struct domain_source {
    const json_t *domain;
    struct docs mappings, rules, associations;
};
/* Without certificates. Views are copied into the arena. */
struct domain *domain_compile(const struct domain_source *source, struct arena *arena);
/* Adds the domain's site. `before`: the table in use (may be NULL), whose site is taken over when settings
 * and files are the same, or are broken now. False: *why; then it has no site, or the one of before. */
bool domain_site(const json_t *domain, const struct certificate_files *files, const struct domain_table *before,
                 struct domain_table *table, struct arena *scratch, struct str *why);

/* May the client come in at all? Before any API is known. */
struct domain_visit {
    struct str host;             /* the request's */
    const struct tls_peer *tls;  /* NULL: it came in clear */
    struct str peer_ip, user_agent, referer;
    int64_t now_s;
    struct str partition;
};
/* NULL, or why not, for the trace. */
const char *domain_turns_away(const struct domain *domain, const struct domain_visit *visit, struct arena *arena);

/* The same for clients that name no host, or one without a site: the certificate called "default". */
bool domain_default_site(const struct certificate_files *files, const struct domain_table *before,
                         struct domain_table *table, struct arena *scratch, struct str *why);

struct domain_table *domain_table_new(bool tls, const struct domain_table *before);
void domain_table_add(struct domain_table *table, struct domain *domain);
struct domain_table *domain_table_ref(struct domain_table *table);
void domain_table_unref(struct domain_table *table); /* NULL is taken */
