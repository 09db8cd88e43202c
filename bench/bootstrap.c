/* The smallest function: keeps one connection to the Runtime API and answers each event with {}. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char answer[65536];

/* Reads one answer with a Content-Length (or 202 without a body). */
static void receive(int fd)
{
    size_t have = 0, whole = sizeof answer;
    while (have < whole) {
        ssize_t n = read(fd, answer + have, sizeof answer - 1 - have);
        if (n <= 0)
            exit(0);
        have += (size_t)n;
        answer[have] = 0;
        char *end = strstr(answer, "\r\n\r\n"), *length = strcasestr(answer, "\r\nContent-Length:");
        if (end)
            whole = (size_t)(end + 4 - answer) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
    }
}

int main(void)
{
    char *api = getenv("AWS_LAMBDA_RUNTIME_API"), *colon = strchr(api, ':');
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)) };
    *colon = 0;
    inet_pton(AF_INET, api, &at.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        return 1;
    for (;;) {
        dprintf(fd, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n");
        receive(fd);
        char *id = strcasestr(answer, "Lambda-Runtime-Aws-Request-Id:");
        if (!id)
            return 1;
        id += 30;
        id += strspn(id, " ");
        dprintf(fd, "POST /2018-06-01/runtime/invocation/%.*s/response HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
                (int)strcspn(id, "\r"), id);
        receive(fd);
    }
}
