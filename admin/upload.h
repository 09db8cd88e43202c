/* PUT /_gatehouse/imports/{pool}/{job}?expires&signature: the file of a user import job. The link is the permission. */
#pragma once

#include "admin/app.h"

void upload_serve(struct app *app, struct http_exchange *x, struct str rest);
