/* What changes for whom when one policy document takes another's place.
 *
 * Both are asked the same requests: every action that either names (of services that are known: each that its
 * patterns cover), on every resource that either names, without context and with a context that meets the conditions
 * of each statement. So a difference that is told is one; of values that neither document names nothing is told. */
#pragma once

#include "policy/eval.h"

struct policy_change {
    enum policy_effect before, after;
    struct str resource;       /* as the document writes it */
    struct str when;           /* "aws:SourceIp 10.0.0.0": the context; absent: none was needed */
    const struct str *actions; /* "lambda:GetFunction"; "other:Action" stands for every action of no known service */
    size_t n_actions;
    struct policy_position place; /* of the statement that decides: in the new document when it allows or denies
                                     there, else in the old one; line 0: none does */
};
struct policy_comparison {
    const struct policy_change *changes;
    size_t n;
    const struct str *untried; /* conditions that no request could be made for, in words */
    size_t n_untried;
};

/* Both documents are for one use. False: *why, of either. */
bool policy_compare(struct arena *arena, enum policy_use use, struct str before, struct str after,
                    struct policy_comparison *out, struct str *why);
