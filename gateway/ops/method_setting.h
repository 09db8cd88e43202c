/* Method settings of a stage: "/{resource}/{METHOD}/throttling/rateLimit" and its like. */
#pragma once

#include "gateway/ops/patch.h"

gh_err method_setting_patch(struct patch *patch);  /* keys: resource path, HTTP method */
gh_err method_setting_remove(struct patch *patch); /* "/{resource}/{METHOD}" takes the whole entry away */
gh_err method_setting_refuse(struct patch *patch); /* of every stage path that has no row */
