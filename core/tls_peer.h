/* What is known of the client of a TLS connection; lives as long as the connection. */
#pragma once

#include "core/str.h"

struct tls_peer {
    struct str site;        /* name of the site that it reached: "api.x.test", "*.x.test", "" */
    struct str server_name; /* as it asked for it, lower case; "" when it did not */
    const char *version;    /* "TLSv1.3" */
    const char *cipher;     /* "TLS_AES_128_GCM_SHA256" */
    bool resumed;
    /* of its certificate; all absent when the site asks for none */
    bool verified;          /* it stands up to the site's truststore */
    const char *refusal;    /* why it does not, in OpenSSL's words; NULL when it does */
    struct str pem, subject, issuer, serial, not_before, not_after;
};
