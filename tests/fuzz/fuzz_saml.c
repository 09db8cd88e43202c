/* A SAML response, and metadata, from anybody: read in bounded time, and who is accepted has a name and the issuer. */
#include "identity/federation/saml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The provider whose key signed the seeds; the key itself is gone. */
static const char metadata[] =
    "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"https://idp.example.org/metadata\">"
    "<md:IDPSSODescriptor><md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">"
    "<ds:X509Data><ds:X509Certificate>"
    "MIIDFTCCAf2gAwIBAgIUPJUAaiTbAhG8wXxIOg4n7XDfmmkwDQYJKoZIhvcNAQELBQAwGjEYMBYGA1UEAwwPaWRwLmV4YW1wbGUub3JnMB4XDT"
    "I2MTEyMTEzMTczOFoXDTM2MTExODEzMTczOFowGjEYMBYGA1UEAwwPaWRwLmV4YW1wbGUub3JnMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB"
    "CgKCAQEAnDaMScS5cPPmYvm44WgQS7rTik+NFiGmp1JID/jT2wpuCekaC+q8Rsxje8crPMjhvAhWKki+vbB7xaR5BtBOs2nP9PB6DMoAvYPAaN"
    "HTy1+GmNb7q6szM7Q3laLn04MZIPkCoRNDuipXsM8OjpKVIkDBDK5PHV/9Meq2KdhsjVhygLOkrJzPBw1PZWpg6QUkjbmd54vk5H1YEbwvq9/6"
    "U6GTQGyk8YZhUrfT9G6xnlQMc7uDap7R50OBdmg97o8PyNSizHno4i5CL0TsIve+ijg37yPfFYh+sQU7uDs6VnvlMRRim6XaxZkeoQvSde/soI"
    "e6z5puYXcX3aGTxaYu5wIDAQABo1MwUTAdBgNVHQ4EFgQUA+b3LGN7ikf+t1O8SVaVb4TIs9AwHwYDVR0jBBgwFoAUA+b3LGN7ikf+t1O8SVaV"
    "b4TIs9AwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAcGYirntS8naonOOuQVlAo68Owl03phYkk9a+OL+PnfS1f3BZAndQ3U"
    "CWEwoghlTQ2Imwzr1/dShIoH/OCx0iBWjr57wIh8oLzFzPkcmhhVO9HRMIssJTddZ6fdp0FmK0c7cGi5zcRSeOr7f530TQkApl7uTceiy9A5De"
    "qTAYbxBQ0+9d84O7n6MLMnTMs6P/Kk3wSDU8Bp5wt26iVqD46E4jg80yuQ9UmOZQub7epxVfS4rs+7s4IZfBtiDnUuCIVAZHRavatLKNCT3Qx5"
    "ZjW75jrskANc+tcgOigY2ASWpMiBf4vcC+ORk0xlngYT4hs2WaxwoLJCzbymUUe3Ksiw=="
    "</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64 * 1024);
    struct str place = STR("https://signin.aws.amazon.com/saml"), why, entity_id, input = { (const char *)data, size };
    const struct saml_rules rules = { .recipients = &place, .n_recipients = 1, .audiences = &place, .n_audiences = 1,
                                      .any_in_response_to = true, .now_s = 1767225605 };
    struct saml_identity who;
    int64_t until_s;
    bool expired;
    if (saml_read(arena, STR(metadata), input, &rules, &who, &why, &expired) &&
        (!str_is(who.name_id, "ada") || !str_is(who.issuer, "https://idp.example.org/metadata")))
        __builtin_trap();
    saml_metadata_read(arena, input, &entity_id, &until_s, &why);
    arena_free(arena);
    return 0;
}
