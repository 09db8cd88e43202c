/* One loop for the tests of core/'s network files. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/env.h"
#include "core/loop.h"

static struct env net_env;
static struct loop *net_the_loop;

static inline struct loop *net_loop(void)
{
    return net_the_loop;
}

static inline int net_setup(void **state)
{
    (void)state;
    env_system(&net_env);
    net_the_loop = loop_new(&net_env);
    return net_the_loop ? 0 : -1;
}

static inline int net_teardown(void **state)
{
    (void)state;
    loop_free(net_the_loop);
    return 0;
}
