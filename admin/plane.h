/* Which plane is a request for? Decided from Host and raw path alone (DESIGN: "One port, many planes"). */
#pragma once

#include "core/arena.h"
#include "core/str.h"

enum plane {
    PLANE_DATA,       /* an API: api_id, stage (may be absent), path */
    PLANE_LOCAL,      /* /_gatehouse/…: path is what follows */
    PLANE_POOL,       /* a user pool's documents and pages: pool_id, path is what follows */
    PLANE_ISSUER,     /* documents of the issuer of identity pools' tokens: path is what follows */
    PLANE_OUTBOUND,   /* documents of an account's issuer of web identity tokens: pool_id is "outbound-…", path what follows */
    PLANE_MANAGEMENT, /* AWS's management operations, or nothing we know: wire/ finds out */
};

struct place {
    enum plane plane;
    struct str api_id, stage, pool_id;
    struct str path; /* raw, begins with '/' */
};

/* host: lower case, without port. Results are views into host and path. */
struct place plane_of(struct str host, struct str path);
