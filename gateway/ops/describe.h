/* What policies may ask of an API Gateway resource as it is: aws:ResourceTag/K, apigateway:Resource/X. */
#pragma once

#include "wire/describer.h"

extern const struct describer gateway_describer;
