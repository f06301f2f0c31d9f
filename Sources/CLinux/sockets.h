#ifndef CLINUX_SOCKETS_H
#define CLINUX_SOCKETS_H

#include "call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static inline long clinux_socket(int domain, int type, int protocol) {
  return CLINUX_CALL(socket(domain, type | SOCK_CLOEXEC, protocol));
}
static inline long clinux_set_option(int fd, int level, int option, int value) {
  return CLINUX_CALL(setsockopt(fd, level, option, &value, sizeof value));
}
/* The kernel reads `buffer` first where the option wants to know of what. Returns how many bytes it
 * wrote. */
static inline long clinux_option(int fd, int level, int option, void *buffer, size_t capacity) {
  socklen_t size = capacity;
  long result = CLINUX_CALL(getsockopt(fd, level, option, buffer, &size));
  return result < 0 ? result : (long)size;
}
static inline long clinux_socket_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  long result = CLINUX_CALL(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
  return result < 0 ? result : -(long)error;
}
static inline long clinux_set_nonblocking(int fd, int on) {
  extern int fcntl(int, int, ...);
  long flags = CLINUX_CALL(fcntl(fd, 3 /* F_GETFL */));
  if (flags < 0) return flags;
  return CLINUX_CALL(fcntl(fd, 4 /* F_SETFL */, on ? flags | 04000 : flags & ~04000));
}
/* -EINPROGRESS or -EAGAIN when `fd` does not wait and the peer has not answered yet. */
static inline long clinux_connect_unix(int fd, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
  memcpy(address.sun_path, path, length);
  return CLINUX_CALL(connect(fd, (const struct sockaddr *)&address, sizeof address));
}
/* `octets` is an address of 4 or 16 octets in network byte order. */
static inline long clinux_connect_tcp(int fd, const uint8_t *octets, size_t count, uint16_t port) {
  if (count == 4) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&address.sin_addr, octets, 4);
    return CLINUX_CALL(connect(fd, (const struct sockaddr *)&address, sizeof address));
  }
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  memcpy(&address.sin6_addr, octets, 16);
  return CLINUX_CALL(connect(fd, (const struct sockaddr *)&address, sizeof address));
}
/* Likewise. */
static inline long clinux_bind_ip(int fd, const uint8_t *octets, size_t count, uint16_t port) {
  if (count == 4) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    memcpy(&address.sin_addr, octets, 4);
    return CLINUX_CALL(bind(fd, (const struct sockaddr *)&address, sizeof address));
  }
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  memcpy(&address.sin6_addr, octets, 16);
  return CLINUX_CALL(bind(fd, (const struct sockaddr *)&address, sizeof address));
}
static inline long clinux_send(int fd, const void *buffer, size_t count) {
  return CLINUX_CALL(send(fd, buffer, count, MSG_NOSIGNAL));
}
/* Returns the size of the datagram, also where it is larger than `count`. */
static inline long clinux_receive(int fd, void *buffer, size_t count, int flags) {
  return CLINUX_CALL(recv(fd, buffer, count, flags));
}
/* Not made again after EINTR: the caller knows how long it still wants to wait. */
static inline long clinux_poll(struct pollfd *set, size_t count, int milliseconds) {
  return CLINUX_CALL_ONCE(poll(set, count, milliseconds));
}

#endif
