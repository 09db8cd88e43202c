/* What the REST API operations share: the draft under change, finding nodes in it, answers, pages.
 *
 * A draft is one JSON document (gateway/store/deployment.h); an operation finds its node, changes
 * it, and answers with it. Reads take no lock; writes hold the write transaction from draft_open to
 * draft_close, so two operations on one API never lose each other's work. */
#pragma once

#include "gateway/store/deployment.h"
#include "gateway/store/rest_api.h"
#include "gen/apigateway.h"
#include "wire/call.h"

struct draft {
    struct call *call;
    struct tx tx;
    struct api_key key;
    json_t *api;    /* NULL: no such API; which error that is differs by operation */
    bool untouched; /* by draft_open_beside and draft_open_to_read */
    struct known_deployments known; /* read or made on the way, for publishing */
};
gh_err draft_open(struct draft *draft, struct call *call, struct str api_id);
/* For operations that change other tables only: the API's document is not written back. */
gh_err draft_open_to_read(struct draft *draft, struct call *call, struct str api_id);
/* The same where it is enough to know that there is such an API: `api` is not its document. */
gh_err draft_open_beside(struct draft *draft, struct call *call, struct str api_id);
/* Always call it. err NULL: saves the document and commits; else nothing is kept. */
gh_err draft_close(struct draft *draft, gh_err err);
/* draft_close, then the answer from `doc`. */
gh_err draft_answer(struct draft *draft, gh_err err, json_t *doc, void *out);
/* For operations that only read; *api NULL when there is none. */
gh_err draft_known(struct call *call, struct str api_id, json_t **api); /* not its document: is there one? */
gh_err draft_read(struct call *call, struct str api_id, json_t **api);

/* --- nodes; each gives AWS's NotFoundException when it is not there, api may be NULL --- */
gh_err api_required(struct call *call, const json_t *api,
                    struct str api_id); /* Invalid API identifier specified … */
gh_err resource_find(struct call *call, const json_t *api, struct str id, json_t **out);
struct method_ref {
    json_t *resource, *method, *integration;
};
gh_err method_find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                   struct method_ref *out);
/* The method must be there too. */
gh_err integration_find(struct call *call, const json_t *api, struct str resource_id, struct str http_method,
                        struct method_ref *out);
/* responses: the methodResponses or integrationResponses of the node above; may be NULL. */
gh_err response_find(struct call *call, const json_t *parent, const char *responses, struct str status,
                     json_t **out);
/* The object under `name`, made when missing. */
json_t *child_object(json_t *parent, const char *name);
/* Removes `key` from the object under `name`, and the object when that empties it. */
void child_remove(json_t *parent, const char *name, struct str key);
void child_set(json_t *parent, const char *name, struct str key, json_t *child); /* borrows child */

/* --- answers and input --- */
/* Fills the operation's output from a document in wire names. Unknown names are left out. */
gh_err ops_answer(struct call *call, const json_t *doc, void *out);
/* The members that were given, of those named (wire names), as a fresh object in that order. */
json_t *ops_given(struct call *call, const void *in, const char *const *names, size_t n);

/* Sorted by `sort_key` (a member, bytewise), the page after `position` as {"item":[…],"position":…}:
 * "position: The current pagination position in the paged result set", "limit: The maximum number of
 * returned results per page. The default value is 25 and the maximum value is 500." */
gh_err ops_answer_page(struct call *call, const struct docs *docs, const char *sort_key, struct str position,
                       struct opt_i64 limit, void *out);
int64_t page_limit(struct opt_i64 limit);
/* Positions are opaque: the base64url of what the last row was sorted by. */
struct str position_of(struct arena *arena, struct str key);
bool position_key(struct arena *arena, struct str position, struct str *key);
/* The members of an object as a list. */
struct docs docs_of(struct arena *arena, const json_t *object);

gh_err ops_check_tags(struct call *call, const json_t *tags); /* tag.c; tags may be NULL */
/* One more where there are `have`? what: "Resources for this API". AWS's number holds with --limits aws, ours
 * otherwise. LimitExceededException. */
gh_err ops_limit(struct call *call, size_t have, size_t aws, size_t ours, const char *what);
/* May the caller do this as well? action: "apigateway:GET"; resource: "/restapis/abc". AccessDeniedException. */
gh_err ops_may(struct call *call, const char *action, struct str resource);
struct str ops_id(struct call *call, size_t n); /* [a-z0-9] */
gh_err ops_bad_request(struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
gh_err ops_not_found(struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
gh_err ops_conflict(struct call *call, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
