/* What a person can set, each as a flag, an environment variable and a line of the config file.
 * Stronger first: flag, GATEHOUSE_… variable, file, default. */
#pragma once

#include "admin/audit/log.h"
#include "core/log.h"
#include "core/smtp.h"
#include "core/str.h"
#include "gateway/backend/outside.h"

enum { OPTIONS_MAX = 64 };

struct options {
    enum { MODE_DEV, MODE_SERVE } mode;
    struct str data;        /* folder */
    struct str addr;        /* without port */
    uint16_t port;          /* 0: kernel chooses */
    struct str tls_addr;    /* absent: no HTTPS */
    uint16_t tls_port;
    struct str certificates, truststores; /* folders; default below data */
    struct str compromised_passwords; /* file or folder; absent: none */
    struct str region, account;
    struct str base_url;    /* what the outside calls us; default from addr and port */
    int workers;            /* loops of the data plane */
    size_t cache_bytes;     /* of all stages' response caches together */
    int ready_fd;           /* -1: none */
    double account_rate;    /* requests a second of all REST APIs of an account and region; 0: no limit */
    int64_t account_burst;  /* of the same; the bucket's size */
    struct smtp_server smtp;
    struct str sms_hook;    /* a URL; or absent */
    struct gw_outside outside; /* backends, endpoints of AWS's services */
    enum { ENFORCE_ISSUED,  /* dev mode: a key that was never issued is root */
           ENFORCE_SOFT,    /* and denials of principals are written down instead (identity/access/enforcement.h) */
           ENFORCE_ALL } enforce; /* unknown keys are refused, too; serve mode: always */
    enum audit_mode audit;
    struct str audit_dir;      /* folder; default below data */
    int64_t audit_keep_days;   /* 0: for ever */
    bool aws_limits;        /* AWS's quotas hold (29 s, 10 MB, 10,240 bytes of headers, 10,000 requests a second) */
    bool sandbox;           /* functions run inside bubblewrap when the kernel allows it */
    enum log_level log_level;

    int argc;               /* what it was read from, to read it again */
    char **argv;
    uint64_t said[OPTIONS_MAX]; /* a hash of what each option was set to */
};

/* Fills `out` from defaults, file, environment and argv (after the verb). False: *why names the
 * option and where it was set; print it and exit with 1.  */
bool options_read(struct options *out, int argc, char **argv, struct arena *arena, struct str *why);
/* Reads the same again, as file and environment are now: what can change while the server runs is changed in
 * `live` (the log level), *restart names the rest that was changed. False: *why, and nothing is. */
bool options_reload(struct options *live, struct arena *arena, struct str *restart, struct str *why);
/* The table for `gatehouse help`. */
void options_print_help(void);
