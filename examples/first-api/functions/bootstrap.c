/* A function without a runtime: asks for the next event, answers with it, over plain sockets.
 * Runtime API: GET /2018-06-01/runtime/invocation/next, POST …/invocation/ID/response. */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static int dial(void)
{
    char api[256], *port;
    snprintf(api, sizeof api, "%s", getenv("AWS_LAMBDA_RUNTIME_API"));
    port = strchr(api, ':');
    if (port)
        *port++ = 0;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *at;
    if (getaddrinfo(api, port ? port : "80", &hints, &at) != 0)
        exit(1);
    int fd = socket(at->ai_family, at->ai_socktype, 0);
    if (fd < 0 || connect(fd, at->ai_addr, at->ai_addrlen) != 0)
        exit(1);
    freeaddrinfo(at);
    return fd;
}

/* One exchange on a connection of its own; the answer, head and body, in `answer`. */
static void exchange(const char *head, const char *body, char *answer, size_t size)
{
    int fd = dial();
    size_t have = 0;
    dprintf(fd, "%sHost: runtime\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    for (ssize_t n; have < size - 1 && (n = read(fd, answer + have, size - 1 - have)) > 0;)
        have += (size_t)n;
    answer[have] = 0;
    close(fd);
}

int main(void)
{
    static char event[65536], answer[65536], head[512], reply[70000];
    for (;;) {
        exchange("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n", "", event, sizeof event);
        char *id = strcasestr(event, "Lambda-Runtime-Aws-Request-Id:"), *body = strstr(event, "\r\n\r\n");
        if (!id || !body)
            return 1;
        id += strcspn(id, ":") + 1;
        id += strspn(id, " ");
        snprintf(head, sizeof head, "POST /2018-06-01/runtime/invocation/%.*s/response HTTP/1.1\r\n",
                 (int)strcspn(id, "\r"), id);
        snprintf(reply, sizeof reply, "{\"from\":\"C\",\"event\":%s}", body + 4);
        exchange(head, reply, answer, sizeof answer);
    }
}
