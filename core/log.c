#include "core/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/json.h"

static _Atomic int threshold = LOG_INFO;
static const char *const level_names[] = { "debug", "info", "warn", "error" };

void log_set_level(enum log_level level)
{
    threshold = (int)level;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n)
{
    if ((int)level < threshold)
        return;
    struct arena *arena = arena_new(1024);
    struct strbuf line = strbuf_in(arena, 256);
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strbuf_printf(&line, "{\"time\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"level\":\"%s\",\"msg\":",
                  utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                  now.tv_nsec / 1000000, level_names[level]);
    json_quote(&line, str_of(message));
    for (size_t i = 0; i < n; i++) {
        strbuf_char(&line, ',');
        json_quote(&line, str_of(fields[i].name));
        strbuf_char(&line, ':');
        json_quote(&line, fields[i].value);
    }
    strbuf_add(&line, STR("}\n"));
    struct str text = strbuf_view(&line);
    while (text.len > 0) { /* one write a line, so that lines of threads don't mix */
        ssize_t wrote = write(STDERR_FILENO, text.ptr, text.len);
        if (wrote <= 0)
            break;
        text = str_from(text, (size_t)wrote);
    }
    arena_free(arena);
}
