#include "functions/peer.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct question {
    struct nlmsghdr head;
    struct inet_diag_req_v2 request;
};

static bool ask_kernel(const struct sockaddr_in *client, const struct sockaddr_in *server, uint64_t *inode);
static bool read_table(const struct sockaddr_in *client, const struct sockaddr_in *server, uint64_t *inode);

uint64_t peer_socket_inode(int fd)
{
    struct sockaddr_in client = { 0 }, server = { 0 };
    socklen_t client_len = sizeof client, server_len = sizeof server;
    uint64_t inode = 0;
    if (getpeername(fd, (struct sockaddr *)&client, &client_len) < 0 ||
        getsockname(fd, (struct sockaddr *)&server, &server_len) < 0 || client.sin_family != AF_INET)
        return 0;
    if (!ask_kernel(&client, &server, &inode))
        read_table(&client, &server, &inode);
    return inode;
}

/* sock_diag(7) for exactly one socket: the client's, which sees us as its destination. */
static bool ask_kernel(const struct sockaddr_in *client, const struct sockaddr_in *server, uint64_t *inode)
{
    struct question question = {
        .head = { .nlmsg_len = sizeof question, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST },
        .request = { .sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0U,
                     .id = { .idiag_sport = client->sin_port, .idiag_dport = server->sin_port,
                             .idiag_src[0] = client->sin_addr.s_addr, .idiag_dst[0] = server->sin_addr.s_addr,
                             .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
    };
    union {
        struct nlmsghdr head;
        char bytes[4096];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return false;
    ssize_t len = -1;
    if (send(fd, &question, sizeof question, 0) == (ssize_t)sizeof question)
        len = recv(fd, &answer, sizeof answer, 0);
    close(fd);
    if (len < (ssize_t)sizeof answer.head || answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return false;
    const struct inet_diag_msg *found = NLMSG_DATA(&answer.head);
    if (found->id.idiag_sport != client->sin_port || found->id.idiag_dport != server->sin_port)
        return false;
    *inode = found->idiag_inode;
    return true;
}

/* Kernels without inet_diag: the table everyone can read. */
static bool read_table(const struct sockaddr_in *client, const struct sockaddr_in *server, uint64_t *inode)
{
    char line[512], wanted[64];
    snprintf(wanted, sizeof wanted, " %08X:%04X %08X:%04X ", client->sin_addr.s_addr, ntohs(client->sin_port),
             server->sin_addr.s_addr, ntohs(server->sin_port));
    FILE *table = fopen("/proc/net/tcp", "re");
    bool found = false;
    while (table && !found && fgets(line, sizeof line, table)) {
        unsigned long long number;
        found = strstr(line, wanted) &&
                sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &number) == 1;
        if (found)
            *inode = number;
    }
    if (table)
        fclose(table);
    return found;
}
