/* How callers name functions: NAME, NAME:QUAL, ACCOUNT:function:NAME[:QUAL], whole ARNs. */
#pragma once

#include "core/str.h"

struct function_name {
    struct str partition, region, account; /* absent: not given */
    struct str name;
    struct str qualifier;                  /* absent: not given */
};

/* Views into `text`. False: it is none of the forms. Characters are checked too. */
bool function_name_parse(struct str text, struct function_name *out);
