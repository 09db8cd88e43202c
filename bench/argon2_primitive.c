/* What a password sign-in cannot do without: one argon2id of the program's own parameters (core/password.c). Prints the
 * microseconds of CPU that one takes. */
#include <argon2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { ROUNDS = 20, MEMORY_KIB = 19456, PASSES = 2, LANES = 1 };

static double cpu_us(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

int main(void)
{
    unsigned char salt[16] = { 1 }, hash[32];
    double begun = 0;
    for (int i = -1; i < ROUNDS; i++) { /* the first one warms up */
        if (i == 0)
            begun = cpu_us();
        if (argon2id_hash_raw(PASSES, MEMORY_KIB, LANES, "Engine-1843!", 12, salt, sizeof salt, hash, sizeof hash) !=
            ARGON2_OK)
            abort();
    }
    printf("%.1f\n", (cpu_us() - begun) / ROUNDS);
    return 0;
}
