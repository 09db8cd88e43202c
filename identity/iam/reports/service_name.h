/* What AWS calls its services: "iam" is "AWS Identity and Access Management". */
#pragma once

#include "core/str.h"

struct str service_name(struct str namespace); /* the namespace itself when it is not known here */
/* The services that a policy for everything reaches, by namespace. */
size_t service_count(void);
struct str service_at(size_t i);
