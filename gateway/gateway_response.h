/* The answers that API Gateway makes itself: one row a type, AWS's statuses and texts. */
#pragma once

#include "core/str.h"

enum response_type {
    RESPONSE_ACCESS_DENIED,
    RESPONSE_API_CONFIGURATION_ERROR,
    RESPONSE_AUTHORIZER_CONFIGURATION_ERROR,
    RESPONSE_AUTHORIZER_FAILURE,
    RESPONSE_BAD_REQUEST_BODY,
    RESPONSE_BAD_REQUEST_PARAMETERS,
    RESPONSE_DEFAULT_4XX,
    RESPONSE_DEFAULT_5XX,
    RESPONSE_EXPIRED_TOKEN,
    RESPONSE_INTEGRATION_FAILURE,
    RESPONSE_INTEGRATION_TIMEOUT,
    RESPONSE_INVALID_API_KEY,
    RESPONSE_INVALID_SIGNATURE,
    RESPONSE_MISSING_AUTHENTICATION_TOKEN,
    RESPONSE_QUOTA_EXCEEDED,
    RESPONSE_REQUEST_TOO_LARGE,
    RESPONSE_RESOURCE_NOT_FOUND,
    RESPONSE_THROTTLED,
    RESPONSE_UNAUTHORIZED,
    RESPONSE_UNSUPPORTED_MEDIA_TYPE,
    RESPONSE_WAF_FILTERED,
    RESPONSE_FIXED, /* 403 Forbidden of an unknown API or stage: made before there is an API */
};

struct response_kind {
    const char *name;       /* "ACCESS_DENIED" */
    int status;
    const char *message;    /* NULL: {"message":null} */
    const char *error_type; /* x-amzn-ErrorType */
    const char *key;        /* "message"; ACCESS_DENIED really says "Message" */
    bool internal;          /* made deep inside: the body has a blank behind the colon */
    bool fixed;             /* "cannot be customized" */
};
extern const struct response_kind response_kinds[];
/* -1: no such type. */
int response_type_of(struct str name);
