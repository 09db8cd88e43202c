/* A domain's TLS site: from its settings and files, or the one of before when nothing has changed. */
#include "core/digest.h"
#include "gateway/domain/domain.h"
#include "gateway/domain/security_policy.h"

static const struct tls_site *site_before(const struct domain_table *before, struct str name)
{
    const struct tls_site *site = before && before->sites ? tls_sites_find(before->sites, name) : NULL;
    return site && str_eq(site->name, name) ? site : NULL;
}

static struct str certificate_of(const json_t *domain)
{
    static const char *const members[] = { "regionalCertificateArn", "certificateArn", "regionalCertificateName",
                                           "certificateName" };
    for (size_t i = 0; i < COUNT(members); i++)
        if (json_str(domain, members[i]).len)
            return json_str(domain, members[i]);
    return STR_NONE;
}

/* Equal when nothing that a site is made of has changed: settings and files. */
static void origin_of(const json_t *domain, const struct seen_files *seen, struct arena *scratch, uint8_t out[32])
{
    static const char *const members[] = { "domainName", "securityPolicy", "mutualTlsAuthentication" };
    struct strbuf text = strbuf_in(scratch, 512);
    for (size_t i = 0; i < COUNT(members); i++) {
        const json_t *value = json_object_get(domain, members[i]);
        strbuf_add(&text, value ? json_print(scratch, value) : STR("-"));
    }
    for (size_t i = 0; i < seen->n; i++)
        strbuf_printf(&text, "\n%s %lld %lld %llu", seen->items[i].path, (long long)seen->items[i].modified_ns,
                      (long long)seen->items[i].bytes, (unsigned long long)seen->items[i].inode);
    digest_sha256(strbuf_view(&text), out);
}

static void remember(struct domain_table *table, const struct seen_files *seen)
{
    struct seen_files *all = &table->files;
    for (size_t i = 0; i < seen->n; i++) {
        if (all->n == all->cap) {
            size_t grown = all->cap ? all->cap * 2 : 16;
            all->items = arena_grow(table->arena, all->items, all->cap * sizeof *all->items, grown * sizeof *all->items);
            all->cap = grown;
        }
        all->items[all->n] = seen->items[i];
        all->items[all->n++].path = str_c(table->arena, str_of(seen->items[i].path));
    }
}

/* Reads the files and makes the site. */
static bool make_site(const json_t *domain, const struct certificate_files *files, const struct tls_limits *limits,
                      const struct tls_site *old, const uint8_t origin[32], struct domain_table *table,
                      struct arena *scratch, struct str *why)
{
    struct str name = json_str(domain, "domainName"), reason = STR_NONE;
    const json_t *mutual = json_object_get(domain, "mutualTlsAuthentication");
    struct str uri = json_str(mutual, "truststoreUri");
    struct tls_warnings warnings;
    struct tls_trust *trust = NULL;
    struct tls_certificate *certificate =
        certificate_find(files, scratch, certificate_of(domain), name, old ? old->certificate : NULL, &reason);
    if (certificate && uri.len)
        trust = truststore_find(files, scratch, uri, json_str(mutual, "truststoreVersion"), &warnings, &reason);
    bool good = certificate && (!uri.len || trust);
    if (!good)
        *why = str_printf(scratch, "%s%.*s", certificate ? "truststore: " : "certificate: ", STR_FMT(reason));
    good = good && tls_sites_add(table->sites, name, certificate, trust, limits, origin, scratch, why);
    tls_certificate_unref(certificate);
    tls_trust_unref(trust);
    return good;
}

bool domain_site(const json_t *domain, const struct certificate_files *files, const struct domain_table *before,
                 struct domain_table *table, struct arena *scratch, struct str *why)
{
    const json_t *mutual = json_object_get(domain, "mutualTlsAuthentication");
    struct str uri = json_str(mutual, "truststoreUri");
    const struct security_policy *policy = security_policy_find(json_str(domain, "securityPolicy"));
    const struct tls_site *old = site_before(before, json_str(domain, "domainName"));
    struct seen_files seen = { 0 };
    uint8_t origin[32];
    if (!policy || policy->missing) {
        *why = STR("its security policy cannot be served");
        return false;
    }
    certificate_look(files, scratch, certificate_of(domain), &seen);
    if (uri.len)
        truststore_look(files, scratch, uri, json_str(mutual, "truststoreVersion"), &seen);
    remember(table, &seen);
    origin_of(domain, &seen, scratch, origin);
    if (old && memcmp(old->origin, origin, sizeof origin) == 0) {
        tls_sites_share(table->sites, old);
        return true;
    }
    if (make_site(domain, files, &policy->limits, old, origin, table, scratch, why))
        return true;
    /* What served before goes on, if it asks for certificates where the domain does now. */
    if (old && (old->trust != NULL) == (uri.len > 0))
        tls_sites_share(table->sites, old);
    return false;
}

bool domain_default_site(const struct certificate_files *files, const struct domain_table *before,
                         struct domain_table *table, struct arena *scratch, struct str *why)
{
    static const struct tls_limits limits = { TLS1_2_VERSION, 0, NULL, NULL };
    const struct tls_site *old = site_before(before, STR(""));
    json_t *nothing = json_own(scratch, json_object());
    struct seen_files seen = { 0 };
    uint8_t origin[32];
    certificate_look(files, scratch, STR("default"), &seen);
    remember(table, &seen);
    origin_of(nothing, &seen, scratch, origin);
    if (old && memcmp(old->origin, origin, sizeof origin) == 0) {
        tls_sites_share(table->sites, old);
        return true;
    }
    if (!files->dev && seen.n && seen.items[0].bytes < 0 && !old)
        return true; /* there is none, and need not be */
    struct tls_certificate *certificate =
        certificate_find(files, scratch, STR("default"), STR("gatehouse.localhost"), old ? old->certificate : NULL, why);
    bool good = certificate && tls_sites_add(table->sites, STR(""), certificate, NULL, &limits, origin, scratch, why);
    tls_certificate_unref(certificate);
    if (!good && old)
        tls_sites_share(table->sites, old);
    return good;
}
