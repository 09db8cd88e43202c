/* What a custom domain's document must look like, and what follows from it. */
#pragma once

#include "gateway/ops/domain.h"

/* "api.example.com", "*.example.com"; at least two labels, no address, no name of our own. */
gh_err domain_check_name(struct call *call, struct str name);
/* Endpoint types, certificates, security policy, mutual TLS, policies: whether they go together. */
gh_err domain_check(struct call *call, const json_t *domain);
/* The names that a DNS record would point at, hosted zones, ARN: made once, for each type the domain has. */
void domain_derive(struct call *call, json_t *domain);
