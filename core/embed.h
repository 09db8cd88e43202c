/* Files linked into the binary by tools/embed.cmake. The bytes are followed by a NUL. */
#pragma once

#include <stddef.h>

struct embedded_file {
    const char *path; /* relative to the repository: "identity/store/001_pools.sql"; NULL ends the table */
    const char *bytes;
    size_t len;
};

extern const struct embedded_file embedded_migrations[]; /* <layer>/store/NNN_name.sql */
extern const struct embedded_file embedded_runtimes[];   /* functions/runtime/ */
extern const struct embedded_file embedded_managed[];    /* identity/iam/policies/aws/ */
extern const struct embedded_file embedded_services[];   /* policy/services.json */
extern const struct embedded_file embedded_openapi[];    /* openapi/<service>.yaml */
