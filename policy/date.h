/* Dates as policies write them: ISO 8601 (W3C profile) or seconds since 1970. */
#pragma once

#include "core/str.h"

struct date {
    int64_t s;
    int32_t ns;
};
bool date_parse(struct str text, struct date *out);
int date_cmp(struct date a, struct date b);
