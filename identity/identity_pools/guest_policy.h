/* What guests' credentials are held to in the enhanced flow, whatever their role says: a session policy. */
#pragma once

#include "core/str.h"

extern const struct str guest_session_policy; /* a policy document */
