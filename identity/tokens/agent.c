#include "identity/tokens/agent.h"

struct word {
    const char *in, *is;
};

/* In this order: many claim to be those further down. */
static const struct word browsers[] = {
    { "Edg/", "Edge" },        { "EdgA/", "Edge" },
    { "OPR/", "Opera" },       { "SamsungBrowser/", "Samsung Internet" },
    { "Firefox/", "Firefox" }, { "FxiOS/", "Firefox" },
    { "CriOS/", "Chrome" },    { "Chrome/", "Chrome" },
    { "Safari/", "Safari" },
};
static const struct word systems[] = {
    { "iPhone", "iPhone" }, { "iPad", "iPad" },      { "Android", "Android" }, { "Windows", "Windows" },
    { "CrOS", "ChromeOS" }, { "Mac OS X", "macOS" }, { "Linux", "Linux" },
};

static const char *look(const struct word *words, size_t n, struct str text)
{
    for (size_t i = 0; i < n; i++)
        if (str_find_str(text, str_of(words[i].in)) >= 0)
            return words[i].is;
    return NULL;
}

/* The first product's name: "aws-cli/2.15 ..." is "aws-cli". */
static struct str product(struct arena *arena, struct str agent)
{
    size_t n = 0;
    while (n < agent.len && n < 64 && agent.ptr[n] > ' ' && agent.ptr[n] < 0x7f && agent.ptr[n] != '/')
        n++;
    return n ? str_copy(arena, str_sub(agent, 0, n)) : STR("unknown");
}

struct str agent_name(struct arena *arena, struct str user_agent)
{
    const char *browser = look(browsers, COUNT(browsers), user_agent);
    const char *system = look(systems, COUNT(systems), user_agent);
    if (!str_starts(user_agent, STR("Mozilla/")))
        return product(arena, user_agent);
    if (browser && system)
        return str_printf(arena, "%s on %s", browser, system);
    return browser || system ? str_of(browser ? browser : system) : STR("unknown");
}
