/* AssumeRoleWithSAML: a role for whom an account's SAML provider vouches. */
#include <openssl/sha.h>

#include "core/base64.h"
#include "identity/federation/saml.h"
#include "identity/iam/providers/provider.h"
#include "identity/sts/role_session.h"
#include "wire/audit.h"

#define ATTRIBUTE "https://aws.amazon.com/SAML/Attributes/"

/* Attributes that are keys of trust policies, by the names that directories give them. */
static const struct {
    const char *attribute, *key;
} known[] = {
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.1", "saml:edupersonaffiliation" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.2", "saml:edupersonnickname" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.3", "saml:edupersonorgdn" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.4", "saml:edupersonorgunitdn" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.5", "saml:edupersonprimaryaffiliation" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.6", "saml:edupersonprincipalname" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.7", "saml:edupersonentitlement" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.8", "saml:edupersonprimaryorgunitdn" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.9", "saml:edupersonscopedaffiliation" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "saml:edupersontargetedid" },
    { "urn:oid:1.3.6.1.4.1.5923.1.1.1.11", "saml:edupersonassurance" },
    { "urn:oid:1.3.6.1.4.1.5923.1.2.1.2", "saml:eduorghomepageuri" },
    { "urn:oid:1.3.6.1.4.1.5923.1.2.1.3", "saml:eduorgidentityauthnpolicyuri" },
    { "urn:oid:1.3.6.1.4.1.5923.1.2.1.4", "saml:eduorglegalname" },
    { "urn:oid:1.3.6.1.4.1.5923.1.2.1.5", "saml:eduorgsuperioruri" },
    { "urn:oid:1.3.6.1.4.1.5923.1.2.1.6", "saml:eduorgwhitepagesuri" },
    { "urn:oid:2.5.4.3", "saml:cn" },
    { "urn:oid:2.5.4.45", "saml:x500UniqueIdentifier" },
    { "urn:oid:0.9.2342.19200300.100.1.1", "saml:uid" },
    { "urn:oid:0.9.2342.19200300.100.1.3", "saml:mail" },
    { "urn:oid:0.9.2342.19200300.100.1.45", "saml:organizationStatus" },
    { "http://schemas.xmlsoap.org/claims/CommonName", "saml:commonName" },
    { "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname", "saml:givenName" },
    { "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname", "saml:surname" },
    { "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", "saml:name" },
    { "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress", "saml:mail" },
    { "http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid", "saml:primaryGroupSID" },
};

enum { SESSION_MIN_S = 900, SESSION_MAX_S = 43200 };

struct assume {
    struct call *call;
    const struct sts_AssumeRoleWithSAML_in *in;
    struct saml_provider provider;
    struct saml_identity who;
    struct str subject_type, name_qualifier;
    struct role_request role;
};

static gh_err invalid(struct assume *a, const char *why)
{
    return gh_fail(a->call->arena, &sts_InvalidIdentityTokenException, "%s", why);
}

static struct str *keep(struct call *call, struct str value)
{
    struct str *kept = ARENA_NEW(call->arena, struct str);
    *kept = value;
    return kept;
}

/* --- what it says of the role and the session --- */

/* "role-arn,provider-arn", in whichever order. */
static bool names_pair(struct str value, struct str role, struct str provider)
{
    ptrdiff_t comma = str_find(value, ',');
    if (comma < 0)
        return false;
    struct str one = str_trim(str_sub(value, 0, (size_t)comma)), two = str_trim(str_from(value, (size_t)comma + 1));
    return (str_eq(one, role) && str_eq(two, provider)) || (str_eq(two, role) && str_eq(one, provider));
}

static gh_err check_pair(struct assume *a)
{
    const struct saml_attribute *roles = saml_attribute_find(&a->who, ATTRIBUTE "Role");
    for (size_t i = 0; roles && i < roles->n; i++)
        if (names_pair(roles->values[i], a->in->role_arn, a->in->principal_arn))
            return NULL;
    return gh_fail(a->call->arena, &STS_ACCESS_DENIED, "Not authorized to perform sts:AssumeRoleWithSAML");
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("_+=,.@-", c)))
            return false;
    }
    return name.len >= 2 && name.len <= 64;
}

/* The one value of an attribute of AWS's; absent: it is not there, or has not just one. */
static struct str single(const struct assume *a, const char *name)
{
    const struct saml_attribute *found = saml_attribute_find(&a->who, name);
    return found && found->n == 1 ? str_trim(found->values[0]) : STR_NONE;
}

static gh_err read_session(struct assume *a)
{
    struct str name = single(a, ATTRIBUTE "RoleSessionName"), source = single(a, ATTRIBUTE "SourceIdentity");
    struct str duration = single(a, ATTRIBUTE "SessionDuration");
    int64_t seconds = 0;
    if (!name.len)
        return invalid(a, "RoleSessionName is required in AuthnResponse");
    if (!is_name(name))
        return invalid(a, "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}");
    if (source.ptr && (!is_name(source) || str_starts_nocase(source, STR("aws:"))))
        return invalid(a, "Source Identity in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with \"aws:\"");
    if (duration.ptr && (!str_i64(duration, &seconds) || seconds < SESSION_MIN_S || seconds > SESSION_MAX_S))
        return invalid(a, "SessionDuration in AuthnResponse must be a number of seconds from 900 to 43200");
    a->role.session_name = name;
    a->role.source_identity = source;
    a->role.duration_s = a->in->duration_seconds.set ? a->in->duration_seconds
                         : duration.ptr              ? some_i64(seconds)
                                                     : (struct opt_i64){ 0 };
    return NULL;
}

static gh_err read_tags(struct assume *a)
{
    static const char prefix[] = ATTRIBUTE "PrincipalTag:";
    struct tag *tags = ARENA_ARRAY(a->call->arena, struct tag, a->who.n_attributes);
    size_t n = 0;
    for (size_t i = 0; i < a->who.n_attributes; i++) {
        const struct saml_attribute *one = &a->who.attributes[i];
        if (!str_starts(one->name, STR(prefix)))
            continue;
        struct tag tag = { str_from(one->name, sizeof prefix - 1), one->n ? one->values[0] : STR("") };
        if (one->n > 1 || !tag.key.len || tag.key.len > 128 || tag.value.len > 256)
            return invalid(a, "A PrincipalTag attribute in AuthnResponse must have a key of 1 to 128 characters and one "
                              "value of at most 256");
        tags[n++] = tag;
    }
    if (n > 50)
        return invalid(a, "AuthnResponse has more than 50 PrincipalTag attributes");
    const struct saml_attribute *transitive = saml_attribute_find(&a->who, ATTRIBUTE "TransitiveTagKeys");
    a->role.passed = (struct tags){ n, tags };
    a->role.passed_transitive = transitive ? transitive->values : NULL;
    a->role.n_passed_transitive = transitive ? transitive->n : 0;
    return NULL;
}

/* --- keys of policies --- */

/* "persistent", "transient", or the whole URI of the format. */
static struct str type_of(struct str format)
{
    static const char prefix[] = "urn:oasis:names:tc:SAML:2.0:nameid-format:";
    if (!format.len)
        return STR("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified");
    struct str name = str_starts(format, STR(prefix)) ? str_from(format, sizeof prefix - 1) : format;
    return str_is(name, "persistent") || str_is(name, "transient") ? name : format;
}

/* "BASE64 ( SHA1 ( Issuer + account + "/" + friendly name ) )" */
static struct str qualifier_of(struct assume *a)
{
    struct str text = str_printf(a->call->arena, "%.*s%.*s/%.*s", STR_FMT(a->who.issuer), STR_FMT(a->provider.account),
                                 STR_FMT(a->provider.name));
    unsigned char hash[SHA_DIGEST_LENGTH];
    SHA1((const unsigned char *)text.ptr, text.len, hash);
    return base64_encode(a->call->arena, (struct str){ (const char *)hash, sizeof hash });
}

static void set_keys(struct assume *a)
{
    struct call *call = a->call;
    struct policy_key *keys = ARENA_ARRAY(call->arena, struct policy_key, 6 + a->who.n_attributes);
    size_t n = 0;
    /* the first three stay with the session */
    keys[n++] = (struct policy_key){ STR("saml:namequalifier"), keep(call, a->name_qualifier), 1 };
    keys[n++] = (struct policy_key){ STR("saml:sub"), keep(call, a->who.name_id), 1 };
    keys[n++] = (struct policy_key){ STR("saml:sub_type"), keep(call, a->subject_type), 1 };
    a->role.kept = keys;
    a->role.n_kept = n;
    keys[n++] = (struct policy_key){ STR("saml:aud"), keep(call, a->who.recipient), 1 };
    keys[n++] = (struct policy_key){ STR("saml:iss"), keep(call, a->who.issuer), 1 };
    keys[n++] = (struct policy_key){ STR("saml:doc"), keep(call, str_printf(call->arena, "%.*s/%.*s",
                                     STR_FMT(a->provider.account), STR_FMT(a->provider.name))), 1 };
    for (size_t i = 0; i < a->who.n_attributes; i++)
        for (size_t k = 0; k < COUNT(known); k++)
            if (str_is(a->who.attributes[i].name, known[k].attribute) && a->who.attributes[i].n) {
                keys[n++] = (struct policy_key){ str_of(known[k].key), a->who.attributes[i].values, a->who.attributes[i].n };
                break;
            }
    a->role.keys = keys;
    a->role.n_keys = n;
}

static gh_err read_assertion(struct assume *a)
{
    struct str account;
    gh_err err = sts_role_account(a->call, a->in->role_arn, &account);
    if (err)
        return err;
    if (!saml_provider_find(a->call, a->in->principal_arn, &a->provider))
        return invalid(a, "Specified provider doesn't exist");
    err = saml_verify(a->call, &a->provider, a->in->saml_assertion, &a->who);
    if (!err && !str_eq(account, a->provider.account))
        err = gh_fail(a->call->arena, &STS_ACCESS_DENIED, "Not authorized to perform sts:AssumeRoleWithSAML");
    if (!err)
        err = check_pair(a);
    if (!err)
        err = read_session(a);
    if (!err)
        err = read_tags(a);
    if (err)
        return err;
    a->subject_type = type_of(a->who.name_id_format);
    a->name_qualifier = qualifier_of(a);
    set_keys(a);
    sts_audit_federated(a->call, "SAMLUser",
                        str_printf(a->call->arena, "%.*s:%.*s", STR_FMT(a->name_qualifier), STR_FMT(a->who.name_id)),
                        a->who.name_id, a->name_qualifier, account);
    audit_note_str(a->call, "sAMLAssertionID", a->who.assertion_id);
    return NULL;
}

static void answer(const struct assume *a, const struct session *session, struct sts_AssumeRoleWithSAML_out *out)
{
    out->credentials = sts_credentials(a->call, session);
    out->assumed_role_user = role_session_user(a->call, session);
    out->packed_policy_size = role_session_packed(&a->role, session);
    out->subject = a->who.name_id;
    out->subject_type = a->subject_type;
    out->issuer = a->who.issuer;
    out->audience = a->who.recipient;
    out->name_qualifier = a->name_qualifier;
    out->source_identity = session->source_identity;
    sts_token_size(session, &out->session_token_size, &out->session_token_utilization);
}

gh_err sts_AssumeRoleWithSAML(struct call *call, const struct sts_AssumeRoleWithSAML_in *in,
                              struct sts_AssumeRoleWithSAML_out *out)
{
    struct session session;
    struct assume a = { .call = call, .in = in };
    a.role = (struct role_request){
        .call = call,
        .action = "sts:AssumeRoleWithSAML",
        .role_arn = in->role_arn,
        .federated = in->principal_arn,
        .provider = in->principal_arn,
        .policy = in->policy,
        .policy_arns = sts_policy_arns(call, &in->policy_arns),
        .n_policy_arns = in->policy_arns.n,
        .token_size = in->minimum_session_token_size.value,
    };
    gh_err err = read_assertion(&a);
    a.role.not_after_s = a.who.session_not_after_s;
    if (!err)
        err = role_session_prepare(&a.role);
    if (!err)
        err = role_session_grant(&a.role, &session);
    if (!err)
        err = saml_spend(call, &a.who);
    if (!err)
        answer(&a, &session, out);
    return err;
}
