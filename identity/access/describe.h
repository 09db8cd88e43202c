/* What policies may ask of a resource as it is: aws:ResourceTag/K of user pools and identity pools. IAM's own
 * objects are read in identity/iam/resource.c, with every decision on them. */
#pragma once

#include "wire/describer.h"

extern const struct describer user_pool_describer, identity_pool_describer;
