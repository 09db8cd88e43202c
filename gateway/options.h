/* Options beyond AWS: settings of a stage that AWS's models have no place for.
 *
 * They stand in the stage's document as the member "options" ({"watchWindowSeconds":300}), each with the
 * type that the table says, and are compiled into the snapshot like every other setting of the stage: live
 * as soon as they are set. All are off unless set. A new one is a row in gateway/options.c, which says
 * what it does, and a reader where the data plane compiles it:
 *
 *     int64_t window_s = option_count(c->settings, "watchWindowSeconds", 0);                          */
#pragma once

#include "core/json.h"

enum option_kind {
    OPTION_FLAG,   /* true or false */
    OPTION_COUNT,  /* a whole number between min and max */
    OPTION_NUMBER, /* a number between min and max */
    OPTION_TEXT,   /* at most max bytes, no control characters; `choices`: one of them */
};

struct gw_option {
    const char *name;
    enum option_kind kind;
    double min, max;
    const char *choices; /* OPTION_TEXT: "a|b|c", or NULL */
    const char *meaning; /* what it does, with units and what holds without it */
};

extern const struct gw_option gw_options[];
extern const size_t gw_n_options;

/* Puts `changes` (a JSON object; null takes an option away) into *options, which is made when missing and
 * becomes empty when nothing is left. Texts stand for numbers and flags too ("5", "true"), as a command
 * line gives them. False: *why names the option. */
bool options_change(struct arena *arena, json_t *options, const json_t *changes, struct str *why);

/* Of a stage's document. */
bool option_flag(const json_t *settings, const char *name);
int64_t option_count(const json_t *settings, const char *name, int64_t otherwise);
double option_number(const json_t *settings, const char *name, double otherwise);
struct str option_text(const json_t *settings, const char *name); /* absent when not set */
