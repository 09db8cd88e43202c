/* Virtual MFA devices: is this the code that one shows now? */
#pragma once

#include "identity/iam/iam.h"
#include "identity/store/mfa_device.h"

/* Does who calls have his device with him? The code is used up: "it cannot be used again", nor can one that was
 * shown before it. After five wrong ones the next are not judged for a second, two, four, … at most 15 minutes.
 *   owner_id  credential->owner: a user's id, or the account for its root. Whose sessions have none, roles,
 *             have no devices either
 *   serial    SerialNumber as sent: the ARN of a virtual device
 *   code      TokenCode as sent
 * Blocks on the database: job threads. Errors: AccessDenied in STS's words, the same for a wrong code, a used one
 * and one that is not judged; another for a device that is none of the owner's. */
gh_err mfa_device_check(struct call *call, struct str owner_id, struct str serial, struct str code);

/* Wrong guesses at something of `failures` so far, the last at failed_us: may another be judged? Past failures are
 * forgotten (0) when nobody has tried for a quarter of an hour since the wait was over. */
bool guesses_allow(int64_t *failures, int64_t failed_us, int64_t now_us);

/* A user whose device stands already, and who calls for himself: a session that was opened with it is needed to add or
 * remove one, or a stolen key could do without. Errors: AccessDenied. */
gh_err mfa_require_present(struct call *call, struct tx *tx, struct str owner_id);
/* The device of a serial number in the caller's account. Errors: NoSuchEntity, ValidationError (a security key). */
gh_err mfa_device_load(struct call *call, struct tx *tx, struct str serial, struct mfa_device *out);
