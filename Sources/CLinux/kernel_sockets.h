#ifndef CLINUX_KERNEL_SOCKETS_H
#define CLINUX_KERNEL_SOCKETS_H

#include "call.h"

#include <linux/ethtool.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * One datagram of a netlink socket and the port it came from, 0 for the kernel; -EAGAIN when there
 * is none. Returns the size of the datagram, also where it is larger than `count`.
 */
static inline long clinux_receive_netlink(int fd, void *buffer, size_t count, uint32_t *sender) {
  struct sockaddr_nl from = {0};
  socklen_t size = sizeof from;
  long result = CLINUX_CALL(recvfrom(fd, buffer, count, MSG_DONTWAIT | MSG_TRUNC,
                                     (struct sockaddr *)&from, &size));
  *sender = from.nl_pid;
  return result;
}

/* A command of linux/ethtool.h that takes or returns one number, `value`. */
static inline long clinux_ethtool_value(int fd, const char *link, uint32_t command,
                                        uint32_t *value) {
  struct ethtool_value argument = {.cmd = command, .data = *value};
  struct ifreq request = {.ifr_data = (void *)&argument};
  size_t length = strlen(link);
  if (length >= sizeof request.ifr_name) return -ENODEV;
  memcpy(request.ifr_name, link, length);
  long result = CLINUX_CALL(ioctl(fd, SIOCETHTOOL, &request));
  *value = argument.data;
  return result;
}

#endif
