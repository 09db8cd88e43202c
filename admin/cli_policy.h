/* The verbs of `gatehouse policy`: about documents, offline, and about what a running Gatehouse decides. */
#pragma once

#include "admin/cli.h"
#include "core/json.h"
#include "policy/eval.h"

int cli_policy_explain(int argc, char **argv); /* 0: allowed, 2: denied */
int cli_policy_check(int argc, char **argv); /* 2: there are findings that stop it */
int cli_policy_test(int argc, char **argv);  /* 1: a case failed, or there is none */
int cli_policy_diff(int argc, char **argv);  /* 2: there are differences */
int cli_policy_denials(int argc, char **argv);
int cli_policy_suggest(int argc, char **argv);

/* --type's word: "identity", "resource", "trust", "service-control", "resource-control". False after saying
 * so. */
bool cli_policy_use(const char *word, enum policy_use *use);
/* The file's text, as the document of one policy. Absent after saying why. */
struct str cli_policy_file(struct arena *arena, const char *path);
/* {"name", "document"} as policy/order.h takes it; the document stays text, so that lines and columns are those of the
 * file. NULL after saying why. */
json_t *cli_policy_named(struct arena *arena, const char *path);
