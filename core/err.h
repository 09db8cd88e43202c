/* Errors are values: NULL is success, anything else says what to tell the client.
 *
 * A kind is a const table entry (generated for AWS's errors, by hand for our own); the message
 * belongs to the call and lives in its arena. Leaves below the API return bool: only who knows
 * the AWS name makes the error. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct gh_kind {
    const char *code;       /* AWS's name: "UserNotFoundException" */
    int status;             /* HTTP status */
    bool server_fault;      /* Sender or Receiver, in the query protocol's words */
    const char *query_code; /* the query protocol's spelling where it differs, else NULL */
};

struct gh_err {
    const struct gh_kind *kind;
    struct str message;
    struct str extra; /* further members of the error's shape as a JSON object, or absent */
};

/* The one typedef of the house. */
typedef const struct gh_err *gh_err;

/* Lives in the arena. */
gh_err gh_fail(struct arena *arena, const struct gh_kind *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4), returns_nonnull));
#ifdef __clang_analyzer__ /* it does not follow returns_nonnull: "an error, and yet NULL" is no path */
#define gh_fail(...) (__extension__({ gh_err made = gh_fail(__VA_ARGS__); if (!made) __builtin_unreachable(); made; }))
#endif

/* Ours, in every service: the disk is full, a bug, not built yet. */
extern const struct gh_kind GH_INTERNAL;        /* InternalFailure 500 */
extern const struct gh_kind GH_UNAVAILABLE;     /* ServiceUnavailable 503: storage refuses, queue full */
extern const struct gh_kind GH_NOT_IMPLEMENTED; /* NotImplemented 501 */
