/* CreateUserPoolDomain, DescribeUserPoolDomain, UpdateUserPoolDomain, DeleteUserPoolDomain. What is served under a
 * domain comes with the sign-in pages; until then the record is kept, and keeps its name from others. */
#include "identity/pools/domain.h"

#include "core/time.h"
#include "identity/pools/limits.h"
#include "wire/codec_json.h"

enum { MOST_DOMAINS = 2, CLASSIC = 1, MANAGED_LOGIN = 2 };

static gh_err invalid(struct call *call, const char *message)
{
    return gh_fail(call->arena, &idp_InvalidParameterException, "%s", message);
}

static bool is_label(struct str text)
{
    if (!text.len || text.ptr[0] == '-' || text.ptr[text.len - 1] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

/* "Domain cannot contain reserved word: aws": as a word between hyphens. */
static gh_err check_prefix(struct call *call, struct str domain)
{
    static const char *const reserved[] = { "aws", "amazon", "cognito" };
    struct str rest = domain, word;
    if (!is_label(domain))
        return invalid(call, "The domain name contains an invalid character. Domain names can only contain lower-case "
                             "letters, numbers, and hyphens. Please enter a different name that follows this format: "
                             "^[a-z0-9](?:[a-z0-9\\-]{0,61}[a-z0-9])?$");
    while (str_split(&rest, '-', &word))
        for (size_t i = 0; i < COUNT(reserved); i++)
            if (str_is(word, reserved[i]))
                return gh_fail(call->arena, &idp_InvalidParameterException, "Domain cannot contain reserved word: %s",
                               reserved[i]);
    return NULL;
}

/* A name below a name that is itself below a top-level domain. That the parent has an A record is not asked here:
 * whose DNS this machine sees says nothing of its clients'. */
static gh_err check_custom(struct call *call, struct str domain, const struct idp_CustomDomainConfigType *config)
{
    struct str rest = domain, label;
    size_t labels = 0;
    bool good = true;
    for (; str_split(&rest, '.', &label); labels++)
        good &= is_label(label);
    if (!good || labels < 3)
        return invalid(call, "Custom domain is not a valid subdomain: Was not able to resolve a DNS A record for the parent "
                             "domain or domain parent is a top-level domain.");
    struct str arn = config->certificate_arn;
    if (!str_starts(arn, str_printf(call->arena, "arn:%.*s:acm:us-east-1:", STR_FMT(call->partition))) ||
        str_find_str(arn, STR(":certificate/")) < 0)
        return invalid(call, "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or "
                             "doesn't include a valid certificate chain.");
    return NULL;
}

static gh_err check_version(struct call *call, const struct pool *pool, struct opt_i64 version)
{
    if (version.set && version.value != CLASSIC && version.value != MANAGED_LOGIN)
        return invalid(call, "ManagedLoginVersion must be 1 or 2.");
    if (version.value == MANAGED_LOGIN && str_is(pool->doc->user_pool_tier, "LITE"))
        return gh_fail(call->arena, &idp_FeatureUnavailableInTierException,
                       "The following feature is not available for the LITE pricing tier configured: Managed Login Version 2");
    return NULL;
}

/* Where a custom domain's CNAME has to lead: to us. */
static struct str our_host(struct call *call)
{
    struct str rest = call->base_url, scheme = STR("://");
    ptrdiff_t at = str_find_str(rest, scheme);
    if (at >= 0)
        rest = str_from(rest, (size_t)at + scheme.len);
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] == ':' || rest.ptr[i] == '/')
            return str_sub(rest, 0, i);
    return rest;
}

/* Digits of the moment, as AWS writes them. */
static struct str version_now(struct call *call)
{
    struct str iso = time_iso8601_ms(call->arena, call->now_us);
    struct strbuf out = strbuf_in(call->arena, 20);
    for (size_t i = 0; i < iso.len && out.len < 14; i++)
        if (iso.ptr[i] >= '0' && iso.ptr[i] <= '9')
            strbuf_char(&out, iso.ptr[i]);
    return strbuf_view(&out);
}

/* One prefix and one custom domain a pool. */
static gh_err check_free(struct call *call, struct tx *tx, const struct pool *pool, struct str name, bool custom)
{
    struct pool_record other, *own;
    size_t n = 0;
    bool found;
    gh_err err = store_record_domain(call->db, tx, call->arena, name, &other, &found);
    if (!err && found)
        return str_eq(other.pool, pool->id)
                   ? invalid(call, "User pool already has a domain configured.")
                   : invalid(call, "Domain already associated with another user pool.");
    if (!err)
        err = store_record_list(call->db, tx, call->arena, pool->id, RECORD_DOMAIN, STR_NONE, MOST_DOMAINS, &own, &n);
    for (size_t i = 0; i < n && !err; i++)
        if ((str_find(own[i].name, '.') >= 0) == custom)
            err = invalid(call, "User pool already has a domain configured.");
    return err;
}

gh_err idp_CreateUserPoolDomain(struct call *call, const struct idp_CreateUserPoolDomain_in *in,
                                struct idp_CreateUserPoolDomain_out *out)
{
    struct pool pool;
    struct tx tx;
    bool custom = in->custom_domain_config != NULL;
    gh_err err = pool_load(call, in->user_pool_id, &pool);
    if (!err)
        err = custom ? check_custom(call, in->domain, in->custom_domain_config) : check_prefix(call, in->domain);
    if (!err)
        err = check_version(call, &pool, in->managed_login_version);
    if (err)
        return err;
    struct idp_DomainDescriptionType doc = {
        .user_pool_id = pool.id,
        .aws_account_id = pool.account,
        .domain = in->domain,
        .cloud_front_distribution = custom ? our_host(call) : STR_NONE,
        .version = version_now(call),
        .status = STR("ACTIVE"),
        .custom_domain_config = in->custom_domain_config,
        .managed_login_version = some_i64(in->managed_login_version.set ? in->managed_login_version.value : CLASSIC),
    };
    const struct pool_record record =
        record_of(call, &pool, RECORD_DOMAIN, in->domain, STR_NONE, &idp_shape_DomainDescriptionType, &doc);
    tx_begin(&tx, call->db, call->arena);
    err = check_free(call, &tx, &pool, in->domain, custom);
    if (!err)
        store_record_put(&tx, &record);
    out->managed_login_version = doc.managed_login_version;
    out->cloud_front_domain = doc.cloud_front_distribution;
    return record_end(&tx, err);
}

/* "DescribeUserPoolDomain, unknown: 200 with an empty DomainDescription." Another account's is unknown. */
gh_err idp_DescribeUserPoolDomain(struct call *call, const struct idp_DescribeUserPoolDomain_in *in,
                                  struct idp_DescribeUserPoolDomain_out *out)
{
    struct pool_record record;
    bool found;
    out->domain_description = ARENA_NEW(call->arena, struct idp_DomainDescriptionType);
    gh_err err = call_limits_take(call, call->account, call->region);
    if (!err)
        err = store_record_domain(call->db, NULL, call->arena, in->domain, &record, &found);
    if (err || !found)
        return err;
    struct idp_DomainDescriptionType doc;
    if (shape_parse(call->arena, &idp_shape_DomainDescriptionType, record.doc, &doc) &&
        str_eq(doc.aws_account_id, call->account) && str_starts(record.pool, call->region))
        *out->domain_description = doc;
    return NULL;
}

static gh_err load(struct call *call, struct str pool_id, struct str name, struct pool *pool,
                   struct idp_DomainDescriptionType *doc)
{
    bool found = false;
    gh_err err = pool_find(call, pool_id, pool);
    if (!err && str_eq(pool->account, call->account) && str_eq(pool->region, call->region))
        err = record_find(call, NULL, pool, RECORD_DOMAIN, name, &idp_shape_DomainDescriptionType, doc, &found);
    if (err && err->kind != &idp_ResourceNotFoundException)
        return err;
    return found ? NULL : invalid(call, "No such domain or user pool exists.");
}

gh_err idp_UpdateUserPoolDomain(struct call *call, const struct idp_UpdateUserPoolDomain_in *in,
                                struct idp_UpdateUserPoolDomain_out *out)
{
    struct pool pool;
    struct idp_DomainDescriptionType doc;
    gh_err err = load(call, in->user_pool_id, in->domain, &pool, &doc);
    if (!err && in->custom_domain_config && !doc.custom_domain_config)
        err = invalid(call, "CustomDomainConfig cannot be set for a prefix domain.");
    if (!err && in->custom_domain_config)
        err = check_custom(call, in->domain, in->custom_domain_config);
    if (!err)
        err = check_version(call, &pool, in->managed_login_version);
    if (err)
        return err;
    if (in->custom_domain_config)
        doc.custom_domain_config = in->custom_domain_config;
    if (in->managed_login_version.set)
        doc.managed_login_version = in->managed_login_version;
    doc.version = version_now(call);
    const struct pool_record record =
        record_of(call, &pool, RECORD_DOMAIN, in->domain, STR_NONE, &idp_shape_DomainDescriptionType, &doc);
    out->managed_login_version = doc.managed_login_version;
    out->cloud_front_domain = doc.cloud_front_distribution;
    return record_save(call, &record);
}

gh_err idp_DeleteUserPoolDomain(struct call *call, const struct idp_DeleteUserPoolDomain_in *in,
                                struct idp_DeleteUserPoolDomain_out *out)
{
    (void)out;
    struct pool pool;
    struct idp_DomainDescriptionType doc;
    gh_err err = load(call, in->user_pool_id, in->domain, &pool, &doc);
    return err ? err : record_drop(call, &pool, RECORD_DOMAIN, in->domain);
}

gh_err domains_of_pool(struct call *call, struct tx *tx, const struct pool *pool, struct str *prefix, struct str *custom)
{
    struct pool_record *rows;
    size_t n;
    *prefix = *custom = STR_NONE;
    gh_err err = store_record_list(call->db, tx, call->arena, pool->id, RECORD_DOMAIN, STR_NONE, MOST_DOMAINS, &rows, &n);
    for (size_t i = 0; i < n && !err; i++)
        *(str_find(rows[i].name, '.') >= 0 ? custom : prefix) = rows[i].name;
    return err;
}
