/* Velocity templates as API Gateway runs them: mapping templates of integration requests and
 * responses, and of WebSocket routes. Parsed once into a snapshot, run per request.
 *
 * Where AWS's engine and Apache's differ, the recordings of AWS win (vectors/vtl): an unset
 * reference prints nothing and is true in #if, "" equals null. #parse, #include, #evaluate and
 * reflection do not exist. Every run is bounded: steps, depth, output, #foreach rounds. */
#pragma once

#include "core/json.h"
#include "gateway/vtl/value.h"

struct vtl_template;

struct vtl_where {
    struct str message;  /* "unexpected ')'" */
    int line, column;    /* from 1 */
};

/* NULL: *where says what and where. The template borrows `text` and lives in the arena. */
struct vtl_template *vtl_parse(struct arena *arena, struct str text, struct vtl_where *where);

/* As it was given to vtl_parse. */
struct str vtl_template_text(const struct vtl_template *tpl);

struct vtl_limits {
    int64_t steps;       /* nodes evaluated */
    size_t output_bytes;
    size_t heap_bytes;   /* taken from the arena by this run */
    int rounds;          /* of one #foreach: AWS allows 1000 */
};
extern const struct vtl_limits vtl_limits_default;

/* Named variables of a run: "input", "context", "stageVariables", "util". */
struct vtl_scope;
struct vtl_scope *vtl_scope_new(struct arena *arena);
void vtl_scope_set(struct vtl_scope *scope, struct str name, struct vtl_value value);

/* False: *where says what went wrong; out holds what was written so far. */
bool vtl_run(const struct vtl_template *tpl, struct vtl_scope *scope, const struct vtl_limits *limits,
             struct strbuf *out, struct vtl_where *where);

/* $util; one constant object. */
struct vtl_value vtl_util(void);

/* $input over one payload. path, querystring and header are maps of strings; where `fill` is given it is called
 * before they are first read. */
struct vtl_input {
    struct arena *arena;
    struct str body;
    struct vtl_value path, querystring, header;
    void (*fill)(struct vtl_input *input);
    void *user;
    bool parsed;
    const struct jt *json; /* NULL: no JSON */
};
struct vtl_value vtl_input(struct vtl_input *input);
