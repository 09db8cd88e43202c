/* Structured logs: one JSON object a line on standard error.
 *
 *   log_info("listening", "addr", addr, "workers", workers_str, NULL-free pairs …)
 *
 * Values are strings; everything is escaped, so a CR or an ANSI code stays inside its line.
 * Never pass secrets: there is no way to log a struct secret. */
#pragma once

#include "core/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *name;
    struct str value;
};

void log_set_level(enum log_level level);
void log_write(enum log_level level, const char *message, const struct log_field *fields, size_t n);

#define LOG_FIELDS(...) ((const struct log_field[]){ __VA_ARGS__ })
/* log_at(LOG_WARN, "upstream refused", { "host", host }, { "error", str_of(strerror(e)) }) */
#define log_at(level, message, ...)                                                  \
    log_write((level), (message), LOG_FIELDS(__VA_ARGS__),                           \
              sizeof(LOG_FIELDS(__VA_ARGS__)) / sizeof(struct log_field))
#define log_plain(level, message) log_write((level), (message), NULL, 0)
