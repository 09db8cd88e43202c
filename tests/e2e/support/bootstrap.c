/* A custom runtime in C over bare sockets, for the tests of the Runtime API: answers as its event
 * asks it to ({"do":"echo"} and so on), and also breaks the rules on request. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char head[8192], body[65536];

static int dial(void)
{
    char host[64], *port;
    snprintf(host, sizeof host, "%s", getenv("AWS_LAMBDA_RUNTIME_API"));
    port = strchr(host, ':');
    *port++ = '\0';
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(port)), .sin_addr.s_addr = inet_addr(host) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        exit(3);
    return fd;
}

/* Reads one answer into head and body; its status, or 0 when the connection ended. */
static int answer(int fd)
{
    size_t n = 0, len;
    char *end, *length;
    memset(head, 0, sizeof head);
    memset(body, 0, sizeof body);
    while (!(end = strstr(head, "\r\n\r\n"))) {
        ssize_t got = read(fd, head + n, sizeof head - 1 - n);
        if (got <= 0)
            return 0;
        n += got;
    }
    end += 4;
    length = strcasestr(head, "content-length:");
    len = length ? atol(length + 15) : 0;
    size_t have = head + n - end;
    memcpy(body, end, have);
    while (have < len) {
        ssize_t got = read(fd, body + have, len - have);
        if (got <= 0)
            return 0;
        have += got;
    }
    return atoi(head + 9);
}

static int post(int fd, const char *path, const char *text, size_t len)
{
    dprintf(fd, "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path, len);
    while (len > 0) {
        ssize_t sent = write(fd, text, len);
        if (sent <= 0)
            return 0;
        text += sent;
        len -= sent;
    }
    return answer(fd);
}

/* What a request against the rules was answered, for the function's log. */
static void tell(int status)
{
    printf("saw %d %s\n", status, body);
    fflush(stdout);
}

int main(void)
{
    int fd = dial();
    printf("the C runtime starts\n");
    fflush(stdout);
    if (getenv("INIT_FAILS")) {
        const char *text = "{\"errorType\":\"Init.Refused\",\"errorMessage\":\"not today\"}";
        post(fd, "init/error", text, strlen(text));
        return 1;
    }
    if (getenv("INIT_EXITS"))
        return 7;
    for (;;) {
        char id[64] = "", path[128], event[65536];
        dprintf(fd, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
        if (answer(fd) != 200)
            return 4;
        sscanf(strcasestr(head, "lambda-runtime-aws-request-id:") + 30, " %40s", id);
        strcpy(event, body);
        snprintf(path, sizeof path, "invocation/%s/response", id);
        if (strstr(event, "\"echo\"")) {
            post(fd, path, event, strlen(event));
        } else if (strstr(event, "\"text\"")) {
            post(fd, path, "plain words", 11);
        } else if (strstr(event, "\"twice\"")) {
            post(fd, path, "1", 1);
            int status = post(fd, path, "2", 1);
            tell(status);
        } else if (strstr(event, "\"forged\"")) {
            int status = post(fd, "invocation/00000000-0000-4000-8000-000000000000/response", "\"forged\"", 8);
            tell(status);
            post(fd, path, "\"honest\"", 8);
        } else if (strstr(event, "\"huge\"")) {
            size_t len = 6291557;
            char *text = malloc(len);
            memset(text, 'a', len);
            text[0] = text[len - 1] = '"';
            tell(post(fd, path, text, len));
            free(text);
        } else if (strstr(event, "\"garbage\"")) {
            dprintf(fd, "\x01\x02 this is no HTTP\r\n\r\n");
            close(fd);
            fd = dial();
        } else if (strstr(event, "\"silent\"")) {
            pause();
        } else if (strstr(event, "\"next\"")) { /* asks again without having answered */
            dprintf(fd, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
            tell(answer(fd));
            post(fd, path, "\"late\"", 6);
        } else if (strstr(event, "\"exit\"")) {
            return 5;
        } else if (strstr(event, "\"abort\"")) {
            abort();
        }
    }
}
