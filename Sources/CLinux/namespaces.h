#ifndef CLINUX_NAMESPACES_H
#define CLINUX_NAMESPACES_H

#include "call.h"

#include <sys/vfs.h>

/* <sched.h> declares these only with _GNU_SOURCE; the constants are those of linux/sched.h. */
#define CLINUX_CLONE_NEWNS 0x00020000
#define CLINUX_CLONE_NEWUSER 0x10000000
#define CLINUX_CLONE_NEWNET 0x40000000

static inline long clinux_enter_namespace(int fd, int kind) {
  extern int setns(int, int);
  return CLINUX_CALL(setns(fd, kind));
}
static inline long clinux_unshare(int kinds) {
  extern int unshare(int);
  return CLINUX_CALL(unshare(kinds));
}

/* The number of the kind of file system that `fd` is of: `f_type` of statfs(2). */
static inline long clinux_file_system(int fd) {
  struct statfs status;
  long result = CLINUX_CALL(fstatfs(fd, &status));
  return result < 0 ? result : (long)status.f_type;
}

/* Whether `fd` is a network namespace: NS_GET_NSTYPE of ioctl_ns(2). */
static inline int clinux_is_network_namespace(int fd) {
  extern int ioctl(int, unsigned long, ...);
  return ioctl(fd, 0xb703 /* NS_GET_NSTYPE */) == CLINUX_CLONE_NEWNET;
}

#endif
