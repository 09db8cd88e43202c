/* Reads the public test vectors (../shared/vectors); a missing file fails the test. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "core/base64.h"
#include "core/json.h"

static inline json_t *vector_json(struct arena *arena, const char *path)
{
    char full[1024];
    snprintf(full, sizeof full, VECTORS "/%s", path);
    json_error_t error;
    json_t *value = json_load_file(full, JSON_ALLOW_NUL, &error);
    if (!value)
        fail_msg("%s: %s", full, error.text);
    return json_own(arena, value);
}

static inline struct str vector_hex(struct arena *arena, const json_t *object, const char *name)
{
    struct str bytes;
    if (!hex_decode(arena, json_str(object, name), &bytes))
        fail_msg("%s is not hex", name);
    return bytes;
}
