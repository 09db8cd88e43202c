/* How asynchronous invocations of a function, version or alias are treated. Job threads. */
#pragma once

#include "functions/store/function.h"

gh_err event_config_find(struct db *db, struct tx *tx, struct arena *arena, const struct function_id *id,
                         struct str qualifier, struct lambda_FunctionEventInvokeConfig *out, bool *found);
void event_config_save(struct tx *tx, const struct function_id *id, struct str qualifier,
                       const struct lambda_FunctionEventInvokeConfig *config);
void event_config_delete(struct tx *tx, const struct function_id *id, struct str qualifier);
/* By qualifier, after `marker`. */
gh_err event_config_list(struct db *db, struct arena *arena, const struct function_id *id, struct str marker,
                         int64_t limit, struct lambda_FunctionEventInvokeConfig *out, size_t *n, struct str *last);
/* Overwrites the two numbers where the function has set them. False: the store failed. */
bool event_config_limits(struct db *db, struct arena *arena, struct str account, struct str region, struct str name,
                         struct str qualifier, int64_t *max_retries, int64_t *max_age_s);
