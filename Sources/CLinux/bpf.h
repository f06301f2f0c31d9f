#ifndef CLINUX_BPF_H
#define CLINUX_BPF_H

#include "call.h"

#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline long clinux_bpf(int command, union bpf_attr *attribute) {
  extern long syscall(long, ...);
  return CLINUX_CALL(syscall(SYS_bpf, command, attribute, sizeof *attribute));
}

/*
 * Loads a program of the kind BPF_PROG_TYPE_XDP, which takes frames of more than one piece, too.
 * Returns its descriptor. A signal that arrives while the verifier is at work is -EAGAIN.
 */
static inline long clinux_load_xdp(const uint64_t *instructions, size_t count, const char *name) {
  union bpf_attr attribute;
  memset(&attribute, 0, sizeof attribute);
  attribute.prog_type = BPF_PROG_TYPE_XDP;
  attribute.insns = (uint64_t)(uintptr_t)instructions;
  attribute.insn_cnt = (uint32_t)count;
  attribute.license = (uint64_t)(uintptr_t) "Dual BSD/GPL";
  attribute.prog_flags = BPF_F_XDP_HAS_FRAGS;
  strncpy(attribute.prog_name, name, sizeof attribute.prog_name - 1);
  long result = -EAGAIN;
  for (int attempt = 0; attempt < 5 && result == -EAGAIN; attempt++) {
    result = clinux_bpf(BPF_PROG_LOAD, &attribute);
  }
  return result;
}

/* The descriptor of the program that has this number. */
static inline long clinux_open_bpf_program(uint32_t number) {
  union bpf_attr attribute;
  memset(&attribute, 0, sizeof attribute);
  attribute.prog_id = number;
  return clinux_bpf(BPF_PROG_GET_FD_BY_ID, &attribute);
}

/* The number of a program, and the digest of its instructions. */
static inline long clinux_bpf_program_info(int fd, uint32_t *number, uint64_t *tag) {
  union bpf_attr attribute;
  struct bpf_prog_info info;
  memset(&attribute, 0, sizeof attribute);
  memset(&info, 0, sizeof info);
  attribute.info.bpf_fd = (uint32_t)fd;
  attribute.info.info_len = sizeof info;
  attribute.info.info = (uint64_t)(uintptr_t)&info;
  long result = clinux_bpf(BPF_OBJ_GET_INFO_BY_FD, &attribute);
  *number = info.id;
  memcpy(tag, info.tag, sizeof *tag);
  return result;
}

/*
 * The counter `name` of the driver of `link`: what `ethtool -S` shows. -ENOENT where it has none.
 * The two answers have no room for more than 1024 counters.
 */
static inline long clinux_ethtool_counter(int fd, const char *link, const char *name,
                                          uint64_t *value) {
  enum { most = 1024 };
  struct {
    struct ethtool_gstrings header;
    char names[most][ETH_GSTRING_LEN];
  } names;
  struct {
    struct ethtool_stats header;
    uint64_t values[most];
  } counters;
  struct {
    struct ethtool_sset_info header;
    uint32_t count;
  } size = {{.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_STATS}, 0};
  struct ifreq request = {.ifr_data = (void *)&size};
  size_t length = strlen(link);
  if (length >= sizeof request.ifr_name) return -ENODEV;
  memcpy(request.ifr_name, link, length);
  long result = CLINUX_CALL(ioctl(fd, SIOCETHTOOL, &request));
  if (result < 0) return result;
  if (!size.header.sset_mask || size.count > most) return -ENOENT;
  names.header.cmd = ETHTOOL_GSTRINGS;
  names.header.string_set = ETH_SS_STATS;
  names.header.len = size.count;
  request.ifr_data = (void *)&names;
  result = CLINUX_CALL(ioctl(fd, SIOCETHTOOL, &request));
  if (result < 0) return result;
  counters.header.cmd = ETHTOOL_GSTATS;
  counters.header.n_stats = size.count;
  request.ifr_data = (void *)&counters;
  result = CLINUX_CALL(ioctl(fd, SIOCETHTOOL, &request));
  if (result < 0) return result;
  for (uint32_t number = 0; number < size.count && number < counters.header.n_stats; number++) {
    if (strncmp(names.names[number], name, ETH_GSTRING_LEN)) continue;
    *value = counters.values[number];
    return 0;
  }
  return -ENOENT;
}

#endif
