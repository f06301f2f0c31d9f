#ifndef CLINUX_PACKETS_H
#define CLINUX_PACKETS_H

#include "call.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

/* Lets only frames through for which the program says so; see packet(7) and SO_ATTACH_FILTER. */
static inline long clinux_attach_filter(int fd, struct sock_filter *program, size_t count) {
  struct sock_fprog filter = {.len = (unsigned short)count, .filter = program};
  if (count == 0 || count > BPF_MAXINSNS) return -EINVAL;
  return CLINUX_CALL(setsockopt(fd, SOL_SOCKET, 26 /* SO_ATTACH_FILTER */, &filter, sizeof filter));
}
/* Binds a packet socket to the link with `index`, for frames of every protocol. */
static inline long clinux_bind_packet(int fd, int index) {
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index};
  return CLINUX_CALL(bind(fd, (const struct sockaddr *)&address, sizeof address));
}
/* Has close(2) end a TCP connection at once, by RST. */
static inline long clinux_set_abortive(int fd) {
  struct linger linger = {.l_onoff = 1, .l_linger = 0};
  return CLINUX_CALL(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

#endif
