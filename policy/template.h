/* A value of a policy as it is compared: literal text, wild cards and ${variables}. */
#pragma once

#include "policy/eval.h"

/* One stretch of a template: text, or a variable to be looked up. */
struct template_piece {
    struct str text;     /* absent: a variable */
    struct str name;     /* of the variable */
    struct str fallback; /* ${name, 'fallback'}; absent: none */
    bool never;          /* a key with several values: no variable */
};

struct template {
    struct str text;                    /* marked (core/glob.h); whole when there are no variables */
    const struct template_piece *pieces;
    size_t n_pieces;                    /* 0: `text` is all */
    bool wild;                          /* holds wild cards */
};

/* Borrows `text`.
 * variables: ${…} is looked up (Version 2012-10-17), else literal.
 * wild: '*' and '?' are wild cards, else literal. ${*} ${?} ${$} are those characters, always. */
struct template template_compile(struct arena *arena, struct str text, bool variables, bool wild);

/* The text with variables filled in, marked. False: a variable has no value, or several. */
bool template_fill(struct arena *arena, const struct template *template, const struct policy_request *request,
                   struct str *out);
bool template_match(const struct template *template, struct str marked, struct str text);
