/* What a User-Agent says about the device, for people: "Firefox on Linux", "aws-sdk-js", "unknown". */
#pragma once

#include "core/str.h"

struct str agent_name(struct arena *arena, struct str user_agent);
