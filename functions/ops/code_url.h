/* Code.Location: a link to the package that works for ten minutes without a signature. */
#pragma once

#include "wire/call.h"

struct str code_url(struct call *call, struct str code);
