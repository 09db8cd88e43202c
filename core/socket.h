/* recv and send without glibc's cancellation points: in a program with threads these cost two
 * atomic operations a call, 2 % of a proxied request. Nobody here cancels threads. Under a
 * sanitizer the plain calls are used, which it watches. */
#pragma once

#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static inline ssize_t socket_receive(int fd, void *into, size_t room)
{
    return recv(fd, into, room, 0);
}
static inline ssize_t socket_send(int fd, const struct msghdr *message)
{
    return sendmsg(fd, message, MSG_NOSIGNAL);
}
#else
static inline ssize_t socket_receive(int fd, void *into, size_t room)
{
    return syscall(SYS_recvfrom, fd, into, room, 0, NULL, NULL);
}
static inline ssize_t socket_send(int fd, const struct msghdr *message)
{
    if (message->msg_iovlen == 1)
        return syscall(SYS_sendto, fd, message->msg_iov->iov_base, message->msg_iov->iov_len, MSG_NOSIGNAL,
                       NULL, 0);
    return syscall(SYS_sendmsg, fd, message, MSG_NOSIGNAL);
}
#endif
