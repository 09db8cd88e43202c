/* "Click here" instead of a code: the address that confirms a user who signed up. */
#pragma once

#include "identity/pools/client.h"

/* "{ConfirmUser page}?client_id=…&user_name=…&confirmation_code=…", as Cognito's links look. */
struct str confirmation_link(struct call *call, const struct client *client, struct str username,
                             struct str code);
