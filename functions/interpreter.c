#include "functions/interpreter.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/proc.h"

enum { PROBE_MS = 10000 };

/* What AWS accepts today for the languages we speak; "provided" brings its own program. */
static struct interpreter all[] = {
    { "nodejs16.x", "bootstrap.mjs" }, { "nodejs18.x", "bootstrap.mjs" }, { "nodejs20.x", "bootstrap.mjs" },
    { "nodejs22.x", "bootstrap.mjs" }, { "nodejs24.x", "bootstrap.mjs" },
    { "python3.8", "bootstrap.py" },   { "python3.9", "bootstrap.py" },   { "python3.10", "bootstrap.py" },
    { "python3.11", "bootstrap.py" },  { "python3.12", "bootstrap.py" },  { "python3.13", "bootstrap.py" },
    { "python3.14", "bootstrap.py" },
    { "provided.al2", NULL },          { "provided.al2023", NULL },
};

static const struct family {
    const char *prefix, *program, *flag, *script; /* prints version, then the folder it lives in */
    bool exact;                                   /* "python3.12" is looked for before "python3" */
} families[] = {
    { "nodejs", "node", "-e",
      "const p=require('path');console.log(process.version+'\\n'+p.dirname(p.dirname(process.execPath)))", false },
    { "python3", "python3", "-c",
      "import sys; print(sys.version.split()[0]); print(sys.base_prefix)", true },
};

static bool which(const char *program, char *out, size_t cap);
static bool ask(struct interpreter *one, const struct family *family, const struct env *env);
static bool learn(struct interpreter *one, const struct family *family, const struct env *env);
static const struct interpreter *asked_before(const struct interpreter *one);

void interpreters_find(const struct env *env)
{
    for (size_t i = 0; i < COUNT(all); i++) {
        struct interpreter *one = &all[i];
        if (!one->bootstrap) {
            one->found = true;
            continue;
        }
        for (size_t k = 0; k < COUNT(families); k++) {
            const struct family *family = &families[k];
            if (strncmp(one->runtime, family->prefix, strlen(family->prefix)) != 0)
                continue;
            one->found = (family->exact && which(one->runtime, one->path, sizeof one->path) && learn(one, family, env)) ||
                         (which(family->program, one->path, sizeof one->path) && learn(one, family, env));
        }
    }
}

const struct interpreter *interpreter_for(struct str runtime)
{
    for (size_t i = 0; i < COUNT(all); i++)
        if (str_is(runtime, all[i].runtime))
            return &all[i];
    return NULL;
}

json_t *interpreters_describe(void)
{
    json_t *out = json_object();
    for (size_t i = 0; i < COUNT(all); i++) {
        if (!all[i].found)
            continue;
        json_t *one = json_object();
        json_set_str(one, "path", all[i].bootstrap ? str_of(all[i].path) : STR("bootstrap of the package"));
        if (all[i].bootstrap)
            json_set_str(one, "version", str_of(all[i].version));
        json_object_set_new(out, all[i].runtime, one);
    }
    return out;
}

/* The system's own places come first: what stands below /usr is seen in the sandbox anyway. */
static bool which(const char *program, char *out, size_t cap)
{
    const char *path = getenv("PATH");
    char places[4096], resolved[PATH_MAX];
    snprintf(places, sizeof places, "/usr/bin:/usr/local/bin:/bin:%s", path ? path : "");
    for (char *save, *place = strtok_r(places, ":", &save); place; place = strtok_r(NULL, ":", &save)) {
        char candidate[PATH_MAX];
        snprintf(candidate, sizeof candidate, "%s/%s", place, program);
        /* pyenv's and nodenv's shims start another program, by settings that the sandbox does not have. */
        bool shims = strlen(place) > 6 && strcmp(place + strlen(place) - 6, "/shims") == 0;
        if (shims || place[0] != '/' || access(candidate, X_OK) != 0 || !realpath(candidate, resolved))
            continue;
        if (strlen(resolved) < cap) {
            memcpy(out, resolved, strlen(resolved) + 1);
            return true;
        }
    }
    return false;
}

static bool learn(struct interpreter *one, const struct family *family, const struct env *env)
{
    const struct interpreter *known = asked_before(one);
    if (!known)
        return ask(one, family, env);
    memcpy(one->version, known->version, sizeof one->version);
    memcpy(one->prefix, known->prefix, sizeof one->prefix);
    return true;
}

static const struct interpreter *asked_before(const struct interpreter *one)
{
    for (const struct interpreter *at = all; at < one; at++)
        if (at->found && at->bootstrap && strcmp(at->path, one->path) == 0)
            return at;
    return NULL;
}

static bool ask(struct interpreter *one, const struct family *family, const struct env *env)
{
    const char *const argv[] = { one->path, family->flag, family->script, NULL };
    const char *const envp[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", NULL };
    struct proc_spec spec = { .argv = argv, .envp = envp, .out_fd = -1 };
    char text[1024];
    size_t len;
    if (!proc_output(&spec, env, PROBE_MS, text, sizeof text, &len))
        return false;
    struct str rest = { text, len }, version, prefix = STR_NONE;
    if (!str_split(&rest, '\n', &version) || !str_split(&rest, '\n', &prefix))
        return false;
    bool below_usr = str_is(prefix, "/usr") || str_starts(prefix, STR("/usr/")) || str_is(prefix, "/");
    snprintf(one->version, sizeof one->version, "%.*s", STR_FMT(version));
    snprintf(one->prefix, sizeof one->prefix, "%.*s", below_usr ? 0 : (int)prefix.len, prefix.ptr);
    return true;
}
