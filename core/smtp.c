#include "core/smtp.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>

#include "core/base64.h"
#include "core/id.h"
#include "core/ip.h"
#include "core/json.h"
#include "core/time.h"
#include "core/uri.h"

/* libcurl is loaded when the first mail goes out: its shared libraries take longer to load than all the rest
 * of the program. */
#define CURL_FUNCTIONS(X)                                                                                    \
    X(curl_global_init)                                                                                      \
    X(curl_easy_init) X(curl_easy_setopt) X(curl_easy_perform) X(curl_easy_getinfo) X(curl_easy_cleanup)     \
        X(curl_easy_strerror) X(curl_slist_append) X(curl_slist_free_all)

#define POINTER(name) __typeof__(&name) name;
static struct {
    bool loaded;
    CURL_FUNCTIONS(POINTER)
} curl;
#undef POINTER
/* curl.h makes checking macros of some names */
#undef curl_easy_setopt
#undef curl_easy_getinfo

enum { CONNECT_MS = 5000, WHOLE_MS = 15000, WORD_BYTES = 42, LINE_CHARACTERS = 76 };

static void load(void)
{
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    bool all = library != NULL;
#define FIND(name) all = all && (*(void **)(void *)&curl.name = dlsym(library, #name)) != NULL;
    CURL_FUNCTIONS(FIND)
#undef FIND
    curl.loaded = all && curl.curl_global_init(CURL_GLOBAL_DEFAULT) == 0;
}

static bool is_loaded(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return curl.loaded;
}

bool smtp_server_parse(struct smtp_server *server, struct arena *arena, struct str url)
{
    bool tls = str_starts(url, STR("smtps://"));
    struct uri uri;
    if (!tls && !str_starts(url, STR("smtp://")))
        return false;
    /* the same syntax under a name that uri_parse knows */
    struct str http = str_printf(arena, "http://%.*s", STR_FMT(str_from(url, tls ? 8 : 7)));
    if (!uri_parse(arena, http, &uri) || !uri.host.len || uri.query.ptr || uri.fragment.ptr ||
        uri.path.len > 1)
        return false;
    bool v6 = str_find(uri.host, ':') >= 0;
    server->url = str_printf(arena, "%s://%s%.*s%s:%u", tls ? "smtps" : "smtp", v6 ? "[" : "",
                             STR_FMT(uri.host), v6 ? "]" : "",
                             uri.has_port ? uri.port
                             : tls        ? 465
                                          : 587);
    ptrdiff_t colon = str_find(uri.userinfo, ':');
    if (uri.userinfo.len) {
        server->user =
            uri_decode(arena, colon < 0 ? uri.userinfo : str_sub(uri.userinfo, 0, (size_t)colon), false);
        server->password =
            colon < 0 ? STR("") : uri_decode(arena, str_from(uri.userinfo, (size_t)colon + 1), false);
    }
    return true;
}

/* ---- text ---- */

static bool has_controls(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    return true;
}

bool mailbox_parse(struct str text, struct str *name, struct str *address)
{
    ptrdiff_t open = str_find(text, '<');
    *name = STR_NONE;
    *address = text;
    if (open >= 0) {
        if (text.ptr[text.len - 1] != '>')
            return false;
        *address = str_sub(text, (size_t)open + 1, text.len - (size_t)open - 2);
        *name = str_trim(str_sub(text, 0, (size_t)open));
        if (name->len > 1 && name->ptr[0] == '"' && name->ptr[name->len - 1] == '"')
            *name = str_sub(*name, 1, name->len - 2);
    }
    ptrdiff_t at = str_find_last(*address, '@');
    if (at < 1 || (size_t)at + 1 >= address->len || has_controls(text) ||
        (name->ptr && str_find(*name, '"') >= 0))
        return false;
    for (size_t i = 0; i < address->len; i++)
        if (strchr(" <>(),;:\\\"[]", address->ptr[i]))
            return false;
    return true;
}

/* "An 'encoded-word' may not be more than 75 characters long"; none may end within a character. */
struct str mail_words(struct arena *arena, struct str text)
{
    if (is_ascii(text) && text.len < 900)
        return text;
    struct strbuf out = strbuf_in(arena, text.len * 2 + 64);
    while (text.len > 0) {
        size_t n = 0, step;
        while (n < text.len &&
               (step = json_utf8_len(str_from(text, n)) ? json_utf8_len(str_from(text, n)) : 1) &&
               n + step <= WORD_BYTES)
            n += step;
        strbuf_printf(&out, "%s=?UTF-8?B?%.*s?=", out.len ? " " : "",
                      STR_FMT(base64_encode(arena, str_sub(text, 0, n))));
        text = str_from(text, n);
    }
    return strbuf_view(&out);
}

static struct str mailbox_header(struct arena *arena, struct str mailbox)
{
    struct str name, address;
    mailbox_parse(mailbox, &name, &address);
    if (!name.len)
        return address;
    return is_ascii(name)
               ? str_printf(arena, "\"%.*s\" <%.*s>", STR_FMT(name), STR_FMT(address))
               : str_printf(arena, "%.*s <%.*s>", STR_FMT(mail_words(arena, name)), STR_FMT(address));
}

/* ---- one mail ---- */

static void add(struct strbuf *text, const char *name, struct str value)
{
    strbuf_printf(text, "%s: %.*s\r\n", name, STR_FMT(value));
}

/* The whole mail: HTML in base64, so that no line is too long and none is a lone dot. */
static struct str written(const struct env *env, struct arena *arena, const struct mail *mail,
                          struct str from)
{
    struct strbuf text = strbuf_in(arena, mail->html.len * 3 / 2 + 1024);
    struct str name, address, date = time_rfc1123(arena, env_now_s(env));
    mailbox_parse(from, &name, &address);
    add(&text, "From", mailbox_header(arena, from));
    add(&text, "To", mail->to);
    if (mail->reply_to.len)
        add(&text, "Reply-To", mailbox_header(arena, mail->reply_to));
    add(&text, "Subject", mail_words(arena, mail->subject));
    add(&text, "Date", str_concat(arena, str_sub(date, 0, date.len - 3), STR("+0000")));
    add(&text, "Message-ID",
        str_printf(arena, "<%.*s@%.*s>", STR_FMT(id_uuid(env, arena)),
                   STR_FMT(str_from(address, (size_t)str_find_last(address, '@') + 1))));
    add(&text, "Auto-Submitted", STR("auto-generated"));
    add(&text, "MIME-Version", STR("1.0"));
    add(&text, "Content-Type", STR("text/html; charset=UTF-8"));
    add(&text, "Content-Transfer-Encoding", STR("base64"));
    if (mail->header.len)
        strbuf_printf(&text, "%.*s\r\n", STR_FMT(mail->header));
    for (struct str body = base64_encode(arena, mail->html); body.len > 0;) {
        size_t n = body.len < LINE_CHARACTERS ? body.len : LINE_CHARACTERS;
        strbuf_printf(&text, "\r\n%.*s", (int)n, body.ptr);
        body = str_from(body, n);
    }
    strbuf_add(&text, STR("\r\n"));
    return strbuf_view(&text);
}

static size_t give(char *out, size_t size, size_t n, void *ctx)
{
    struct str *left = ctx;
    size_t most = size * n < left->len ? size * n : left->len;
    memcpy(out, left->ptr, most);
    *left = str_from(*left, most);
    return most;
}

static bool is_on_this_machine(struct arena *arena, struct str url)
{
    struct uri uri;
    struct ip ip;
    struct str http = str_printf(arena, "http%.*s", STR_FMT(str_from(url, (size_t)str_find(url, ':'))));
    return uri_parse(arena, http, &uri) &&
           (str_is(uri.host, "localhost") || (ip_parse(uri.host, &ip) && ip_scope(&ip) == IP_LOOPBACK));
}

static bool perform(CURL *easy, struct arena *arena, const struct smtp_server *server, struct str *why)
{
    char said[CURL_ERROR_SIZE] = "";
    long status = 0;
    curl.curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, said);
    CURLcode code = curl.curl_easy_perform(easy);
    if (code == CURLE_OK)
        return true;
    curl.curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    *why = str_printf(arena, "%.*s: %s%s%s (last answer %ld)", STR_FMT(server->url),
                      curl.curl_easy_strerror(code), said[0] ? ": " : "", said, status);
    return false;
}

bool smtp_send(const struct env *env, const struct smtp_server *server, struct arena *arena,
               const struct mail *mail, struct str *why)
{
    struct str from = mail->from.len ? mail->from : server->from, name, sender, to;
    if (!mailbox_parse(from, &name, &sender)) {
        *why = STR("no address to send from (--mail-from)");
        return false;
    }
    if (!mailbox_parse(mail->to, &name, &to) || name.ptr || has_controls(mail->subject) ||
        has_controls(mail->header) ||
        (mail->reply_to.len && !mailbox_parse(mail->reply_to, &name, &(struct str){ 0 }))) {
        *why = STR("an address or the subject is not fit for a mail");
        return false;
    }
    CURL *easy = is_loaded() ? curl.curl_easy_init() : NULL;
    if (!easy) {
        *why = STR("libcurl.so.4 cannot be loaded (package libcurl4)");
        return false;
    }
    struct str text = written(env, arena, mail, from);
    struct curl_slist *rcpt = curl.curl_slist_append(NULL, str_printf(arena, "<%.*s>", STR_FMT(to)).ptr);
    curl.curl_easy_setopt(easy, CURLOPT_URL, str_c(arena, server->url));
    curl.curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl.curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl.curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl.curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl.curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WHOLE_MS);
    /* a catcher of mails on this machine has a certificate of its own making, or none */
    bool lax = is_on_this_machine(arena, server->url) && !server->ca_file.len;
    curl.curl_easy_setopt(easy, CURLOPT_USE_SSL, lax ? (long)CURLUSESSL_TRY : (long)CURLUSESSL_ALL);
    curl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, lax ? 0L : 1L);
    curl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, lax ? 0L : 2L);
    if (server->ca_file.len)
        curl.curl_easy_setopt(easy, CURLOPT_CAINFO, str_c(arena, server->ca_file));
    if (server->user.ptr) {
        curl.curl_easy_setopt(easy, CURLOPT_USERNAME, str_c(arena, server->user));
        curl.curl_easy_setopt(easy, CURLOPT_PASSWORD, str_c(arena, server->password));
    }
    curl.curl_easy_setopt(easy, CURLOPT_MAIL_FROM, str_printf(arena, "<%.*s>", STR_FMT(sender)).ptr);
    curl.curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, rcpt);
    curl.curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl.curl_easy_setopt(easy, CURLOPT_READFUNCTION, give);
    curl.curl_easy_setopt(easy, CURLOPT_READDATA, &text);
    bool sent = perform(easy, arena, server, why);
    curl.curl_easy_cleanup(easy);
    curl.curl_slist_free_all(rcpt);
    return sent;
}
