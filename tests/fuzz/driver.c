/* Stands in for libFuzzer where clang is not installed: a slice of fuzzing for the suite.
 * usage: fuzz_X [-runs=N] [FOLDER|FILE…]. Gives the target each seed, then N mutations of them;
 * the same N always gives the same inputs, so what fails once fails again. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SEEDS = 512, MAX_SIZE = 8192 };

static struct seed {
    uint8_t *data;
    size_t size;
} seeds[MAX_SEEDS];
static size_t n_seeds;
static uint64_t state = 0x9e3779b97f4a7c15u;

/* xorshift64*: repeatable, and good enough to pick bytes. */
static size_t below(size_t limit)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return limit ? (size_t)((state * 0x2545f4914f6cdd1du) >> 33) % limit : 0;
}

static void add(const uint8_t *data, size_t size)
{
    if (n_seeds == MAX_SEEDS)
        return;
    struct seed *seed = &seeds[n_seeds++];
    seed->size = size < MAX_SIZE ? size : MAX_SIZE;
    seed->data = malloc(seed->size + 1);
    if (!seed->data)
        exit(1);
    memcpy(seed->data, data, seed->size);
}

static void read_seeds(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return;
    if (S_ISDIR(info.st_mode)) {
        struct dirent **entries;
        int n = scandir(path, &entries, NULL, alphasort);
        for (int i = 0; i < n; i++) {
            char file[4096];
            snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
            if (entries[i]->d_name[0] != '.')
                read_seeds(file);
            free(entries[i]);
        }
        free(entries);
        return;
    }
    static uint8_t bytes[MAX_SIZE];
    FILE *file = fopen(path, "rb");
    if (!file)
        return;
    add(bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
}

/* One change: a byte, a bit, a cut, a repeat, or the tail of another seed. */
static size_t change(uint8_t *data, size_t size)
{
    static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff, '"', '%', '/', '.', '=', '&', '\n', '\r', ' ', ':', ';', '{', '}', '[', ']', '\\', '+', '0', '9', '-' };
    size_t at = below(size), other;
    switch (below(6)) {
    case 0:
        if (size)
            data[at] = telling[below(sizeof telling)];
        return size;
    case 1:
        if (size)
            data[at] ^= (uint8_t)(1u << below(8));
        return size;
    case 2: /* cut */
        other = below(size - at + 1);
        memmove(data + at, data + at + other, size - at - other);
        return size - other;
    case 3: /* repeat */
        other = below(size - at + 1);
        if (size + other > MAX_SIZE)
            return size;
        memmove(data + at + other, data + at, size - at);
        return size + other;
    case 4: { /* another's tail */
        const struct seed *from = &seeds[below(n_seeds)];
        other = below(from->size + 1);
        size_t n = from->size - other < MAX_SIZE - at ? from->size - other : MAX_SIZE - at;
        memcpy(data + at, from->data + other, n);
        return at + n;
    }
    default: /* insert */
        if (size == MAX_SIZE)
            return size;
        memmove(data + at + 1, data + at, size - at);
        data[at] = telling[below(sizeof telling)];
        return size + 1;
    }
}

/* An allocation of exactly the input's size, so that ASan sees a read past its end. */
static void give(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        exit(1);
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

int main(int argc, char **argv)
{
    long runs = 20000;
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "-runs=", 6) == 0)
            runs = atol(argv[i] + 6);
        else
            read_seeds(argv[i]);
    }
    size_t given = n_seeds;
    if (given == 0)
        add((const uint8_t *)"", 0);
    for (size_t i = 0; i < n_seeds; i++)
        give(seeds[i].data, seeds[i].size);
    static uint8_t data[MAX_SIZE + 1];
    for (long run = 0; run < runs; run++) {
        const struct seed *seed = &seeds[below(n_seeds)];
        size_t size = seed->size;
        memcpy(data, seed->data, size);
        for (size_t n = 1 + below(8); n > 0; n--)
            size = change(data, size);
        give(data, size);
    }
    printf("%zu seeds, %ld mutations\n", given, runs);
    for (size_t i = 0; i < n_seeds; i++)
        free(seeds[i].data);
    return 0;
}
