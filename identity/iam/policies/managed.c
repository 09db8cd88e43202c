#include "identity/iam/policies/managed.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/arena.h"
#include "core/embed.h"
#include "core/map.h"
#include "core/time.h"

#define FOLDER "identity/iam/policies/aws"

/* Read from the index at the first use, and kept. */
static struct {
    struct map *by_arn; /* ARN -> struct managed_policy */
    struct managed_policy *items;
    size_t n;
} all;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A line: "/path/Name v4 CREATED UPDATED Description in words". */
static bool read_line(struct arena *arena, struct str line, struct managed_policy *out)
{
    struct str where, version, created, updated;
    double created_s, updated_s;
    if (!str_split(&line, ' ', &where) || !str_split(&line, ' ', &version) || !str_split(&line, ' ', &created) ||
        !str_split(&line, ' ', &updated) || !str_i64(str_from(version, 1), &out->version) ||
        !time_parse_iso8601(created, &created_s) || !time_parse_iso8601(updated, &updated_s))
        return false;
    size_t slash = (size_t)str_find_last(where, '/');
    out->arn = str_concat(arena, STR("arn:aws:iam::aws:policy"), where);
    out->path = str_c(arena, str_sub(where, 0, slash + 1));
    out->name = str_c(arena, str_from(where, slash + 1));
    out->description = str_c(arena, line.ptr ? line : STR(""));
    out->created_us = (int64_t)created_s * 1000000;
    out->updated_us = (int64_t)updated_s * 1000000;
    return true;
}

static void read_index(struct arena *arena, struct str index)
{
    struct str line;
    while (index.len && str_split(&index, '\n', &line) && line.len) {
        struct managed_policy *policy = &all.items[all.n];
        if (!read_line(arena, line, policy))
            abort(); /* a file of ours: the unit test reads every line */
        map_set(all.by_arn, policy->arn, policy);
        all.n++;
    }
}

static void read_all(void)
{
    struct arena *arena = arena_new(64 * 1024); /* for as long as the process lives */
    size_t files = 0;
    struct str folder = STR(FOLDER), end = STR(".json");
    while (embedded_managed[files].path)
        files++;
    all.by_arn = map_new();
    all.items = ARENA_ARRAY(arena, struct managed_policy, files);
    for (size_t i = 0; i < files; i++)
        if (strcmp(embedded_managed[i].path, FOLDER "/index.txt") == 0)
            read_index(arena, (struct str){ embedded_managed[i].bytes, embedded_managed[i].len });
    for (size_t i = 0; i < files; i++) {
        struct str path = str_from(str_of(embedded_managed[i].path), folder.len);
        if (!str_ends(path, end))
            continue;
        struct managed_policy *policy = map_get(all.by_arn, str_concat(arena, STR("arn:aws:iam::aws:policy"),
                                                                      str_sub(path, 0, path.len - end.len)));
        if (policy)
            policy->document = embedded_managed[i].bytes;
    }
}

const struct managed_policy *managed_find(struct str arn)
{
    if (!str_starts(arn, STR("arn:aws:iam::aws:policy/")))
        return NULL;
    pthread_once(&once, read_all);
    return map_get(all.by_arn, arn);
}

size_t managed_count(void)
{
    pthread_once(&once, read_all);
    return all.n;
}

const struct managed_policy *managed_at(size_t index)
{
    pthread_once(&once, read_all);
    return &all.items[index];
}
