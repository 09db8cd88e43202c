/* What deciding and compiling policies costs: prints nanoseconds, as JSON.
 *
 *   few      a principal with 20 typical statements asks for one of the last
 *   many     a principal with 1,000 statements, of which 5 can match
 *   compile  a document of 6 KiB, read, checked and indexed
 *   decide   the decisions themselves, for the peer beside to agree with */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/eval.h"

enum { ROUNDS = 15, TIMES = 20000 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct policy_set *set_of(struct arena *arena, struct str document)
{
    struct policy_set *set = policy_set_new();
    struct str why;
    if (!policy_set_add(set, POLICY_IDENTITY, STR("bench"), document, arena, &why)) {
        fprintf(stderr, "%.*s\n", STR_FMT(why));
        exit(1);
    }
    return set;
}

static struct str read_file(struct arena *arena, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        exit(1);
    char *text = arena_alloc(arena, 1 << 20, 1);
    size_t n = fread(text, 1, 1 << 20, file);
    fclose(file);
    return (struct str){ text, n };
}

static double decide_ns(const struct policy_set *set, const struct policy_request *request)
{
    struct arena *arena = arena_new(64 * 1024);
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        struct policy_decision decision;
        double begun = now_ns();
        for (int i = 0; i < TIMES; i++) {
            policy_decide(arena, &(struct policy_layers){ .identity = set }, request, &decision);
            if (decision.effect != POLICY_ALLOW)
                exit(2);
            arena_reset(arena);
        }
        double took = (now_ns() - begun) / TIMES;
        best = took < best ? took : best;
    }
    arena_free(arena);
    return best;
}

static double compile_ns(struct str document)
{
    struct arena *arena = arena_new(256 * 1024);
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double begun = now_ns();
        for (int i = 0; i < TIMES / 100; i++) {
            policy_set_free(set_of(arena, document));
            arena_reset(arena);
        }
        double took = (now_ns() - begun) / (TIMES / 100);
        best = took < best ? took : best;
    }
    arena_free(arena);
    return best;
}

/* policy.mjs writes the documents: FEW MANY SIXKIB */
int main(int argc, char **argv)
{
    if (argc != 4)
        return 1;
    struct arena *arena = arena_new(4 << 20);
    const struct policy_key keys[] = {
        { STR("aws:username"), &STR("ann"), 1 },         { STR("aws:SourceIp"), &STR("10.1.2.3"), 1 },
        { STR("aws:SecureTransport"), &STR("true"), 1 }, { STR("aws:PrincipalTag/team"), &STR("pets"), 1 },
        { STR("aws:RequestedRegion"), &STR("us-east-1"), 1 },
    };
    struct policy_request few = { .principal_arn = STR("arn:aws:iam::000000000000:user/ann"), .account = STR("000000000000"),
                                  .action = STR("execute-api:Invoke"),
                                  .resource = STR("arn:aws:execute-api:us-east-1:000000000000:api19/dev/GET/pets/7"),
                                  .keys = keys, .n_keys = COUNT(keys) };
    struct policy_request many = few;
    many.resource = STR("arn:aws:execute-api:us-east-1:000000000000:api500/dev/GET/pets/7");
    struct str document = read_file(arena, argv[3]);
    printf("{\"few\":%.0f,\"many\":%.0f,\"compile\":%.0f,\"bytes\":%zu}\n",
           decide_ns(set_of(arena, read_file(arena, argv[1])), &few),
           decide_ns(set_of(arena, read_file(arena, argv[2])), &many), compile_ns(document), document.len);
    return 0;
}
