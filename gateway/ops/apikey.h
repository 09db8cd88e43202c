/* What the operations of API keys and usage plans share. */
#pragma once

#include "gateway/ops/ops.h"
#include "gateway/ops/patch.h"
#include "gateway/store/usage_plan.h"
#include "gateway/usage/usage.h"

struct api_key ops_key(struct call *call, struct str id); /* of the call's account and region */
gh_err apikey_required(struct call *call, struct tx *tx, struct str id, json_t **out);
gh_err plan_required(struct call *call, struct tx *tx, struct str id, json_t **out);
/* Ends the transaction: as it should, or with the error. */
gh_err ops_finish(struct tx *tx, gh_err err);

/* LimitExceeded when there is no room for one key, of which `counted` (0 or 1) is there already. */
gh_err apikey_check_room(struct call *call, struct tx *tx, size_t counted);

/* Newest-first pages: "1732158000000000/abc123". */
gh_err apikey_query_of(struct call *call, struct str position, struct opt_i64 limit, struct apikey_query *out);
void apikey_set_position(struct call *call, const struct apikey_page *page, json_t *answer);

/* --- apikey_value.c: the secret itself --- */
gh_err apikey_check_value(struct call *call, struct str value);
struct str apikey_generate(struct call *call);
struct str apikey_mac(struct call *call, struct str value); /* hex */
/* The newest one, unsealed. */
gh_err apikey_newest_value(struct call *call, struct tx *tx, struct str key_id, struct str *out);
void apikey_add_value(struct call *call, struct tx *tx, struct str key_id, struct str value, int64_t serial);

/* An update under way; the patch rows' ctx. */
struct apikey_update {
    struct call *call;
    struct tx *tx;
    struct str key_id;
    struct str fresh; /* a value that was just added: the answer tells it */
};
gh_err apikey_patch_add_value(struct patch *patch);
gh_err apikey_patch_previous(struct patch *patch);      /* remove */
gh_err apikey_patch_previous_ends(struct patch *patch); /* replace */
gh_err apikey_patch_expires(struct patch *patch);       /* replace, remove */

/* For GET /_gatehouse/apikeys/{id}: what GetApiKey has no place for. ctx: struct str *, the key's id. */
gh_err apikey_lifetime(struct call *call, void *ctx, struct str *json);

/* --- usage_plan_key.c --- */
/* "a given API key can only be associated with one usage plan for each stage of your API" */
gh_err plan_attach_key(struct call *call, struct tx *tx, const json_t *plan, struct str key_id);

/* --- usage_plan_check.c: what the whole document must be --- */
gh_err plan_check(struct call *call, struct tx *tx, json_t *plan);
/* NotFound unless it is there. */
gh_err plan_stage_required(struct call *call, struct tx *tx, struct str api_id, struct str stage);
/* None of its keys may be in another plan of one of these stages. */
gh_err plan_check_conflicts(struct call *call, struct tx *tx, const json_t *plan);
json_t *plan_stage(const json_t *plan, struct str api_id, struct str stage); /* NULL: not in it */
/* A stage in both, or NULL. */
const json_t *plans_common_stage(const json_t *a, const json_t *b);

/* A stage (absent: all of an API) is deleted: plans forget it. Inside the transaction that deletes
 * it; then, when that is committed, plans_publish with what this gave. */
gh_err plans_forget_stage(struct call *call, struct tx *tx, struct str api_id, struct str stage, struct id_list *changed);
gh_err plans_publish(struct call *call, const struct id_list *changed);
