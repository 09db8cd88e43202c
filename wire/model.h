/* What the generator knows of a service, as const tables. Generated from openapi/ by
 * tools/modelgen into build/<preset>/gen/gen/<service>.{h,c}.
 *
 * How a shape looks in C:
 *   string, enum, blob   struct str              absent: ptr NULL; blobs are decoded bytes
 *   boolean              struct opt_bool         { bool set, value; }
 *   integer, long        struct opt_i64          { bool set; int64_t value; }
 *   double, float        struct opt_f64          { bool set; double value; }
 *   timestamp            struct opt_time         { bool set; double value; }  seconds since 1970
 *   structure            struct idp_Name *       absent: NULL
 *   list                 struct idp_Name { bool set; size_t n; T *items; }   by value
 *   map                  struct idp_Name { bool set; size_t n; struct { struct str key; T value; } *items; }
 *   document             json_t *                absent: NULL
 * Members are in snake case: UserPoolId is user_pool_id, MFAOptions is mfa_options; a C keyword
 * gets a trailing underscore. T of a list of structures is the pointer.
 *
 * Every operation has its own struct idp_X_in and idp_X_out, defined even if empty. When its body
 * is a schema that others share (lambda's FunctionConfiguration), the same bytes are `whole`:
 *     out->whole = *configuration;
 * Descriptors are idp_shape_Name and idp_shape_X_in/_out; a map's item is struct idp_Name_entry. */
#pragma once

#include <jansson.h>

#include "core/err.h"

struct opt_bool {
    bool set, value;
};
struct opt_i64 {
    bool set;
    int64_t value;
};
struct opt_f64 {
    bool set;
    double value;
};
struct opt_time {
    bool set;
    double value;
};
/* Any list and any map, for code that walks tables. */
struct any_list {
    bool set;
    size_t n;
    void *items;
};

static inline struct opt_bool some_bool(bool value)
{
    return (struct opt_bool){ true, value };
}
static inline struct opt_i64 some_i64(int64_t value)
{
    return (struct opt_i64){ true, value };
}
static inline struct opt_time some_time_us(int64_t us)
{
    return (struct opt_time){ true, (double)us / 1e6 };
}

enum shape_kind {
    SHAPE_STRING,
    SHAPE_BLOB,
    SHAPE_BOOL,
    SHAPE_INT,
    SHAPE_LONG,
    SHAPE_FLOAT,
    SHAPE_TIMESTAMP,
    SHAPE_STRUCT,
    SHAPE_LIST,
    SHAPE_MAP,
    SHAPE_DOCUMENT,
};

enum timestamp_format { TIME_DEFAULT, TIME_EPOCH, TIME_ISO8601, TIME_RFC822 };

struct shape {
    const char *name; /* "UserPoolType" */
    enum shape_kind kind;
    size_t size;         /* sizeof the C representation as a member (struct pointers: sizeof(void *)) */
    size_t alloc;        /* SHAPE_STRUCT: sizeof the struct; SHAPE_MAP: sizeof one item */
    size_t value_offset; /* SHAPE_MAP: of value in an item */
    const struct member *members;
    size_t n_members;
    const struct shape *element;       /* list element, map value */
    const struct shape *key;           /* map key: a string shape */
    const char *element_name;          /* query/XML: NULL: "member" */
    const char *key_name, *value_name; /* NULL: "key", "value" */
    bool flattened, sensitive;
    bool dense; /* AWS's constraint texts name "Member must not be null" */
    bool has_min, has_max;
    int64_t min, max;          /* length, size or value */
    const char *pattern;       /* as AWS prints it, or NULL */
    const char *const *values; /* enum, NULL-terminated, or NULL */
    enum timestamp_format time;
};

enum location { IN_BODY, IN_PATH, IN_QUERY, IN_HEADER, IN_HEADERS /* prefix */, IN_STATUS, IN_PAYLOAD };

struct member {
    const char *name;      /* the API's: "UserPoolId" */
    const char *wire_name; /* on the wire, where the model gives another; else the same */
    const struct shape *shape;
    size_t offset;
    enum location in;
    bool required;
    bool flattened;
    bool json_value; /* a header that is JSON in base64 */
    enum timestamp_format time;
};

struct call;
typedef gh_err (*operation_fn)(struct call *call, const void *in, void *out);

struct operation {
    const char *name;   /* "AdminDisableUser" */
    const char *method; /* "POST" */
    const char *path;   /* "/restapis/{restapi_id}/resources"; "/" for json and query */
    int status;         /* of success */
    const struct shape *in, *out;
    const struct gh_kind *const *errors; /* NULL-terminated */
    operation_fn run;                    /* calls the handler with its own types */
    void (*handler)(void);      /* the handler's address; NULL: not built, 501 (the symbol is weak) */
    bool unsigned_;             /* authtype none: InitiateAuth, GetId, … */
    bool free;                  /* needs no permission: GetCallerIdentity */
    bool output;                /* has a body even if that is empty: json 1.1 then answers {} */
    bool terse;                 /* AWS's constraint texts leave out the value */
    const char *payload_type;   /* rest-json: of a blob payload, where no header says it */
    const char *result_wrapper; /* query: "CreateUserResult", or NULL */
    const char *action;         /* IAM's: "cognito-idp:AdminDisableUser" */
    const char *arn; /* resource pattern: "arn:{p}:cognito-idp:{r}:{a}:userpool/{UserPoolId}", "*" */
    const char *const *also; /* must be allowed, too: "iam:PassRole|Role|@|lambda.amazonaws.com"; NULL-terminated, or NULL */
    const char *const *keys; /* conditions that come with the call: "lambda:Layer|Layers"; NULL-terminated, or NULL */
};

/* How a service spells an error's members. */
struct error_form {
    const struct gh_kind *kind;
    const char *message_name; /* "message", "Message", or NULL: the shape has none */
    bool type;                /* Lambda: "Type" says "User" or "Service" */
};

enum protocol { PROTOCOL_JSON11, PROTOCOL_REST_JSON, PROTOCOL_QUERY };

struct service {
    const char *id;           /* "cognito-idp": file name, prefix of actions, SDK endpoint id */
    const char *signing_name; /* "cognito-idp" */
    enum protocol protocol;
    const char *target_prefix;          /* "AWSCognitoIdentityProviderService", or NULL */
    const char *api_version;            /* "2016-04-18" */
    const char *xml_namespace;          /* query */
    const struct gh_kind *validation;   /* a constraint of the model is hurt */
    const struct gh_kind *refusal;      /* a member that is not supported yet */
    bool input_prefix;                  /* constraint texts say "createRestApiInput.name" */
    const struct operation *operations; /* sorted by name */
    size_t n_operations;
    const struct error_form *errors;
    size_t n_errors;
};
