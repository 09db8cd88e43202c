#include "admin/options.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/map.h"
#include "core/uri.h"

static bool set_data(struct options *o, struct arena *a, struct str v);
static bool set_listen(struct options *o, struct arena *a, struct str v);
static bool set_listen_tls(struct options *o, struct arena *a, struct str v);
static bool set_certificates(struct options *o, struct arena *a, struct str v);
static bool set_truststores(struct options *o, struct arena *a, struct str v);
static bool set_region(struct options *o, struct arena *a, struct str v);
static bool set_account(struct options *o, struct arena *a, struct str v);
static bool set_base_url(struct options *o, struct arena *a, struct str v);
static bool set_workers(struct options *o, struct arena *a, struct str v);
static bool set_cache_memory(struct options *o, struct arena *a, struct str v);
static bool set_ready_fd(struct options *o, struct arena *a, struct str v);
static bool set_enforce(struct options *o, struct arena *a, struct str v);
static bool set_limits(struct options *o, struct arena *a, struct str v);
static bool set_no_sandbox(struct options *o, struct arena *a, struct str v);
static bool set_account_rate(struct options *o, struct arena *a, struct str v);
static bool set_account_burst(struct options *o, struct arena *a, struct str v);
static bool set_log_level(struct options *o, struct arena *a, struct str v);
static bool set_audit(struct options *o, struct arena *a, struct str v);
static bool set_audit_dir(struct options *o, struct arena *a, struct str v);
static bool set_audit_keep(struct options *o, struct arena *a, struct str v);
static bool set_allow_backend(struct options *o, struct arena *a, struct str v);
static bool set_backend_ca(struct options *o, struct arena *a, struct str v);
static bool set_compromised(struct options *o, struct arena *a, struct str v);
static bool set_endpoint(struct options *o, struct arena *a, struct str v);
static bool set_vpc_link(struct options *o, struct arena *a, struct str v);
static bool set_smtp(struct options *o, struct arena *a, struct str v);
static bool set_smtp_ca(struct options *o, struct arena *a, struct str v);
static bool set_mail_from(struct options *o, struct arena *a, struct str v);
static bool set_sms(struct options *o, struct arena *a, struct str v);
static bool set_nothing(struct options *o, struct arena *a, struct str v);

static const struct option {
    const char *name;     /* --name, GATEHOUSE_NAME, "name = value" */
    const char *argument; /* NULL: a switch; in file and environment "true" or "false" */
    bool (*set)(struct options *o, struct arena *a, struct str value);
    const char *wants;
    const char *help;
} table[] = {
    { "data", "DIR", set_data, "a folder", "where everything is kept (default ./gatehouse-data)" },
    { "listen", "ADDR:PORT", set_listen, "an address and a port, such as 127.0.0.1:4566", "default 127.0.0.1:4566; port 0 lets the kernel choose" },
    { "listen-tls", "ADDR:PORT", set_listen_tls, "an address and a port, such as 127.0.0.1:4567", "HTTPS as well; certificates by the name that a client asks for" },
    { "certificates", "DIR", set_certificates, "a folder", "certificate NAME is NAME/cert.pem with key.pem there (default DATA/certificates)" },
    { "truststores", "DIR", set_truststores, "a folder", "s3://bucket/ca.pem of mutual TLS is bucket/ca.pem there (default DATA/truststores)" },
    { "region", "REGION", set_region, "a region such as us-east-1", "default us-east-1" },
    { "account", "ID", set_account, "12 digits", "default 000000000000" },
    { "base-url", "URL", set_base_url, "an http or https URL", "what the outside calls this server; default from --listen" },
    { "workers", "N", set_workers, "1 to 64", "event loops; default one a core, at most 4" },
    { "cache-memory", "SIZE", set_cache_memory, "a size such as 256M or 2G", "what all stages' response caches may hold together; default 256M" },
    { "ready-fd", "FD", set_ready_fd, "an open descriptor", "gets one byte when connections are accepted" },
    { "enforce", NULL, set_enforce, "true, false or soft",
      "dev mode: keys that were never issued are refused, not root; --enforce=soft: what policies would deny is let through and kept, "
      "see `gatehouse policy denials` and `policy suggest`" },
    { "limits", "open|aws", set_limits, "open or aws", "aws: API Gateway's quotas hold (29 s, 10 MB, 10,240 bytes of headers …) and Cognito's request rates; default open" },
    { "no-sandbox", NULL, set_no_sandbox, "true or false", "run functions without bubblewrap" },
    { "account-rate", "N", set_account_rate, "requests a second, 0 to 1000000000", "limit of all REST APIs of an account and region together (AWS: 10000); default 0: no limit" },
    { "account-burst", "N", set_account_burst, "1 to 1000000000", "how many of them at once (AWS and default: 5000)" },
    { "allow-backend", "CIDR…", set_allow_backend, "networks such as 10.1.0.0/16", "private networks that integrations may reach; may be said again" },
    { "backend-ca", "FILE", set_backend_ca, "a file", "PEM certificates that backends' certificates may come from, besides the system's" },
    { "compromised-passwords", "FILE", set_compromised, "a file or folder",
      "passwords that user pools may refuse: SHA-1 digests in order, a line each, or a folder of such lists by their first five digits" },
    { "endpoint", "SERVICE=URL…", set_endpoint, "an AWS service and an http or https URL, such as sqs=http://127.0.0.1:9324",
      "where integrations find it; http://KEY:SECRET@… signs with that key; may be said again" },
    { "vpc-link", "NAME|ARN=TARGETS", set_vpc_link, "a VPC link's name or target ARN and HOST:PORT or URLs, such as shop=10.0.0.1:80,10.0.0.2:80",
      "what a VPC link leads to; of a URL the path is asked for its health; may be said again" },
    { "smtp", "URL", set_smtp, "smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://…",
      "the mail server of user pools (STARTTLS, or TLS from the start); dev mode keeps mails in its outbox without one" },
    { "smtp-ca", "FILE", set_smtp_ca, "a file", "PEM certificates that the mail server's may come from, instead of the system's" },
    { "mail-from", "ADDRESS", set_mail_from, "an address, or Name <address>", "whom mails come from when a pool says nothing of it" },
    { "sms", "URL", set_sms, "an http or https URL",
      "gets each text message as JSON {to, message, account}; without it --endpoint sns=… is asked, then dev mode's outbox" },
    { "audit", "required|best-effort|off", set_audit, "required, best-effort or off",
      "required: a change that cannot be recorded is refused; best-effort: it is made all the same; default required" },
    { "audit-dir", "DIR", set_audit_dir, "a folder", "where the audit log is (default DATA/audit)" },
    { "audit-keep", "DAYS", set_audit_keep, "1 to 36500", "the audit log's files that are older are removed; default: none are" },
    { "log-level", "LEVEL", set_log_level, "debug, info, warn or error", "default info" },
    { "config", "FILE", set_nothing, "a file", "lines of `name = value`, # comments" },
};

static bool set_data(struct options *o, struct arena *a, struct str v)
{
    o->data = str_copy(a, v);
    return v.len > 0;
}

static bool set_address(struct str *out, uint16_t *out_port, struct arena *a, struct str v)
{
    ptrdiff_t colon = str_find_last(v, ':');
    int64_t port;
    if (colon < 0 || !str_i64(str_from(v, (size_t)colon + 1), &port) || port < 0 || port > 65535)
        return false;
    struct str addr = str_sub(v, 0, (size_t)colon);
    if (addr.len > 1 && addr.ptr[0] == '[' && addr.ptr[addr.len - 1] == ']')
        addr = str_sub(addr, 1, addr.len - 2);
    struct in6_addr scratch;
    *out = str_is(addr, "localhost") ? STR("127.0.0.1") : str_copy(a, addr);
    *out_port = (uint16_t)port;
    return inet_pton(AF_INET, out->ptr, &scratch) == 1 || inet_pton(AF_INET6, out->ptr, &scratch) == 1;
}

static bool set_listen(struct options *o, struct arena *a, struct str v)
{
    return set_address(&o->addr, &o->port, a, v);
}

static bool set_listen_tls(struct options *o, struct arena *a, struct str v)
{
    return set_address(&o->tls_addr, &o->tls_port, a, v);
}

static bool set_certificates(struct options *o, struct arena *a, struct str v)
{
    o->certificates = str_copy(a, v);
    return v.len > 0;
}

static bool set_truststores(struct options *o, struct arena *a, struct str v)
{
    o->truststores = str_copy(a, v);
    return v.len > 0;
}

static bool set_region(struct options *o, struct arena *a, struct str v)
{
    o->region = str_copy(a, v);
    for (size_t i = 0; i < v.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", v.ptr[i]))
            return false;
    return v.len > 0 && v.len <= 32;
}

static bool set_account(struct options *o, struct arena *a, struct str v)
{
    int64_t number;
    o->account = str_copy(a, v);
    return v.len == 12 && v.ptr[0] != '-' && str_i64(v, &number);
}

static bool set_base_url(struct options *o, struct arena *a, struct str v)
{
    struct uri uri;
    while (v.len > 0 && v.ptr[v.len - 1] == '/')
        v.len--;
    o->base_url = str_copy(a, v);
    return uri_parse(a, v, &uri) && !uri.query.ptr && !uri.fragment.ptr && !uri.userinfo.ptr;
}

static bool set_workers(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    int64_t n;
    bool ok = str_i64(v, &n) && n >= 1 && n <= 64;
    o->workers = ok ? (int)n : 0;
    return ok;
}

/* "1048576", "512K", "256M", "2G". */
static bool set_cache_memory(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    static const char units[] = "KMG";
    int64_t n, factor = 1;
    const char *unit = v.len ? strchr(units, v.ptr[v.len - 1]) : NULL;
    if (unit && *unit) {
        factor = (int64_t)1 << (10 * (unit - units + 1));
        v.len--;
    }
    bool ok = str_i64(v, &n) && n >= 0 && n <= ((int64_t)1 << 40) / factor;
    o->cache_bytes = ok ? (size_t)(n * factor) : 0;
    return ok;
}

static bool set_ready_fd(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    int64_t fd;
    bool ok = str_i64(v, &fd) && fd >= 0 && fd < 65536 && fcntl((int)fd, F_GETFD) >= 0;
    o->ready_fd = ok ? (int)fd : -1;
    return ok;
}

static bool truth(struct str v, bool *out)
{
    *out = str_is(v, "true");
    return *out || str_is(v, "false");
}

static bool set_enforce(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    bool all = false;
    bool soft = str_is(v, "soft");
    if (!soft && !truth(v, &all))
        return false;
    o->enforce = soft ? ENFORCE_SOFT : all ? ENFORCE_ALL : ENFORCE_ISSUED;
    return true;
}

static bool set_limits(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    o->aws_limits = str_is(v, "aws");
    return o->aws_limits || str_is(v, "open");
}

static bool set_no_sandbox(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    bool none;
    bool ok = truth(v, &none);
    o->sandbox = !none;
    return ok;
}

static bool set_account_rate(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    int64_t n;
    bool ok = str_i64(v, &n) && n >= 0 && n <= 1000000000;
    o->account_rate = ok ? (double)n : 0;
    return ok;
}

static bool set_account_burst(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    bool ok = str_i64(v, &o->account_burst) && o->account_burst >= 1 && o->account_burst <= 1000000000;
    return ok;
}

static bool set_log_level(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    static const char *const names[] = { "debug", "info", "warn", "error" };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (str_is(v, names[i])) {
            o->log_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool set_audit(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    static const char *const names[] = { [AUDIT_REQUIRED] = "required", [AUDIT_BEST_EFFORT] = "best-effort", [AUDIT_OFF] = "off" };
    for (size_t i = 0; i < COUNT(names); i++) {
        if (str_is(v, names[i])) {
            o->audit = (enum audit_mode)i;
            return true;
        }
    }
    return false;
}

static bool set_audit_dir(struct options *o, struct arena *a, struct str v)
{
    o->audit_dir = str_copy(a, v);
    return v.len > 0;
}

static bool set_audit_keep(struct options *o, struct arena *a, struct str v)
{
    (void)a;
    return str_i64(v, &o->audit_keep_days) && o->audit_keep_days >= 1 && o->audit_keep_days <= 36500;
}

static bool set_allow_backend(struct options *o, struct arena *a, struct str v)
{
    return outside_allow(&o->outside, a, v);
}

static bool set_backend_ca(struct options *o, struct arena *a, struct str v)
{
    o->outside.backend_ca = str_copy(a, v);
    return v.len > 0;
}

static bool set_compromised(struct options *o, struct arena *a, struct str v)
{
    o->compromised_passwords = str_copy(a, v);
    return v.len > 0;
}

static bool set_endpoint(struct options *o, struct arena *a, struct str v)
{
    return outside_endpoint(&o->outside, a, v);
}

static bool set_vpc_link(struct options *o, struct arena *a, struct str v)
{
    return outside_link(&o->outside, a, v);
}

static bool set_smtp(struct options *o, struct arena *a, struct str v)
{
    return smtp_server_parse(&o->smtp, a, v);
}

static bool set_smtp_ca(struct options *o, struct arena *a, struct str v)
{
    o->smtp.ca_file = str_copy(a, v);
    return v.len > 0 && access(o->smtp.ca_file.ptr, R_OK) == 0;
}

static bool set_mail_from(struct options *o, struct arena *a, struct str v)
{
    struct str name, address;
    o->smtp.from = str_copy(a, v);
    return mailbox_parse(o->smtp.from, &name, &address);
}

static bool set_sms(struct options *o, struct arena *a, struct str v)
{
    struct uri uri;
    o->sms_hook = str_copy(a, v);
    return uri_parse(a, v, &uri) && !uri.fragment.ptr;
}

static bool set_nothing(struct options *o, struct arena *a, struct str v)
{
    (void)o;
    (void)a;
    return v.len > 0;
}

static const struct option *find(struct str name)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (str_is(name, table[i].name))
            return &table[i];
    return NULL;
}

static bool apply(struct options *out, const struct option *option, struct str value, const char *where,
                  struct arena *arena, struct str *why)
{
    uint64_t *said = &out->said[option - table]; /* those that may be said again add up */
    *said = *said * 31 + str_hash(value);
    if (option->set(out, arena, value))
        return true;
    *why = str_printf(arena, "%s: %s must be %s, not \"%.*s\"", where, option->name, option->wants, STR_FMT(value));
    return false;
}

static bool read_file(struct options *out, const char *path, struct arena *arena, struct str *why)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        *why = str_printf(arena, "cannot read the config file %s: %m", path);
        return false;
    }
    char line[4096];
    bool ok = true;
    for (int number = 1; ok && fgets(line, sizeof line, file); number++) {
        struct str text = str_trim(str_of(line));
        const char *where = str_printf(arena, "%s, line %d", path, number).ptr;
        if (text.len == 0 || text.ptr[0] == '#')
            continue;
        ptrdiff_t equals = str_find(text, '=');
        struct str name = equals < 0 ? text : str_trim(str_sub(text, 0, (size_t)equals));
        const struct option *option = equals < 0 ? NULL : find(name);
        if (!option) {
            *why = str_printf(arena, "%s: %s", where,
                              equals < 0 ? "not of the form name = value"
                                         : str_printf(arena, "no option is called \"%.*s\"", STR_FMT(name)).ptr);
            ok = false;
        } else {
            ok = apply(out, option, str_trim(str_from(text, (size_t)equals + 1)), where, arena, why);
        }
    }
    fclose(file);
    return ok;
}

static const char *variable(struct arena *arena, const struct option *option)
{
    struct str name = str_upper(arena, str_printf(arena, "GATEHOUSE_%s", option->name));
    for (char *c = (char *)name.ptr; *c; c++)
        if (*c == '-')
            *c = '_';
    return name.ptr;
}

static bool read_environment(struct options *out, struct arena *arena, struct str *why)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        const char *name = variable(arena, &table[i]);
        const char *value = getenv(name);
        if (value && !apply(out, &table[i], str_of(value), name, arena, why))
            return false;
    }
    return true;
}

/* One pass over argv; with `only` just that option is looked at, to find --config first. */
static bool read_flags(struct options *out, int argc, char **argv, const char *only, struct str *config,
                       struct arena *arena, struct str *why)
{
    for (int i = 0; i < argc; i++) {
        struct str flag = str_of(argv[i]), value = STR_NONE;
        ptrdiff_t equals = str_find(flag, '=');
        if (equals > 0) {
            value = str_from(flag, (size_t)equals + 1);
            flag = str_sub(flag, 0, (size_t)equals);
        }
        const struct option *option = str_starts(flag, STR("--")) ? find(str_from(flag, 2)) : NULL;
        if (!option) {
            *why = str_printf(arena, "no option is called \"%.*s\"; `gatehouse help` lists them", STR_FMT(flag));
            return false;
        }
        if (!value.ptr && !option->argument)
            value = STR("true");
        if (!value.ptr && i + 1 < argc)
            value = str_of(argv[++i]);
        if (!value.ptr) {
            *why = str_printf(arena, "--%s wants %s", option->name, option->wants);
            return false;
        }
        if (only && !str_is(str_of(option->name), only))
            continue;
        if (str_is(str_of(option->name), "config"))
            *config = value;
        if (!apply(out, option, value, "command line", arena, why))
            return false;
    }
    return true;
}

_Static_assert(COUNT(table) <= OPTIONS_MAX, "room for each option");

static bool may_listen(const struct options *out, const char *name, struct str addr, struct arena *arena, struct str *why)
{
    if (out->mode != MODE_DEV || str_starts(addr, STR("127.")) || str_is(addr, "::1"))
        return true;
    *why = str_printf(arena, "%s: dev mode has open doors and so listens on loopback only, not on %.*s; use `gatehouse serve`",
                      name, STR_FMT(addr));
    return false;
}

bool options_read(struct options *out, int argc, char **argv, struct arena *arena, struct str *why)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct str config = STR_NONE;
    int mode = out->mode;
    *out = (struct options){
        .mode = mode,
        .data = STR("./gatehouse-data"),
        .addr = STR("127.0.0.1"),
        .port = 4566,
        .region = STR("us-east-1"),
        .account = STR("000000000000"),
        .workers = cores < 1 ? 1 : cores > 4 ? 4 : (int)cores,
        .cache_bytes = (size_t)256 << 20,
        .ready_fd = -1,
        .sandbox = true,
        .account_burst = 5000,
        .log_level = LOG_INFO,
        .argc = argc,
        .argv = argv,
    };
    if (!read_flags(out, argc, argv, "config", &config, arena, why))
        return false;
    if (!config.ptr && getenv("GATEHOUSE_CONFIG"))
        config = str_of(getenv("GATEHOUSE_CONFIG"));
    if (config.ptr && !read_file(out, str_c(arena, config), arena, why))
        return false;
    if (!read_environment(out, arena, why) || !read_flags(out, argc, argv, NULL, &config, arena, why))
        return false;
    if (out->enforce == ENFORCE_SOFT && out->mode != MODE_DEV) {
        *why = STR("--enforce=soft is for dev mode: gatehouse serve enforces every policy");
        return false;
    }
    if (!out->certificates.ptr)
        out->certificates = str_printf(arena, "%.*s/certificates", STR_FMT(out->data));
    if (!out->audit_dir.ptr)
        out->audit_dir = str_printf(arena, "%.*s/audit", STR_FMT(out->data));
    if (!out->truststores.ptr)
        out->truststores = str_printf(arena, "%.*s/truststores", STR_FMT(out->data));
    return may_listen(out, "listen", out->addr, arena, why) &&
           (!out->tls_addr.ptr || may_listen(out, "listen-tls", out->tls_addr, arena, why));
}

bool options_reload(struct options *live, struct arena *arena, struct str *restart, struct str *why)
{
    struct options fresh = { .mode = live->mode };
    struct strbuf names = strbuf_in(arena, 64);
    if (!options_read(&fresh, live->argc, live->argv, arena, why))
        return false;
    for (size_t i = 0; i < COUNT(table); i++)
        if (fresh.said[i] != live->said[i] && table[i].set != set_log_level)
            strbuf_printf(&names, "%s%s", names.len ? ", " : "", table[i].name);
    live->log_level = fresh.log_level;
    *restart = strbuf_view(&names);
    return true;
}

void options_print_help(void)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", table[i].name, table[i].argument ? table[i].argument : "");
        printf("  %-22s %s\n", left, table[i].help);
    }
}
