#include "gateway/domain/publish.h"

#include "core/log.h"
#include "core/uri.h"
#include "gateway/domain/domain.h"
#include "gateway/everywhere.h"
#include "gateway/store/domain.h"
#include "gen/apigateway.h"

static gh_err load_one(struct db *db, struct arena *arena, const json_t *doc, struct domain_source *out)
{
    struct str id = json_str(doc, "id");
    *out = (struct domain_source){ .domain = doc };
    gh_err err = mapping_list(db, NULL, arena, id, &out->mappings);
    if (!err)
        err = rule_list(db, NULL, arena, id, &out->rules);
    return err ? err : association_list_of(db, NULL, arena, id, &out->associations);
}

/* *broken counts the domains whose files cannot be used as they are. */
static gh_err build(struct gateway *gateway, struct arena *scratch, struct domain_table **out, size_t *broken)
{
    struct docs all;
    struct domain_table *table = domain_table_new(gateway->config.tls, gateway->domains);
    struct str problem = STR_NONE;
    gh_err err = domain_list_all(gateway->config.db, scratch, &all);
    if (table->sites && !domain_default_site(&gateway->files, gateway->domains, table, scratch, &problem))
        log_at(LOG_ERROR, "the default certificate cannot be used: what served before goes on, if anything did",
               { "why", problem });
    for (size_t i = 0; !err && i < all.n; i++) {
        struct domain_source source;
        struct str why = STR_NONE;
        err = load_one(gateway->config.db, scratch, all.items[i], &source);
        if (err)
            break;
        domain_table_add(table, domain_compile(&source, table->arena));
        if (!table->sites || domain_site(all.items[i], &gateway->files, gateway->domains, table, scratch, &why))
            continue;
        ++*broken;
        log_at(LOG_ERROR, "a domain's certificate cannot be used: what served before goes on, if anything did",
               { "domain", json_str(all.items[i], "domainName") }, { "why", why });
    }
    *out = table;
    if (err)
        domain_table_unref(table);
    return err;
}

static void install(struct gw_loop *home, void *table)
{
    struct domain_table *before = home->domains;
    home->domains = domain_table_ref(table);
    domain_table_unref(before);
}

static void take_over(struct gateway *gateway, struct domain_table *table)
{
    domain_table_unref(gateway->domains);
    gateway->domains = table;
}

gh_err gateway_publish_domains(struct gateway *gateway, struct call *call)
{
    struct domain_table *table;
    size_t broken = 0;
    pthread_mutex_lock(&gateway->publishing_domains);
    gh_err err = build(gateway, call->arena, &table, &broken);
    if (!err) {
        gateway_everywhere(gateway, call->arena, install, table);
        take_over(gateway, table);
    }
    pthread_mutex_unlock(&gateway->publishing_domains);
    return err;
}

bool gateway_load_domains(struct gateway *gateway, struct str *why)
{
    struct arena *scratch = arena_new(16 * 1024);
    struct domain_table *table;
    size_t broken = 0;
    gh_err err = build(gateway, scratch, &table, &broken);
    if (err)
        *why = str_copy(gateway->arena, err->message);
    for (size_t i = 0; !err && i < gateway->n_loops; i++)
        install(&gateway->loops[i], table);
    if (!err)
        take_over(gateway, table);
    arena_free(scratch);
    return !err;
}

void gateway_reload_certificates(struct gateway *gateway, bool only_if_changed)
{
    struct arena *scratch = arena_new(16 * 1024);
    struct domain_table *table;
    size_t broken = 0;
    pthread_mutex_lock(&gateway->publishing_domains);
    bool due = !only_if_changed || seen_files_changed(&gateway->domains->files);
    gh_err err = due ? build(gateway, scratch, &table, &broken) : NULL;
    if (due && !err) {
        gateway_everywhere(gateway, scratch, install, table);
        take_over(gateway, table);
        if (broken)
            log_plain(LOG_WARN, "certificates reloaded, but for those named above");
        else
            log_plain(LOG_INFO, "certificates and truststores reloaded");
    }
    if (err)
        log_at(LOG_ERROR, "certificates cannot be reloaded", { "why", err->message });
    pthread_mutex_unlock(&gateway->publishing_domains);
    arena_free(scratch);
}

gh_err gateway_check_domain(struct gateway *gateway, struct call *call, json_t *domain)
{
    json_t *mutual = json_object_get(domain, "mutualTlsAuthentication");
    struct str uri = json_str(mutual, "truststoreUri"), why = STR_NONE;
    struct tls_warnings warnings = { 0 };
    struct domain_table *trial = domain_table_new(true, NULL);
    if (uri.len) {
        struct tls_trust *trust = truststore_find(&gateway->files, call->arena, uri,
                                                  json_str(mutual, "truststoreVersion"), &warnings, &why);
        tls_trust_unref(trust);
    }
    if (!why.ptr)
        domain_site(domain, &gateway->files, NULL, trial, call->arena, &why);
    const struct tls_site *site = why.ptr ? NULL : tls_sites_find(trial->sites, json_str(domain, "domainName"));
    if (site && !tls_certificate_covers(site->certificate, json_str(domain, "domainName")))
        why = STR("the certificate is not for this domain name");
    domain_table_unref(trial);
    if (why.ptr)
        return gh_fail(call->arena, &apigw_BadRequestException, "The domain name cannot be served: %.*s", STR_FMT(why));
    json_object_del(mutual, "truststoreWarnings");
    if (!warnings.n)
        return NULL;
    json_t *list = json_array();
    for (size_t i = 0; i < warnings.n; i++)
        json_array_append_new(list, json_of(warnings.items[i]));
    json_object_set_new(mutual, "truststoreWarnings", list);
    return NULL;
}
