/* YAML (and so JSON) files that people write: a tree that knows its lines. */
#pragma once

#include "core/json.h"

struct yaml {
    enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP } kind;
    struct str text;         /* TEXT */
    bool plain;              /* TEXT without quotes: 1, true and null are no strings */
    int line;                /* from 1 */
    struct yaml *items;      /* LIST; MAP: the values */
    struct str *names;       /* MAP */
    int *name_lines;
    size_t n;
};

/* NULL: *why is "line 3: …". Anchors are followed; at most a hundred thousand nodes, 100 levels, no name twice. */
const struct yaml *yaml_parse(struct arena *arena, struct str text, struct str *why);
const struct yaml *yaml_get(const struct yaml *map, const char *name); /* NULL: none, or no map */
/* As JSON: plain scalars are what YAML's core schema makes of them. Owned by the arena. */
json_t *yaml_json(struct arena *arena, const struct yaml *node);
