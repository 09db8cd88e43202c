#include "core/xml_signature.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/base64.h"
#include "core/digest.h"

#define MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define XMLENC "http://www.w3.org/2001/04/xmlenc#"
#define EXCLUSIVE "http://www.w3.org/2001/10/xml-exc-c14n#"

enum { KEY_BITS = 2048, PREFIXES = 32 };

struct xml_key {
    EVP_PKEY *pkey;
};

static const struct method {
    const char *uri, *digest;
    int type;
    bool legacy;
} methods[] = {
    { MORE "rsa-sha256", "SHA256", EVP_PKEY_RSA, false },  { MORE "rsa-sha384", "SHA384", EVP_PKEY_RSA, false },
    { MORE "rsa-sha512", "SHA512", EVP_PKEY_RSA, false },  { MORE "ecdsa-sha256", "SHA256", EVP_PKEY_EC, false },
    { MORE "ecdsa-sha384", "SHA384", EVP_PKEY_EC, false }, { MORE "ecdsa-sha512", "SHA512", EVP_PKEY_EC, false },
    { XML_DSIG "rsa-sha1", "SHA1", EVP_PKEY_RSA, true },
};

static const struct method digests[] = {
    { XMLENC "sha256", "SHA256", 0, false },
    { MORE "sha384", "SHA384", 0, false },
    { XMLENC "sha512", "SHA512", 0, false },
    { XML_DSIG "sha1", "SHA1", 0, true },
};

static const struct form {
    const char *uri;
    bool exclusive, comments;
} forms[] = {
    { EXCLUSIVE, true, false },
    { EXCLUSIVE "WithComments", true, true },
    { "http://www.w3.org/TR/2001/REC-xml-c14n-20010315", false, false },
    { "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments", false, true },
};

static void free_key(void *pkey)
{
    EVP_PKEY_free(pkey);
}

struct xml_key *xml_key_from_certificate(struct arena *arena, struct str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    X509 *certificate = der.len ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    EVP_PKEY *pkey = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    if (!pkey)
        return NULL;
    arena_defer(arena, free_key, pkey);
    if (EVP_PKEY_base_id(pkey) != EVP_PKEY_RSA && EVP_PKEY_base_id(pkey) != EVP_PKEY_EC)
        return NULL;
    struct xml_key *key = ARENA_NEW(arena, struct xml_key);
    key->pkey = pkey;
    return key;
}

/* The one child of that name. NULL: none, or several. */
static struct xml *only(const struct xml *parent, const char *name)
{
    struct xml *child = xml_child(parent, XML_DSIG, name);
    return child && !xml_again(child) ? child : NULL;
}

static const struct method *method_of(const struct xml *element, const struct method *table, size_t n, bool legacy)
{
    struct str uri = xml_attr(element, "Algorithm");
    for (size_t i = 0; i < n; i++)
        if (str_is(uri, table[i].uri))
            return table[i].legacy && !legacy ? NULL : &table[i];
    return NULL;
}

static const struct form *form_of(const struct xml *element)
{
    struct str uri = xml_attr(element, "Algorithm");
    for (size_t i = 0; i < COUNT(forms); i++)
        if (str_is(uri, forms[i].uri))
            return &forms[i];
    return NULL;
}

/* The canonical form that a method or transform names, with its PrefixList. */
static struct str canonical(struct arena *arena, const struct xml *how, const struct xml *element,
                            const struct xml *without)
{
    const struct form *form = form_of(how);
    const char *prefixes[PREFIXES + 1] = { NULL };
    size_t n = 0;
    if (!form || (how->first && (!xml_is(how->first, EXCLUSIVE, "InclusiveNamespaces") || how->first->next)))
        return STR_NONE;
    struct str rest = xml_attr(how->first, "PrefixList"), one;
    while (str_split(&rest, ' ', &one))
        if (one.len && n < PREFIXES)
            prefixes[n++] = str_c(arena, str_is(one, "#default") ? STR("") : one);
    return xml_canonical(arena, element, without, form->exclusive, form->comments, n ? prefixes : NULL);
}

/* What the reference's transforms make of the element: the signature taken out, then a canonical form. */
static struct str transformed(struct arena *arena, const struct xml *reference, const struct xml *element,
                              const struct xml *signature)
{
    const struct xml *transforms = only(reference, "Transforms"), *how = NULL;
    bool enveloped = false;
    for (const struct xml *one = transforms ? transforms->first : NULL; one; one = one->next) {
        if (!xml_is(one, XML_DSIG, "Transform") || how)
            return STR_NONE;
        if (str_is(xml_attr(one, "Algorithm"), XML_DSIG "enveloped-signature") && !one->first && !enveloped)
            enveloped = true;
        else
            how = one;
    }
    return enveloped && how ? canonical(arena, how, element, signature) : STR_NONE;
}

static bool digest_fits(struct arena *arena, const struct xml *reference, struct str data, bool legacy)
{
    const struct method *method = method_of(only(reference, "DigestMethod"), digests, COUNT(digests), legacy);
    const struct xml *value = only(reference, "DigestValue");
    unsigned char made[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct str said;
    if (!method || !value || !xml_base64(arena, value->text, &said))
        return false;
    const EVP_MD *md = EVP_get_digestbyname(method->digest);
    return md && EVP_Digest(data.ptr, data.len, made, &len, md, NULL) == 1 && said.len == len &&
           digest_equal(said, (struct str){ (const char *)made, len });
}

/* r and s side by side, as XML Signature has them, in the DER that OpenSSL wants. */
static struct str der_of(struct arena *arena, struct str sides)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    size_t half = sides.len / 2;
    unsigned char *der = NULL;
    struct str out = STR_NONE;
    BIGNUM *r = BN_bin2bn((const unsigned char *)sides.ptr, (int)half, NULL);
    BIGNUM *s = BN_bin2bn((const unsigned char *)sides.ptr + half, (int)half, NULL);
    if (pair && r && s && sides.len % 2 == 0 && half > 0 && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL; /* the pair's now */
        int len = i2d_ECDSA_SIG(pair, &der);
        if (len > 0)
            out = str_copy(arena, (struct str){ (const char *)der, (size_t)len });
    }
    OPENSSL_free(der);
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return out;
}

static bool signed_by(struct arena *arena, const struct xml_key *key, const struct method *method, struct str data,
                      struct str signature, bool legacy)
{
    int type = EVP_PKEY_base_id(key->pkey);
    if (type != method->type || (type == EVP_PKEY_RSA && !legacy && EVP_PKEY_bits(key->pkey) < KEY_BITS))
        return false;
    if (type == EVP_PKEY_EC)
        signature = der_of(arena, signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && signature.len &&
              EVP_DigestVerifyInit(ctx, NULL, EVP_get_digestbyname(method->digest), NULL, key->pkey) == 1 &&
              EVP_DigestVerify(ctx, (const unsigned char *)signature.ptr, signature.len,
                               (const unsigned char *)data.ptr, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* "#ID" of the element itself. */
static bool refers_to(const struct xml *reference, const struct xml *element)
{
    struct str uri = xml_attr(reference, "URI"), id = xml_attr(element, "ID");
    return id.len && uri.len == id.len + 1 && uri.ptr[0] == '#' && str_eq(str_from(uri, 1), id);
}

const char *xml_signature_wrong(struct arena *arena, const struct xml *element, const struct xml *signature,
                                struct xml_key *const *keys, size_t n_keys, bool legacy)
{
    const struct xml *info = only(signature, "SignedInfo"), *value = only(signature, "SignatureValue");
    const struct xml *reference = only(info, "Reference"), *how = only(info, "CanonicalizationMethod");
    const struct method *method = method_of(only(info, "SignatureMethod"), methods, COUNT(methods), legacy);
    struct str bytes;
    if (signature->parent != element || !info || !value || !how)
        return "the signature is malformed";
    if (!reference || !refers_to(reference, element))
        return "the signature is of another element";
    if (!method)
        return "the signature's algorithm is not allowed";
    struct str data = transformed(arena, reference, element, signature);
    if (!data.ptr)
        return "the signature's transforms are not allowed";
    if (!digest_fits(arena, reference, data, legacy))
        return "the digest does not fit";
    struct str covered = canonical(arena, how, info, NULL);
    if (!covered.ptr || !xml_base64(arena, value->text, &bytes))
        return "the signature is malformed";
    for (size_t i = 0; i < n_keys; i++)
        if (signed_by(arena, keys[i], method, covered, bytes, legacy))
            return NULL;
    return "none of the provider's keys signed it";
}
