/* What the operations on custom domains share. */
#pragma once

#include "gateway/ops/ops.h"
#include "gateway/store/domain.h"

/* A domain under change: found inside a write transaction, live when it is closed. */
struct domain_draft {
    struct call *call;
    struct tx tx;
    json_t *domain; /* NULL: no such domain */
    struct str id;
};
/* NotFoundException: "Invalid domain name identifier specified". domain_id may be absent. */
gh_err domain_open(struct domain_draft *draft, struct call *call, struct str name, struct str domain_id);
/* Always call it. err NULL: commits, and returns when every loop serves it. */
gh_err domain_close(struct domain_draft *draft, gh_err err);
/* For operations that only read. */
gh_err domain_find_named(struct call *call, struct tx *tx, struct str name, struct str domain_id, json_t **out);

/* May an API's stage stand behind the domain? stage absent: it comes in the path. */
gh_err domain_check_target(struct call *call, struct tx *tx, const json_t *domain, struct str api_id, struct str stage);
/* Private domains of other accounts that share them with this one. */
gh_err domain_list_shared(struct call *call, struct docs *out);
/* "v1/orders"; *out without "(none)". */
gh_err domain_check_path(struct call *call, const json_t *domain, struct str given, struct str *out);
/* ConflictException when the path has a mapping, LimitExceededException when there are too many. */
gh_err mapping_must_be_free(struct domain_draft *draft, struct str base_path);
bool domain_has_type(const json_t *domain, const char *type);
/* arn:aws:apigateway:us-east-1::/domainnames/x, or with account and +id for private ones. */
struct str domain_arn(struct call *call, const json_t *domain);
