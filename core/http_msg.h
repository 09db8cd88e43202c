/* What server and client share: headers, methods, status texts. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

struct http_header {
    struct str name, value;
};

/* In order of arrival; names keep their spelling, look-up ignores case. */
struct http_headers {
    struct http_header *items;
    size_t n, cap;
};

struct str http_header_get(const struct http_headers *headers, const char *name); /* first; absent if none */
bool http_header_has(const struct http_headers *headers, const char *name);
/* Grows in the arena; views are kept, not copied. */
void http_header_add(struct arena *arena, struct http_headers *headers, struct str name, struct str value);
/* "Name: value" lines, each with its CR LF; views of them. */
void http_header_add_lines(struct arena *arena, struct http_headers *headers, struct str lines);
void http_header_set(struct arena *arena, struct http_headers *headers, struct str name, struct str value);
void http_header_remove(struct http_headers *headers, const char *name); /* all of that name */

/* connection, keep-alive, te, trailer, transfer-encoding, upgrade, proxy-*: never forwarded. */
bool http_is_hop_by_hop(struct str name);
bool http_is_token(struct str text);        /* RFC 9110 token characters, not empty */
bool http_is_field_value(struct str value); /* no CTL but tab; bytes >= 0x80 allowed */
const char *http_reason(int status);        /* "Not Found"; "Unknown" */
void http_add_number(struct strbuf *buf,
                     int64_t number); /* decimal, not negative; printf is ten times slower */
