/* Finding records in an audit folder: reads the files, newest line first, and needs nothing of the server's memory.
 *
 * A line is looked at by its bytes first (each value of the query must occur in it) and parsed only then; so a search
 * that finds little costs about what reading the files costs. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

enum { AUDIT_PAGE = 50, AUDIT_PAGE_MAX = 1000 };

/* What a record must be like; absent: anything. In texts, * stands for any run and ? for one character. */
struct audit_query {
    struct str name;      /* eventName; "CreateFunction" finds CreateFunction20150331 */
    struct str source;    /* eventSource, with or without .amazonaws.com */
    struct str principal; /* ARN, name or id of who called, of its session's issuer, or the sub of who signed in */
    struct str key;       /* accessKeyId: that signed, or that was made */
    struct str resource;  /* an ARN of resources, or a value in requestParameters or responseElements */
    struct str error;     /* errorCode; "*": any error */
    struct str ip, id;    /* sourceIPAddress; eventID or requestID */
    struct str account;   /* recipientAccountId */
    struct str since, until; /* eventTime as it is written: 2026-11-21T03:04:05Z; until is not among them */
    int64_t before, after;   /* sequence numbers, neither among them; 0: all */
    int64_t limit;           /* 0: AUDIT_PAGE */
};

/* One parameter, "name" and its value, of a query string or the command line. False: *why. */
bool audit_query_set(struct arena *arena, struct audit_query *query, struct str name, struct str value, struct str *why);
extern const char *const audit_query_names; /* "name, source, …" */

struct audit_page {
    struct str *lines; /* newest first, without newline */
    size_t n;
    int64_t next;      /* there is more: go on with before = next; 0: that was all */
};
/* A page is full at its limit, or at 8 MiB. until_sequence: lines after it are not looked at (they may not be whole yet); 0: all that are whole. */
bool audit_search(struct arena *arena, const char *folder, const struct audit_query *query, int64_t until_sequence,
                  struct audit_page *page, struct str *why);
