/* What a stage needs besides its own documents: the outside, VPC links, a client certificate. */
#pragma once

#include "gateway/state.h"
#include "gateway/store/deployment.h"

/* Job threads, or before the loops run. `source` gets views into the arena. */
gh_err material_add(struct gateway *gateway, struct tx *tx, struct arena *arena, struct stage_source *source);
