#include "identity/federation/saml_metadata.h"

#include "identity/federation/saml.h"
#include "policy/date.h"

/* "The metadata document can be up to 10,000,000 characters"; a provider's own is a few thousand. */
enum { METADATA_BYTES = 10 * 1000 * 1000, KEYS_MAX = 16 };

int64_t saml_time_s(struct str text)
{
    struct date date;
    return str_find(text, 'T') > 0 && date_parse(str_trim(text), &date) ? date.s : 0;
}

/* "use" says what for; without it, for everything. */
static void read_keys(struct arena *arena, const struct xml *descriptor, struct xml_key **keys, size_t *n)
{
    for (struct xml *one = xml_child(descriptor, SAML_METADATA, "KeyDescriptor"); one; one = xml_again(one)) {
        struct str use = xml_attr(one, "use"), der;
        if (use.len && !str_is(use, "signing"))
            continue;
        for (const struct xml *at = one; at; at = xml_walk(one, at)) {
            struct xml_key *key = NULL;
            if (*n < KEYS_MAX && xml_is(at, XML_DSIG, "X509Certificate") && xml_base64(arena, at->text, &der))
                key = xml_key_from_certificate(arena, der);
            if (key)
                keys[(*n)++] = key;
        }
    }
}

/* The descriptor of the identity provider: the root, or the one in a list of one. */
static const struct xml *entity_of(const struct xml *root)
{
    if (xml_is(root, SAML_METADATA, "EntityDescriptor"))
        return root;
    const struct xml *one = xml_is(root, SAML_METADATA, "EntitiesDescriptor")
                                ? xml_child(root, SAML_METADATA, "EntityDescriptor") : NULL;
    return one && !xml_again(one) ? one : NULL;
}

bool saml_metadata_parse(struct arena *arena, struct str text, struct saml_metadata *out, struct str *why)
{
    const char *fault;
    const struct xml *root = xml_parse(arena, text, METADATA_BYTES, &fault);
    const struct xml *entity = root ? entity_of(root) : NULL;
    const struct xml *descriptor = entity ? xml_child(entity, SAML_METADATA, "IDPSSODescriptor") : NULL;
    struct xml_key **keys = ARENA_ARRAY(arena, struct xml_key *, KEYS_MAX);
    *out = (struct saml_metadata){ .keys = keys };
    if (!root)
        *why = str_printf(arena, "Could not parse metadata: %s", fault);
    else if (!entity)
        *why = STR("Could not parse metadata: it must be the EntityDescriptor of one provider");
    else if (!descriptor)
        *why = STR("Could not parse metadata: it has no IDPSSODescriptor");
    else if (!xml_attr(entity, "entityID").len)
        *why = STR("Could not parse metadata: it has no entityID");
    else {
        read_keys(arena, descriptor, keys, &out->n_keys);
        out->entity_id = xml_attr(entity, "entityID");
        out->valid_until_s = saml_time_s(xml_attr(entity, "validUntil"));
        if (out->n_keys)
            return true;
        *why = STR("Could not parse metadata: it has no certificate for signing");
    }
    return false;
}

bool saml_metadata_check(struct arena *arena, struct str text, struct str *why)
{
    struct saml_metadata metadata;
    return saml_metadata_parse(arena, text, &metadata, why);
}

bool saml_metadata_read(struct arena *arena, struct str text, struct str *entity_id, int64_t *valid_until_s,
                        struct str *why)
{
    struct saml_metadata metadata;
    bool good = saml_metadata_parse(arena, text, &metadata, why);
    *entity_id = metadata.entity_id;
    *valid_until_s = metadata.valid_until_s;
    return good;
}
