/* What the REST API operations do not do, said in tables: wire/ refuses the first, `gatehouse
 * capabilities` shows both. */
#pragma once

/* struct registered's `refused`: members that nothing enforces yet. */
extern const char *const apigateway_refused[];
/* Members that are stored because AWS's recordings need them, though nothing acts on them yet; each
 * with what to know. NULL-terminated. Keep it short: a member belongs into the other list. */
extern const char *const apigateway_accepted[];
