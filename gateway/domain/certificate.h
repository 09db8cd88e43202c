/* Certificates and truststores in files: how an ARN or a URI finds them. Blocking: never on a loop.
 *
 * arn:aws:acm:us-east-1:1:certificate/NAME, arn:aws:iam::1:server-certificate/NAME, or just NAME: the
 * folder NAME below `certificates`, with one of these pairs in it: cert.pem and key.pem, fullchain.pem
 * and privkey.pem (certbot), tls.crt and tls.key (Kubernetes). "s3://bucket/ca.pem" is the file
 * bucket/ca.pem below `truststores`, "file:ca.pem" is ca.pem there; a truststoreVersion V is the file
 * with ".V" behind its name. Revocation lists stand in the same file, or in one with ".crl" behind. */
#pragma once

#include "core/tls_certificate.h"
#include "core/tls_trust.h"

struct certificate_files {
    struct str certificates, truststores; /* folders */
    const struct env *env;
    bool dev; /* keys may be open to others; a certificate without a file is made */
};

/* A file that was looked at, and how it was: one that is not there counts as well. */
struct seen_file {
    const char *path;
    int64_t modified_ns, bytes; /* -1: not there */
    uint64_t inode;
};
struct seen_files {
    struct seen_file *items;
    size_t n, cap;
};
bool seen_files_changed(const struct seen_files *seen);

/* The files of a certificate, or of a truststore, as they are now; false: it cannot be the name of one.
 * `seen` grows in the arena. */
bool certificate_look(const struct certificate_files *files, struct arena *arena, struct str arn,
                      struct seen_files *seen);
bool truststore_look(const struct certificate_files *files, struct arena *arena, struct str uri, struct str version,
                     struct seen_files *seen);

/* NULL: *why. In dev mode, without a file, it is `made` again (when not NULL), or one is made for the
 * domain `name`. */
struct tls_certificate *certificate_find(const struct certificate_files *files, struct arena *arena, struct str arn,
                                         struct str name, struct tls_certificate *made, struct str *why);
struct tls_trust *truststore_find(const struct certificate_files *files, struct arena *arena, struct str uri,
                                  struct str version, struct tls_warnings *warnings, struct str *why);
