#include "core/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

SSL_CTX *tls_client_context(const char *ca_file, bool verify)
{
    static const unsigned char http_1_1[] = "\x08http/1.1";
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_protos(context, http_1_1, sizeof http_1_1 - 1);
    SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    bool trusted = !verify || (ca_file ? SSL_CTX_load_verify_locations(context, ca_file, NULL) == 1
                                       : SSL_CTX_set_default_verify_paths(context) == 1);
    ERR_clear_error();
    if (trusted)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

SSL *tls_client_session(SSL_CTX *context, int fd, const char *host)
{
    unsigned char address[16];
    SSL *ssl = SSL_new(context);
    if (!ssl)
        return NULL;
    bool numeric = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    bool named = numeric ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1
                         : SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    if (named && SSL_set_fd(ssl, fd) == 1) {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        SSL_set_connect_state(ssl);
        return ssl;
    }
    SSL_free(ssl);
    return NULL;
}
