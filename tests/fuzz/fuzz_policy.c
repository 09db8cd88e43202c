/* Policy documents come from whoever may write one. Whatever compiles decides without harm, an
 * explicit deny of everything beside it always wins, and the deciding statement can be found. */
#include "policy/eval.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024);
    struct str document = { (const char *)data, size }, why, *names;
    const struct str star = STR("*");
    const struct policy_key keys[] = { { STR("aws:username"), &star, 1 }, { STR("aws:SourceIp"), &document, 1 } };
    struct policy_request request = { .principal_arn = STR("arn:aws:iam::1:user/x"), .account = STR("000000000001"),
                                      .action = STR("s3:GetObject"), .resource = STR("arn:aws:s3:::b/x"),
                                      .keys = keys, .n_keys = 2 };
    for (int use = 0; use < POLICY_USES; use++) {
        struct policy_set *set = policy_set_new();
        struct policy_decision decision;
        struct policy_position start, end;
        if (policy_set_add(set, (enum policy_use)use, STR("fuzz"), document, arena, &why)) {
            policy_set_decide(arena, set, "identity-based policy", &request, &decision);
            policy_denial(arena, &request, &decision);
            if (decision.statement >= 0 && !policy_locate(decision.document, decision.statement, &start, &end))
                __builtin_trap();
            policy_set_keys(set, arena, &names);
            policy_set_principals(set, arena, &names);
            policy_set_add(set, POLICY_AUTHORIZER, STR("no"),
                           STR("{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}"), arena, &why);
            if (policy_set_decide(arena, set, "", &request, &decision) != POLICY_EXPLICIT_DENY)
                __builtin_trap();
        }
        policy_set_free(set);
    }
    arena_free(arena);
    return 0;
}
