/* The verbs that talk to a running Gatehouse. Each is a client of the management API, not a
 * second way in. They return the exit code: 0, or 1 after saying why on standard error. */
#pragma once

#include "admin/options.h"

int cli_api(int argc, char **argv);
int cli_pool(int argc, char **argv);
int cli_token(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_env(int argc, char **argv);
int cli_capabilities(int argc, char **argv);
/* What `up` prints when it is ready. */
void cli_greet(const struct options *options);
