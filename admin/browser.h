/* Which pages may speak to this server from a browser.
 *
 * Dev mode trusts whoever reaches it, so a page of another site, open in a browser on the same
 * machine, must not: any key is root there. In serve mode each call is signed by a known key or
 * public, and nothing is authorised by cookies, so any page may call. */
#pragma once

#include "core/http_server.h"

/* True when a page that is not on this machine sent the request: by its Origin, or, where a
 * browser sends none (an image, a link), by Sec-Fetch-Site. */
bool browser_is_foreign(const struct http_exchange *x);
/* True when Host names this machine; a rebound DNS name of somebody else does not. */
bool browser_host_is_local(struct str host);
