/* Whatever is examined, each finding is about a piece of the document. */
#include "policy/lint/lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(16 * 1024);
    struct str document = { (const char *)data, size };
    for (int use = 0; use < POLICY_USES; use++) {
        struct policy_finding *findings;
        size_t n = policy_lint(arena, (enum policy_use)use, document, &findings);
        for (size_t i = 0; i < n; i++)
            if (findings[i].spot.offset > findings[i].spot.end || findings[i].spot.end > size)
                __builtin_trap();
    }
    arena_free(arena);
    return 0;
}
