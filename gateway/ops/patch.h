/* PATCH operations on a resource's document: one table of paths a resource, applied in order.
 *
 * "The patch operation's path is a JSON-Pointer to the property to update": "~1" in a segment is
 * '/', "~0" is '~'. Values are strings whatever the member's type. All or nothing: the caller drops
 * the document on an error. */
#pragma once

#include "core/json.h"
#include "gen/apigateway.h"

enum {
    PATCH_ADD = 1,
    PATCH_REPLACE = 2,
    PATCH_REMOVE = 4,
    PATCH_COPY = 8,
    PATCH_CHANGE = PATCH_ADD | PATCH_REPLACE | PATCH_REMOVE,
};

/* One operation under way. */
struct patch {
    struct arena *arena;
    json_t *target;                        /* the document */
    const struct patch_row *row;           /* NULL while no row matches */
    unsigned op;                           /* PATCH_ADD …, 0 for move and test */
    struct str op_name, path, value, from; /* as sent; value may be absent */
    struct str member;                     /* first segment of the path */
    struct str key, key2;                  /* what the stars of the row stood for, unescaped */
    const struct patch_rules *rules;
    void *ctx; /* the operation's own */
};

struct patch_row {
    const char *path; /* "/name"; '*' takes one segment, a final "**" all that follow; at most two stars */
    unsigned ops;
    gh_err (*apply)(struct patch *patch);
    const char *missing; /* NotFound: replace or remove of an entry that is not there */
};

struct patch_rules {
    const struct patch_row *rows;
    size_t n_rows;
    /* What to say of a path without a row (patch->row NULL), or of an operation that the row
     * does not take. */
    gh_err (*refuse)(struct patch *patch);
    const char *choices; /* for patch_refuse_listed: "[/parentId, /pathPart]" */
};

gh_err patch_apply(const struct patch_rules *rules, struct arena *arena, json_t *target,
                   const struct apigw_ListOfPatchOperation *operations, void *ctx);

/* --- what a row does with the value --- */
gh_err patch_string(struct patch *patch);         /* member = value; absent removes */
gh_err patch_text(struct patch *patch);           /* the same, and an empty text removes too */
gh_err patch_flag(struct patch *patch);           /* "true", anything else is false (as recorded) */
gh_err patch_integer(struct patch *patch);        /* no number: BadRequest */
gh_err patch_string_entry(struct patch *patch);   /* member[key] = value; an emptied map disappears */
gh_err patch_template_entry(struct patch *patch); /* an empty template reads back as null, as recorded */
gh_err patch_flag_entry(struct patch *patch);
gh_err
patch_key_in_list(struct patch *patch); /* the key is the element; replace puts the value in its place */
gh_err patch_value_in_list(struct patch *patch); /* the value is the element */
/* For members that are not enforced yet: refused by name. */
gh_err patch_not_built(struct patch *patch);

/* --- how services speak --- */
/* "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/a, /b]" */
gh_err patch_refuse_listed(struct patch *patch);
/* "Invalid patch path /x"; "Invalid patch operation specified. Must be one of: [replace]" */
gh_err patch_refuse_plain(struct patch *patch);
/* "Invalid patch path /x" for both */
gh_err patch_refuse_path(struct patch *patch);
gh_err patch_bad_path(struct patch *patch); /* "Invalid patch path /x" (or null) */
