/* Who is at the other end of a local TCP connection. */
#pragma once

#include <stdint.h>

/* The inode of the socket that `fd` (accepted, IPv4) is connected to; 0: not on this machine, or
 * the kernel does not tell. */
uint64_t peer_socket_inode(int fd);
