/* Fixtures: a template, a model or an authorizer with an input and what must come out, run without a server.
 * docs: examples/fixtures/README.md describes the file format. */
#pragma once

#include "core/json.h"
#include "core/yaml.h"

struct fixture {
    enum fixture_kind { FIXTURE_TEMPLATE, FIXTURE_MODEL, FIXTURE_AUTHORIZER } kind;
    struct str name, file;
    int line;                       /* where it begins */
    struct str text;                /* the template; the model's schema; the authorizer's answer as JSON */
    struct str body;                /* "" when there is none */
    /* template */
    json_t *params, *context, *stage_variables; /* or NULL */
    /* model: schemas by name, for references */
    json_t *models;
    /* authorizer */
    struct str method_arn, token, validation;
    const struct yaml *expect;
};

struct fixture_list {
    struct fixture *items;
    size_t n;
};

/* All fixtures of a file. Files that it names (bodyFile …) are read from its folder by `read`, which gives absent
 * for what is not there. False: *why is "orders.yaml:7: no field is called "exepct" …". */
struct fixture_files {
    struct str (*read)(void *user, struct str name);
    void *user;
};
bool fixture_read(struct arena *arena, struct str file, struct str text, const struct fixture_files *files,
                  struct fixture_list *out, struct str *why);

/* True: it came out as expected; else *why says what did not, in a few lines. */
bool fixture_run(struct arena *arena, const struct fixture *fixture, struct str *why);

/* What a template fixture gives, before anything is compared. */
struct fixture_outcome {
    struct str error;               /* "line 3, column 7: …"; absent: it ran */
    struct str output;
    json_t *request_override, *response_override; /* what was set in them */
};
void fixture_outcome(struct arena *arena, const struct fixture *fixture, struct fixture_outcome *out);

/* A template's run in a recorded request becomes part of its recording: template, payload, parameters, context and
 * stage variables as JSON, secrets replaced by name. */
struct gw_request;
struct gw_template;
struct str fixture_capture(struct gw_request *r, const struct gw_template *tpl, const char *name, struct str payload);

/* The templates that a recorded request ran (gateway/recording.h), as a fixture file in JSON; what is expected is
 * what comes out of the input without secrets. Absent: *why. */
struct str fixture_of_recording(struct arena *arena, struct str recording, struct str *why);
