#pragma once

#include "wire/describer.h"

extern const struct describer function_describer;
