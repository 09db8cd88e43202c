/* A SAML response: first that it is what a key of the provider signed, then what it says. */
#include "core/map.h"
#include "core/xml_encryption.h"
#include "identity/federation/saml.h"
#include "identity/federation/saml_metadata.h"

#define ASSERTION "urn:oasis:names:tc:SAML:2.0:assertion"
#define PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"

enum { RESPONSE_BYTES = 256 * 1024 };

struct reading {
    struct arena *arena;
    const struct saml_rules *rules;
    struct saml_metadata metadata;
    const struct xml *response, *assertion;
    const struct xml *sealed; /* EncryptedAssertion, or NULL: then the assertion is in the response */
    struct saml_identity *out;
    const char *why;
    bool late; /* only time is wrong */
};

static bool fail(struct reading *r, const char *why)
{
    if (!r->why)
        r->why = why;
    return false;
}

static bool one_of(struct str text, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(text, list[i]))
            return true;
    return false;
}

/* The one child of that name. NULL: none, or several. */
static struct xml *only(const struct xml *parent, const char *name)
{
    struct xml *child = xml_child(parent, ASSERTION, name);
    return child && !xml_again(child) ? child : NULL;
}

/* --- its shape: nothing twice, nothing where it does not belong --- */

static bool is_id(struct str name)
{
    return str_eq_nocase(name, STR("id"));
}

/* An ID that is there twice lets a signature be of one element and the reader read another. */
static bool note_ids(struct reading *r, const struct xml *root, struct map *seen)
{
    for (const struct xml *at = root; at; at = xml_walk(root, at))
        for (size_t i = 0; i < at->n_attributes; i++) {
            if (!is_id(at->attributes[i].name))
                continue;
            if (!at->attributes[i].value.len || map_get(seen, at->attributes[i].value))
                return false;
            map_set(seen, at->attributes[i].value, r);
        }
    return true;
}

static bool ids_differ(struct reading *r)
{
    struct map *seen = map_new();
    bool good = note_ids(r, r->response, seen) && (!r->sealed || !r->assertion || note_ids(r, r->assertion, seen));
    map_free(seen, NULL);
    return good || fail(r, "an ID is missing, or there twice");
}

static bool is_assertion(struct reading *r, const struct xml *assertion)
{
    if (!assertion || !str_is(xml_attr(assertion, "Version"), "2.0") || !xml_attr(assertion, "ID").len)
        return fail(r, "the assertion has no ID, or another version");
    return true;
}

static bool has_shape(struct reading *r)
{
    size_t assertions = 0;
    if (!xml_is(r->response, PROTOCOL, "Response") || !str_is(xml_attr(r->response, "Version"), "2.0"))
        return fail(r, "it is no SAML 2.0 response");
    for (const struct xml *at = r->response; at; at = xml_walk(r->response, at)) {
        bool sealed = xml_is(at, ASSERTION, "EncryptedAssertion");
        if (!sealed && !xml_is(at, ASSERTION, "Assertion"))
            continue;
        if (assertions++ || at->parent != r->response)
            return fail(r, "there must be one assertion, and directly within the response");
        *(sealed ? &r->sealed : &r->assertion) = at;
    }
    if (!assertions)
        return fail(r, "there must be one assertion, and directly within the response");
    if (r->assertion && r->rules->encryption_required)
        return fail(r, "the assertion must be encrypted");
    if (r->sealed && !r->rules->n_private_keys)
        return fail(r, "the assertion is encrypted, and there is no key for it");
    if (!xml_attr(r->response, "ID").len)
        return fail(r, "an ID is missing, or there twice");
    return (r->sealed || is_assertion(r, r->assertion)) && ids_differ(r);
}

static bool is_success(struct reading *r)
{
    const struct xml *status = xml_child(r->response, PROTOCOL, "Status");
    const struct xml *code = xml_child(status, PROTOCOL, "StatusCode");
    if (code && str_is(xml_attr(code, "Value"), "urn:oasis:names:tc:SAML:2.0:status:Success"))
        return true;
    return fail(r, "the response's status is not Success");
}

/* --- who says so --- */

static bool is_issuer(struct reading *r, const struct xml *issuer)
{
    return issuer && str_eq(str_trim(issuer->text), r->metadata.entity_id);
}

static bool issuer_fits(struct reading *r)
{
    const struct xml *outer = xml_child(r->response, ASSERTION, "Issuer");
    if ((outer && !is_issuer(r, outer)) || (r->assertion && !is_issuer(r, only(r->assertion, "Issuer"))))
        return fail(r, "Issuer not present in specified provider");
    r->out->issuer = r->metadata.entity_id;
    return true;
}

/* How many signatures there are, when every one is of the response or the assertion, and right. */
static bool count_signatures(struct reading *r, const struct xml *root, size_t *n)
{
    for (const struct xml *at = root; at; at = xml_walk(root, at)) {
        if (!xml_is(at, XML_DSIG, "Signature"))
            continue;
        const struct xml *of = at->parent;
        if ((of != r->response && of != r->assertion) || xml_child(of, XML_DSIG, "Signature") != at || xml_again(at) ||
            xml_signature_wrong(r->arena, of, at, r->metadata.keys, r->metadata.n_keys, r->rules->legacy))
            return false;
        ++*n;
    }
    return true;
}

/* What was encrypted is a document of its own: one assertion, and none in it. */
static bool open_sealed(struct reading *r)
{
    struct str plain;
    const char *fault;
    if (!xml_decrypt(r->arena, r->sealed, r->rules->private_keys, r->rules->n_private_keys, &plain))
        return false;
    const struct xml *root = xml_parse(r->arena, plain, RESPONSE_BYTES, &fault);
    if (!xml_is(root, ASSERTION, "Assertion"))
        return false;
    for (const struct xml *at = xml_walk(root, root); at; at = xml_walk(root, at))
        if (xml_is(at, ASSERTION, "Assertion") || xml_is(at, ASSERTION, "EncryptedAssertion"))
            return false;
    r->assertion = root;
    return is_assertion(r, root) && is_issuer(r, only(root, "Issuer")) && ids_differ(r);
}

/* One answer for everything that can be wrong up to here with what was encrypted: whoever changes it learns nothing. */
static bool is_signed(struct reading *r)
{
    size_t n = 0;
    bool good = count_signatures(r, r->response, &n) &&
                (!r->sealed || (open_sealed(r) && count_signatures(r, r->assertion, &n))) && n > 0;
    if (!good)
        r->why = "Response signature invalid";
    return good;
}

/* --- whom it is for, and when --- */

/* The moment of a required or allowed attribute. False: it is there and is no time. */
static bool moment(const struct xml *element, const char *name, int64_t *out)
{
    struct str text = xml_attr(element, name);
    *out = text.ptr ? saml_time_s(text) : 0;
    return !text.ptr || *out;
}

static bool in_time(struct reading *r, const struct xml *element)
{
    int64_t from, to, now = r->rules->now_s, skew = r->rules->skew_s;
    if (!moment(element, "NotBefore", &from) || !moment(element, "NotOnOrAfter", &to))
        return fail(r, "a time in the assertion is none");
    if (from && now + skew < from) {
        r->late = true;
        return fail(r, "the assertion is not valid yet");
    }
    if (to && now - skew >= to) {
        r->late = true;
        return fail(r, "Assertion is expired");
    }
    if (to && (!r->out->not_after_s || to < r->out->not_after_s))
        r->out->not_after_s = to;
    return true;
}

static bool audience_fits(struct reading *r, const struct xml *restriction)
{
    for (struct xml *one = xml_child(restriction, ASSERTION, "Audience"); one; one = xml_again(one)) {
        struct str audience = str_trim(one->text);
        if (!one_of(audience, r->rules->audiences, r->rules->n_audiences))
            continue;
        if (!r->out->audience.ptr)
            r->out->audience = audience;
        return true;
    }
    return fail(r, "the assertion's audience is somebody else");
}

/* "If the SAML authority … does not recognise a condition, the assertion's validity cannot be determined." */
static bool conditions_hold(struct reading *r)
{
    static const char *const harmless[] = { "OneTimeUse", "ProxyRestriction" };
    const struct xml *conditions = only(r->assertion, "Conditions");
    if (!conditions)
        return fail(r, "the assertion must have Conditions, once");
    for (const struct xml *one = conditions->first; one; one = one->next) {
        bool known = false;
        for (size_t i = 0; i < COUNT(harmless); i++)
            known |= xml_is(one, ASSERTION, harmless[i]);
        if (xml_is(one, ASSERTION, "AudienceRestriction") ? !audience_fits(r, one) : !known)
            return fail(r, "the assertion has a condition that is not known");
    }
    if (!r->out->audience.ptr)
        return fail(r, "the assertion names no audience");
    return in_time(r, conditions);
}

static bool answers(struct reading *r, const struct xml *element)
{
    struct str to = xml_attr(element, "InResponseTo");
    if (!to.ptr || r->rules->any_in_response_to)
        return true;
    return str_eq(to, r->rules->in_response_to) || fail(r, "it answers another request");
}

/* "At least one bearer confirmation that fits": Recipient, NotOnOrAfter, no NotBefore. */
static bool confirmed(struct reading *r, const struct xml *subject)
{
    const char *why = "the subject is not confirmed for its bearer";
    bool late = false;
    for (struct xml *one = xml_child(subject, ASSERTION, "SubjectConfirmation"); one; one = xml_again(one)) {
        const struct xml *data = only(one, "SubjectConfirmationData");
        struct str recipient = xml_attr(data, "Recipient");
        if (!str_is(xml_attr(one, "Method"), "urn:oasis:names:tc:SAML:2.0:cm:bearer") || !data)
            continue;
        r->why = NULL;
        r->late = false;
        if (!recipient.ptr || !one_of(recipient, r->rules->recipients, r->rules->n_recipients))
            fail(r, "the assertion's Recipient is somebody else");
        else if (!xml_attr(data, "NotOnOrAfter").ptr)
            fail(r, "the subject's confirmation does not say how long it is good");
        else if (answers(r, data) && in_time(r, data)) {
            r->out->recipient = recipient;
            r->out->in_response_to = xml_attr(data, "InResponseTo");
            return true;
        }
        why = r->why;
        late = r->late;
    }
    r->why = NULL;
    r->late = late;
    return fail(r, why);
}

static bool is_subject(struct reading *r)
{
    const struct xml *subject = only(r->assertion, "Subject"), *name = only(subject, "NameID");
    if (xml_child(subject, ASSERTION, "EncryptedID"))
        return fail(r, "an encrypted NameID is not read");
    if (!name || !str_trim(name->text).len || name->first)
        return fail(r, "the assertion must have a Subject with one NameID that is not empty");
    r->out->name_id = name->text;
    r->out->name_id_format = xml_attr(name, "Format");
    r->out->name_qualifier = xml_attr(name, "NameQualifier");
    return confirmed(r, subject);
}

static bool signed_in(struct reading *r)
{
    const struct xml *statement = xml_child(r->assertion, ASSERTION, "AuthnStatement");
    if (!statement)
        return fail(r, "the assertion has no AuthnStatement");
    for (; statement; statement = xml_again(statement)) {
        int64_t until;
        if (!moment(statement, "SessionNotOnOrAfter", &until))
            return fail(r, "a time in the assertion is none");
        if (until && r->rules->now_s - r->rules->skew_s >= until) {
            r->late = true;
            return fail(r, "the session at the provider is over");
        }
        if (until && (!r->out->session_not_after_s || until < r->out->session_not_after_s))
            r->out->session_not_after_s = until;
        if (!r->out->session_index.ptr)
            r->out->session_index = xml_attr(statement, "SessionIndex");
    }
    return true;
}

static bool is_for_us(struct reading *r)
{
    struct str destination = xml_attr(r->response, "Destination");
    if (destination.ptr && !one_of(destination, r->rules->recipients, r->rules->n_recipients))
        return fail(r, "the response's Destination is somebody else");
    r->out->issued_s = saml_time_s(xml_attr(r->assertion, "IssueInstant"));
    if (!r->out->issued_s || !saml_time_s(xml_attr(r->response, "IssueInstant")))
        return fail(r, "a time in the assertion is none");
    if (r->out->issued_s > r->rules->now_s + r->rules->skew_s)
        return fail(r, "it was issued in the future");
    return answers(r, r->response) && is_subject(r) && conditions_hold(r) && signed_in(r);
}

/* --- what it says --- */

static bool read_attribute(struct reading *r, const struct xml *element, struct saml_attribute *out)
{
    size_t n = 0;
    for (struct xml *one = xml_child(element, ASSERTION, "AttributeValue"); one; one = xml_again(one))
        n++;
    struct str *values = ARENA_ARRAY(r->arena, struct str, n);
    *out = (struct saml_attribute){ xml_attr(element, "Name"), xml_attr(element, "FriendlyName"), values, 0 };
    for (struct xml *one = xml_child(element, ASSERTION, "AttributeValue"); one; one = xml_again(one))
        values[out->n++] = xml_deep_text(r->arena, one);
    return out->name.len || fail(r, "an attribute has no name");
}

static bool read_attributes(struct reading *r)
{
    size_t most = 0;
    for (const struct xml *at = r->assertion; at; at = xml_walk(r->assertion, at))
        most += xml_is(at, ASSERTION, "Attribute") || xml_is(at, ASSERTION, "EncryptedAttribute");
    struct saml_attribute *items = ARENA_ARRAY(r->arena, struct saml_attribute, most);
    struct map *seen = map_new();
    bool good = true;
    for (struct xml *list = xml_child(r->assertion, ASSERTION, "AttributeStatement"); list && good; list = xml_again(list))
        for (struct xml *one = list->first; one && good; one = one->next) {
            struct saml_attribute *item = &items[r->out->n_attributes++];
            good = xml_is(one, ASSERTION, "Attribute") ? read_attribute(r, one, item) : fail(r, "an attribute is encrypted");
            if (good && map_set(seen, item->name, r))
                good = fail(r, "an attribute is there twice");
        }
    map_free(seen, NULL);
    r->out->attributes = items;
    return good;
}

bool saml_read(struct arena *arena, struct str metadata, struct str response, const struct saml_rules *rules,
               struct saml_identity *out, struct str *why, bool *expired)
{
    struct reading r = { .arena = arena, .rules = rules, .out = out };
    *out = (struct saml_identity){ 0 };
    *expired = false;
    if (!saml_metadata_parse(arena, metadata, &r.metadata, why))
        return false;
    r.response = xml_parse(arena, response, RESPONSE_BYTES, &r.why);
    bool good = r.response && has_shape(&r) && is_success(&r) && issuer_fits(&r) && is_signed(&r) && is_for_us(&r) &&
                read_attributes(&r);
    if (good)
        out->assertion_id = xml_attr(r.assertion, "ID");
    else
        *why = str_of(r.why);
    *expired = !good && r.late;
    return good;
}

const struct saml_attribute *saml_attribute_find(const struct saml_identity *identity, const char *name)
{
    for (size_t i = 0; i < identity->n_attributes; i++)
        if (str_is(identity->attributes[i].name, name))
            return &identity->attributes[i];
    return NULL;
}
