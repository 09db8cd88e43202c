/* Options beyond AWS: settings of a resource that AWS's models have no place for, as tables of what there is.
 *
 * They stand in the resource's document as the member "options" ({"watchWindowSeconds":300}), each with the
 * type that its table says. All are off unless set. A table belongs to the room that reads it: gateway/options.c
 * those of stages, identity/pools/options.c those of user pools. */
#pragma once

#include "core/json.h"

enum option_kind {
    OPTION_FLAG,   /* true or false */
    OPTION_COUNT,  /* a whole number between min and max */
    OPTION_NUMBER, /* a number between min and max */
    OPTION_TEXT,   /* at most max bytes, no control characters; `choices`: one of them */
    OPTION_SECRET, /* such a text that its owner seals, and that nobody is shown */
};

struct option_spec {
    const char *name;
    enum option_kind kind;
    double min, max;
    const char *choices; /* OPTION_TEXT: "a|b|c", or NULL */
    const char *meaning; /* what it does, with units and what holds without it */
};
struct option_table {
    const struct option_spec *specs;
    size_t n;
};

const struct option_spec *option_find(const struct option_table *table, const char *name); /* NULL: none */

/* Puts `changes` (a JSON object; null takes an option away) into `options`, an object. Texts stand for numbers
 * and flags too ("5", "true"), as a command line gives them. False: *why names the option. */
bool options_change(struct arena *arena, const struct option_table *table, json_t *options, const json_t *changes,
                    struct str *why);

/* Of the document whose member "options" they are. */
bool option_flag(const json_t *settings, const char *name);
int64_t option_count(const json_t *settings, const char *name, int64_t otherwise);
double option_number(const json_t *settings, const char *name, double otherwise);
struct str option_text(const json_t *settings, const char *name); /* absent when not set */
