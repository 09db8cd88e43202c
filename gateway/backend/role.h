/* The keys of roles that integrations and authorizers act in: fetched on a job thread, kept by each loop
 * until shortly before they expire. "API Gateway … assumes the role." */
#pragma once

#include "gateway/request.h"

enum role_keys {
    ROLE_READY,
    ROLE_REFUSED, /* there is no such role, or it does not trust apigateway.amazonaws.com */
    ROLE_ASKED,   /* gw_resume will be called; then ask again */
};

/* Of r's loop. out: keys in r's arena, and what the role may do, as of now. */
enum role_keys role_keys(struct gw_request *r, struct str arn, struct gw_actor *out);
void role_forget(struct gw_request *r);  /* it does not wait any more */
void roles_free(struct gw_loop *home);   /* the loop has ended */
