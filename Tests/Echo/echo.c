/*
 * echo serve NAME PORT: answers TCP, UDP and SCTP, of IPv4 and IPv6, with "NAME PEER".
 * echo ask tcp|udp|sctp ADDRESS PORT [LOCALPORT]: prints the answer; exit status 1 without one.
 * echo frame LINK HEX: sends a frame by a link.
 *
 * SCTP is spoken on raw sockets, INIT and INIT ACK only (RFC 9260 §5.1), since many kernels
 * translate it and do not speak it. What is told stands in the cookie.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INIT = 1, INIT_ACK = 2, COOKIE = 7, FIXED = 12 + 20 };

struct endpoint {
  struct sockaddr_storage address;
  socklen_t size;
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static struct endpoint endpoint(const char *text, int port) {
  struct endpoint end = {0};
  struct sockaddr_in *v4 = (struct sockaddr_in *)&end.address;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&end.address;
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    end.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    end.size = sizeof *v6;
  } else {
    fprintf(stderr, "%s: not an address\n", text);
    exit(2);
  }
  return end;
}

static void name(const struct endpoint *end, char *text, size_t size) {
  const void *octets = end->address.ss_family == AF_INET
                           ? (const void *)&((const struct sockaddr_in *)&end->address)->sin_addr
                           : (const void *)&((const struct sockaddr_in6 *)&end->address)->sin6_addr;
  inet_ntop(end->address.ss_family, octets, text, (socklen_t)size);
}

static int make(int family, int type, int protocol) {
  int fd = socket(family, type, protocol);
  if (fd < 0) fail("socket");
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  return fd;
}

/* CRC32c (RFC 9260, appendix A), in the byte order that it is sent in. */
static void seal(uint8_t *packet, size_t size) {
  memset(packet + 8, 0, 4);
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; i++) {
    crc ^= packet[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  crc = ~crc;
  for (int i = 0; i < 4; i++) packet[8 + i] = (uint8_t)(crc >> (8 * i));
}

static void put16(uint8_t *place, unsigned value) {
  place[0] = (uint8_t)(value >> 8);
  place[1] = (uint8_t)value;
}
static void put32(uint8_t *place, uint32_t value) {
  put16(place, value >> 16);
  put16(place + 2, value & 0xffff);
}
static unsigned get16(const uint8_t *place) { return (unsigned)place[0] << 8 | place[1]; }
static uint32_t get32(const uint8_t *place) {
  return (uint32_t)get16(place) << 16 | get16(place + 2);
}

/* Common header, one chunk, and with a text its cookie. Answers the size. */
static size_t packet(uint8_t *bytes, int type, unsigned from, unsigned to, uint32_t tag,
                     const char *text) {
  memset(bytes, 0, 512);
  size_t length = text ? strlen(text) : 0, size = FIXED;
  put16(bytes, from);
  put16(bytes + 2, to);
  put32(bytes + 4, tag);
  bytes[12] = (uint8_t)type;
  put32(bytes + 16, 0x1234567);
  put32(bytes + 20, 65536);
  put16(bytes + 24, 1);
  put16(bytes + 26, 1);
  put32(bytes + 28, 1);
  if (text) {
    put16(bytes + FIXED, COOKIE);
    put16(bytes + FIXED + 2, (unsigned)(4 + length));
    memcpy(bytes + FIXED + 4, text, length);
    size += 4 + length;
  }
  put16(bytes + 14, (unsigned)(size - 12));
  size = (size + 3) & ~(size_t)3;
  seal(bytes, size);
  return size;
}

/* A packet of SCTP, without the header of IPv4 that raw sockets hand over. */
static const uint8_t *receive(int fd, uint8_t *bytes, size_t *size, struct endpoint *from) {
  from->size = sizeof from->address;
  ssize_t count = recvfrom(fd, bytes, 2048, 0, (struct sockaddr *)&from->address, &from->size);
  if (count < 0) return NULL;
  size_t skip = from->address.ss_family == AF_INET ? (size_t)(bytes[0] & 15) * 4 : 0;
  if ((size_t)count < skip + FIXED) return NULL;
  *size = (size_t)count - skip;
  return bytes + skip;
}

static void serve(const char *title, int port) {
  struct pollfd set[6];
  const char *any[2] = {"0.0.0.0", "::"};
  for (int i = 0; i < 6; i++) {
    int family = i % 2 ? AF_INET6 : AF_INET;
    int type = i < 2 ? SOCK_STREAM : i < 4 ? SOCK_DGRAM : SOCK_RAW;
    int fd = make(family, type, i < 4 ? 0 : IPPROTO_SCTP);
    struct endpoint here = endpoint(any[i % 2], i < 4 ? port : 0);
    if (bind(fd, (struct sockaddr *)&here.address, here.size)) fail("bind");
    if (i < 2 && listen(fd, 64)) fail("listen");
    set[i] = (struct pollfd){.fd = fd, .events = POLLIN};
  }
  puts("ready");
  fflush(stdout);
  for (;;) {
    if (poll(set, 6, -1) < 0) fail("poll");
    for (int i = 0; i < 6; i++) {
      if (!(set[i].revents & POLLIN)) continue;
      struct endpoint peer = {.size = sizeof peer.address};
      struct sockaddr *address = (struct sockaddr *)&peer.address;
      uint8_t bytes[2048], reply[512];
      char who[64], text[256];
      if (i < 2) {
        int client = accept(set[i].fd, address, &peer.size);
        if (client < 0) continue;
        name(&peer, who, sizeof who);
        int count = snprintf(text, sizeof text, "%s %s\n", title, who);
        if (send(client, text, (size_t)count, MSG_NOSIGNAL) < 0) perror("send");
        close(client);
      } else if (i < 4) {
        if (recvfrom(set[i].fd, bytes, sizeof bytes, 0, address, &peer.size) < 0) continue;
        name(&peer, who, sizeof who);
        int count = snprintf(text, sizeof text, "%s %s\n", title, who);
        if (sendto(set[i].fd, text, (size_t)count, 0, address, peer.size) < 0) perror("sendto");
      } else {
        size_t size = 0;
        const uint8_t *request = receive(set[i].fd, bytes, &size, &peer);
        if (!request || request[12] != INIT || get16(request + 2) != (unsigned)port) continue;
        name(&peer, who, sizeof who);
        snprintf(text, sizeof text, "%s %s\n", title, who);
        size = packet(reply, INIT_ACK, (unsigned)port, get16(request), get32(request + 16), text);
        if (peer.address.ss_family == AF_INET6) ((struct sockaddr_in6 *)address)->sin6_port = 0;
        if (sendto(set[i].fd, reply, size, 0, address, peer.size) < 0) perror("sendto");
      }
    }
  }
}

static int ask(const char *transport, const char *text, int port, int local) {
  int isSCTP = !strcmp(transport, "sctp"), isUDP = !strcmp(transport, "udp");
  struct endpoint there = endpoint(text, isSCTP ? 0 : port), from;
  int family = there.address.ss_family;
  int fd = make(family, isSCTP ? SOCK_RAW : isUDP ? SOCK_DGRAM : SOCK_STREAM,
                isSCTP ? IPPROTO_SCTP : 0);
  struct timeval patience = {.tv_sec = 1, .tv_usec = 500000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (local && !isSCTP) {
    struct endpoint here = endpoint(family == AF_INET ? "0.0.0.0" : "::", local);
    if (bind(fd, (struct sockaddr *)&here.address, here.size)) fail("bind");
  }
  if (connect(fd, (struct sockaddr *)&there.address, there.size)) fail("connect");
  uint8_t bytes[2048];
  if (!isSCTP) {
    if (isUDP && send(fd, "?", 1, 0) < 0) fail("send");
    ssize_t count = recv(fd, bytes, sizeof bytes, 0);
    if (count <= 0) fail("recv");
    fwrite(bytes, 1, (size_t)count, stdout);
    return 0;
  }
  unsigned own = local ? (unsigned)local : 20000 + (unsigned)getpid() % 20000;
  size_t size = packet(bytes, INIT, own, (unsigned)port, 0, NULL);
  if (send(fd, bytes, size, 0) < 0) fail("send");
  for (int tries = 0; tries < 64; tries++) {
    const uint8_t *reply = receive(fd, bytes, &size, &from);
    if (!reply) {
      if (errno == EAGAIN) fail("recv");
      continue;
    }
    if (reply[12] != INIT_ACK || get16(reply + 2) != own || get16(reply) != (unsigned)port)
      continue;
    if (size < FIXED + 4) continue;
    size_t length = get16(reply + FIXED + 2);
    if (length < 4 || length > size - FIXED) continue;
    fwrite(reply + FIXED + 4, 1, length - 4, stdout);
    return 0;
  }
  return 1;
}

static int frame(const char *link, const char *hex) {
  uint8_t bytes[1514];
  size_t size = 0;
  unsigned octet;
  while (size < sizeof bytes && sscanf(hex + 2 * size, "%2x", &octet) == 1)
    bytes[size++] = (uint8_t)octet;
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  struct sockaddr_ll there = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(link)};
  if (fd < 0 || sendto(fd, bytes, size, 0, (struct sockaddr *)&there, sizeof there) < 0) fail(link);
  return 0;
}

int main(int count, char **words) {
  if (count == 4 && !strcmp(words[1], "frame")) return frame(words[2], words[3]);
  if (count == 4 && !strcmp(words[1], "serve")) serve(words[2], atoi(words[3]));
  if (count >= 5 && !strcmp(words[1], "ask"))
    return ask(words[2], words[3], atoi(words[4]), count > 5 ? atoi(words[5]) : 0);
  fprintf(stderr, "usage: echo serve NAME PORT | echo ask PROTOCOL ADDRESS PORT [LOCALPORT]\n");
  return 2;
}
