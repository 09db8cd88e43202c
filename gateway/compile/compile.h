/* What the compiling files share. */
#pragma once

#include "gateway/snapshot.h"

/* One compilation. An error is said once, with the place it was found at. */
struct compiler {
    struct snapshot *snapshot;
    struct arena *arena;      /* the snapshot's */
    struct arena *scratch;    /* the caller's: *why lives here */
    const json_t *api, *settings;
    const struct stage_source *source;
    const struct gw_method *method; /* whose integration is compiled */
    struct snapshot *base;    /* compiling a canary: its stage's snapshot; else NULL */
    struct str place;         /* "GET /pets/{id}" */
    struct str why;
};

/* False, always. */
bool compile_fail(struct compiler *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct str compile_copy(struct compiler *c, struct str text);
/* ${stageVariables.name} filled in: "in URIs and ARNs only ${stageVariables.name}". */
struct str compile_variables(struct compiler *c, struct str text);

/* compile_mapping.c */
bool compile_source(struct compiler *c, struct str text, struct gw_source *out);
bool compile_mappings(struct compiler *c, const json_t *map, const char *target_prefix, struct gw_mappings *out);
bool compile_templates(struct compiler *c, const json_t *map, const char *name, struct gw_templates *out);
bool compile_plain_templates(struct compiler *c, const json_t *map, struct gw_templates *out);
/* compile_validator.c: what a request must hold to reach the integration */
bool compile_validator(struct compiler *c, const json_t *json, struct gw_method *method);
/* compile_integration.c */
bool compile_integration(struct compiler *c, const json_t *json, struct gw_method *method);
struct str compile_function(struct compiler *c, struct str uri); /* inside an invocation URI; absent: none, or not ours */
bool compile_credentials(struct compiler *c, struct str text, enum acting *acting, struct str *role);
/* compile_policy.c */
bool compile_policy(struct compiler *c);
json_t *compile_method_setting(struct compiler *c, struct str path, struct str verb); /* NULL: none of its own */
/* compile_cache.c */
bool compile_stage_cache(struct compiler *c);
bool compile_method_cache(struct compiler *c, const json_t *resource, const json_t *integration,
                          struct gw_method *method);
/* compile_jwt.c */
bool compile_jwt(struct compiler *c, const json_t *json, struct gw_authorizer *out);
/* compile_authorizer.c */
bool compile_authorizers(struct compiler *c);
const struct gw_authorizer *compile_find_authorizer(struct compiler *c, struct str id);
