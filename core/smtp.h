/* One mail to one person by SMTP, with TLS, by libcurl. Blocks: job threads only. */
#pragma once

#include "core/env.h"

struct smtp_server {
    struct str url; /* "smtp://host:587" (STARTTLS) or "smtps://host:465", without user; absent: none */
    struct str user, password; /* or absent */
    struct str ca_file;        /* whom to believe, PEM; absent: the system's authorities */
    struct str from;           /* "Name <address>" or an address: when a mail says none */
};

/* "smtp://user:password@host:port": percent-coding in user and password. False: it is no such URL. */
bool smtp_server_parse(struct smtp_server *server, struct arena *arena, struct str url);

struct mail {
    struct str from;     /* as in smtp_server; absent: the server's */
    struct str to;       /* an address */
    struct str reply_to; /* or absent */
    struct str subject, html;
    struct str header; /* one more line, "Name: value", or absent */
};

/* False: *why, for the operator (it may name the server). Without TLS, or with a
 * certificate that nobody vouches for, only a server on this machine is talked to, and only while no ca_file
 * is given. An address or subject with line breaks or other controls is refused: nobody writes headers of
 * ours. */
bool smtp_send(const struct env *env, const struct smtp_server *server, struct arena *arena,
               const struct mail *mail, struct str *why);

/* "Name <address>" apart; name absent when there is none. False: the address is none. */
bool mailbox_parse(struct str text, struct str *name, struct str *address);
/* Text as a header's value: as it is, or in words of RFC 2047. Lives in the arena. */
struct str mail_words(struct arena *arena, struct str text);
