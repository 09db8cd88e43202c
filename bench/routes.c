/* What a look-up costs among ten routes and among ten thousand: prints both in nanoseconds.
 *
 * The paths asked for are ten thousand strings in either case, in random order, so that reading them
 * costs the same; what differs is the table behind. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/arena.h"
#include "gateway/route.h"

enum { MANY = 10000, ROUNDS = 200 };

static struct str path_of(struct arena *arena, int i, bool pattern)
{
    return str_printf(arena, i % 2 ? "/service-%d/items-%d/%s" : "/service-%d/items-%d/%s/detail", i / 100, i % 100,
                      pattern ? "{id}" : "1234");
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double measure(int n)
{
    struct arena *arena = arena_new(1 << 20);
    struct route *root = route_new(arena);
    struct str *paths = ARENA_ARRAY(arena, struct str, MANY);
    const char *why = NULL;
    static char methods[MANY];
    for (int i = 0; i < n; i++)
        if (!route_add(root, path_of(arena, i, true), STR("GET"), (struct gw_method *)(void *)&methods[i], &why))
            exit(1);
    route_seal(arena, root);
    srand(1);
    for (int i = 0; i < MANY; i++)
        paths[i] = path_of(arena, rand() % n, false);
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double begun = now_ns();
        for (int i = 0; i < MANY; i++) {
            struct route_match match;
            route_find(root, STR("GET"), paths[i], &match);
            if (!match.method)
                exit(1);
        }
        double took = (now_ns() - begun) / MANY;
        best = took < best ? took : best;
    }
    arena_free(arena);
    return best;
}

int main(void)
{
    measure(10);
    printf("%.1f %.1f\n", measure(10), measure(MANY));
    return 0;
}
