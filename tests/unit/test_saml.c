/* Messages of good and bad identity providers, judged at the time when they were issued. */
#include "vectors.h"

#include <time.h>

#include "core/time.h"
#include "core/xml.h"
#include "identity/federation/saml.h"
#include "identity/federation/saml_metadata.h"

/* Where our verdict is another one than the toolkit's that judged the messages, and why. */
static const struct {
    const char *name, *why;
} refused_here[] = {
    { "responses/invalids/duplicated_attributes.xml.base64", "an attribute is there twice" },
    { "responses/invalids/empty_nameid.xml.base64", "the assertion must have a Subject with one NameID that is not empty" },
    /* their keys are wrapped with PKCS#1 v1.5 */
    { "responses/signed_encrypted_assertion.xml.base64", "Response signature invalid" },
    { "responses/valid_encrypted_assertion_encrypted_nameid.xml.base64", "Response signature invalid" },
};

static struct str file_text(struct arena *arena, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, VECTORS "/saml/%s", name);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s is not there", path);
    struct strbuf text = strbuf_in(arena, 16 * 1024);
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        strbuf_add(&text, (struct str){ piece, n });
    fclose(file);
    return strbuf_view(&text);
}

static struct str certificate(struct arena *arena)
{
    struct str pem = file_text(arena, "certs/idp.crt"), begin = STR("-----BEGIN CERTIFICATE-----");
    ptrdiff_t at = str_find_str(pem, begin), end = str_find_str(pem, STR("-----END"));
    return str_sub(pem, (size_t)at + begin.len, (size_t)end - (size_t)at - begin.len);
}

static struct str metadata_of(struct arena *arena, struct str entity)
{
    return str_printf(arena,
                      "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"%.*s\">"
                      "<md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">"
                      "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
                      "<ds:X509Data><ds:X509Certificate>%.*s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
                      "</md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>",
                      STR_FMT(entity), STR_FMT(certificate(arena)));
}

struct verdict {
    bool good, expired;
    struct str why;
    struct saml_identity who;
};

static struct verdict judge(struct arena *arena, const char *name, const json_t *message, bool legacy, int64_t later_s)
{
    struct str xml = file_text(arena, name), acs = json_str(message, "acs_url");
    struct str sp = json_str(message, "sp_entity_id");
    struct verdict out = { 0 };
    struct str key = file_text(arena, "certs/sp.key");
    if (str_ends(str_of(name), STR("base64")) && !xml_base64(arena, xml, &xml))
        return (struct verdict){ .why = STR("no base64") };
    const struct saml_rules rules = { .recipients = &acs, .n_recipients = 1, .audiences = &sp, .n_audiences = 1,
                                      .any_in_response_to = true, .legacy = legacy,
                                      .private_keys = &key, .n_private_keys = 1,
                                      .now_s = saml_time_s(json_str(message, "issue_instant")) + 5 + later_s };
    out.good = saml_read(arena, metadata_of(arena, json_str(message, "idp_entity_id")), xml, &rules, &out.who, &out.why,
                         &out.expired);
    return out;
}

static const char *refused_for(const char *name)
{
    for (size_t i = 0; i < COUNT(refused_here); i++)
        if (strcmp(name, refused_here[i].name) == 0)
            return refused_here[i].why;
    return NULL;
}

static void vectors_are_judged(void **state)
{
    struct arena *arena = arena_new(64 * 1024);
    json_t *all = vector_json(arena, "saml/verdicts.json"), *message;
    const char *name;
    size_t accepted = 0, wrong = 0;
    (void)state;
    json_object_foreach(json_object_get(all, "messages"), name, message) {
        struct arena *one = arena_new(64 * 1024);
        const char *refused = refused_for(name);
        bool expected = json_flag(json_object_get(message, "at_issue"), "accepted", false) && !refused;
        struct verdict found = judge(one, name, message, true, 0);
        if (found.good != expected || (refused && !str_is(found.why, refused))) {
            print_error("%s: %s %.*s\n", name, found.good ? "accepted" : "refused:", STR_FMT(found.why));
            wrong++;
        }
        accepted += found.good;
        if (found.good && (!found.who.name_id.len || !found.who.assertion_id.len || !found.who.n_attributes)) {
            print_error("%s: says nothing\n", name);
            wrong++;
        }
        /* SHA-1 and 1024 bits are for these tests only */
        if (judge(one, name, message, false, 0).good) {
            print_error("%s: accepted with an old algorithm\n", name);
            wrong++;
        }
        arena_free(one);
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(accepted, 8);
    arena_free(arena);
}

static void time_and_names_count(void **state)
{
    static const char name[] = "responses/valid_response.xml.base64";
    struct arena *arena = arena_new(64 * 1024);
    json_t *all = vector_json(arena, "saml/verdicts.json");
    json_t *message = json_object_get(json_object_get(all, "messages"), name);
    (void)state;
    struct verdict good = judge(arena, name, message, true, 0);
    assert_true(good.good);
    assert_true(good.who.not_after_s > good.who.issued_s);
    assert_true(str_is(good.who.issuer, "http://idp.example.com/"));
    struct verdict late = judge(arena, name, message, true, good.who.not_after_s - good.who.issued_s);
    assert_false(late.good);
    assert_true(late.expired);
    assert_false(judge(arena, name, message, true, -3600).good);
    json_set_str(message, "acs_url", STR("https://other.example/acs"));
    assert_false(judge(arena, name, message, true, 0).good);
    arena_free(arena);
}

static const struct {
    const char *what, *text;
} bad_xml[] = {
    { "nothing", "" },
    { "no XML", "hello" },
    { "a document type", "<!DOCTYPE a><a/>" },
    { "entities that grow", "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>" },
    { "an entity of outside", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>" },
    { "an entity nobody declared", "<a>&b;</a>" },
    { "two roots", "<a/><b/>" },
    { "an attribute twice", "<a b='1' b='2'/>" },
    { "bytes that are no UTF-8", "<a>\xff\xfe</a>" },
    { "a prefix that is not declared closes nothing", "<a:b></c:b>" },
};

static void bad_documents(void **state)
{
    struct arena *arena = arena_new(64 * 1024);
    const char *why;
    (void)state;
    for (size_t i = 0; i < COUNT(bad_xml); i++)
        if (xml_parse(arena, str_of(bad_xml[i].text), 1000, &why) || !why)
            fail_msg("%s was read", bad_xml[i].what);
    struct strbuf deep = strbuf_in(arena, 4096);
    for (int i = 0; i < 200; i++)
        strbuf_add(&deep, STR("<a>"));
    for (int i = 0; i < 200; i++)
        strbuf_add(&deep, STR("</a>"));
    assert_null(xml_parse(arena, strbuf_view(&deep), 100000, &why));
    assert_null(xml_parse(arena, STR("<a/>"), 3, &why));
    /* another coding does not hide anything: only UTF-8 is read */
    assert_null(xml_parse(arena, STR("<?xml version=\"1.0\" encoding=\"UTF-7\"?>+ADw-a/>"), 1000, &why));
    const struct xml *cut = xml_parse(arena, STR("<a>admin@x<!-- -->.evil<b>!</b></a>"), 1000, &why);
    assert_true(str_is(cut->text, "admin@x.evil"));
    arena_free(arena);
}

static const struct {
    const char *name;
    bool good;
} metadata[] = {
    { "metadata/idp_metadata.xml", true },
    { "metadata/idp_metadata_multi_certs.xml", true },
    { "metadata/idp_metadata_same_sign_and_encrypt_cert.xml", true },
    { "metadata/idp_metadata_different_sign_and_encrypt_cert.xml", true },
    { "metadata/metadata_settings1.xml", false },     /* of a service */
    { "metadata/noentity_metadata_settings1.xml", false },
    { "metadata/idp_multiple_descriptors.xml", false }, /* of several providers */
    { "metadata/unparsed_metadata.xml", false },
    { "responses/simple_saml_php.xml", false },
};

static void metadata_is_read(void **state)
{
    struct arena *arena = arena_new(64 * 1024);
    struct str why;
    (void)state;
    for (size_t i = 0; i < COUNT(metadata); i++)
        if (saml_metadata_check(arena, file_text(arena, metadata[i].name), &why) != metadata[i].good)
            fail_msg("%s: %.*s", metadata[i].name, STR_FMT(why));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_judged),
        cmocka_unit_test(time_and_names_count),
        cmocka_unit_test(bad_documents),
        cmocka_unit_test(metadata_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
