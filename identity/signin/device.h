/* Devices of users: confirmed by their owner with a password of their own (an SRP verifier), then known at
 * sign-ins that name them (DEVICE_KEY), and where the user wants them remembered, asked for that password.
 *
 * "ChallengeRequiredOnNewDevice: when true, a remembered device can sign in with device authentication
 * instead of SMS and TOTP factors for MFA." */
#pragma once

#include "identity/signin/sign_in.h"
#include "identity/store/device.h"

/* Pools with a DeviceConfiguration track devices, whatever it says. */
static inline const struct idp_DeviceConfigurationType *pool_devices(const struct pool *pool)
{
    return pool->doc->device_configuration; /* NULL: not tracked */
}

/* ResourceNotFoundException, "Device does not exist." */
gh_err device_load(struct call *call, const struct pool *pool, const struct user *user, struct str key,
                   struct device *out);
/* "-" and eight characters, the same for all devices of a user. */
struct str device_group(struct call *call, const struct pool *pool, struct str sub);
struct str device_seal_verifier(struct call *call, const struct device *device, struct str verifier);
struct str device_open_verifier(struct call *call, const struct device *device); /* absent: damaged */

/* ---- for the engine: device_srp.c ---- */
/* Which device the tokens are for, before they are made: the one that was named, or a new one ("non-admin
 * sign-ins without a known DEVICE_KEY return NewDeviceMetadata"). */
void device_settle(struct sign_in *s);
void device_used(const struct sign_in *s, struct tx *tx);
struct idp_NewDeviceMetadataType *device_metadata(const struct sign_in *s); /* NULL: it is not new */
