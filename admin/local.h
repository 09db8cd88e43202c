/* What Gatehouse says of itself, under /_gatehouse/. */
#pragma once

#include "admin/app.h"

/* path: what follows "/_gatehouse", raw. */
void local_serve(struct app *app, struct http_exchange *x, struct str path);
