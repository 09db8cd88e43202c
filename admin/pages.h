/* What people open in a browser: pages of user pools. */
#pragma once

#include "admin/app.h"
#include "admin/plane.h"

/* False: the pool has no such page. */
bool pages_serve(struct app *app, struct http_exchange *x, const struct place *place);
