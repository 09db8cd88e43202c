/* URIs: splitting, percent-coding, query strings. Results live in the arena. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct uri {
    struct str scheme;   /* lower case */
    struct str host;     /* lower case, without brackets */
    uint16_t port;       /* 80 or 443 when the URI names none */
    bool has_port;
    struct str userinfo; /* or absent */
    struct str path;     /* raw, "" when none */
    struct str query;    /* raw, absent when none */
    struct str fragment; /* raw, absent when none */
};
/* Absolute http and https URIs; false for anything else. */
bool uri_parse(struct arena *arena, struct str text, struct uri *out);

/* "%41b" -> "Ab". Bad escapes stay as they are; `plus` turns '+' into a space (form data). */
struct str uri_decode(struct arena *arena, struct str text, bool plus);
/* RFC 3986 unreserved characters stay, all other bytes become %XX; with `keep_slash` '/' stays too. */
struct str uri_encode(struct arena *arena, struct str text, bool keep_slash);

/* "a=1&b&c=" one by one: name and value raw; b has an absent value, c an empty one. */
bool uri_query_next(struct str *rest, struct str *name, struct str *value);
/* The first parameter of that name, decoded; absent when there is none. */
struct str uri_query_get(struct arena *arena, struct str query, const char *name);
