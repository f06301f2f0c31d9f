#ifndef CLINUX_CLOCKS_H
#define CLINUX_CLOCKS_H

#include "call.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Nanoseconds of `clock`; see clock_gettime(2). */
static inline long long clinux_clock(clockid_t clock) {
  struct timespec now;
  return clock_gettime(clock, &now) == 0 ? now.tv_sec * 1000000000LL + now.tv_nsec : 0;
}
static inline long long clinux_clock_monotonic(void) { return clinux_clock(CLOCK_MONOTONIC); }
static inline long long clinux_clock_real(void) { return clinux_clock(CLOCK_REALTIME); }
static inline long long clinux_clock_boot(void) { return clinux_clock(7 /* CLOCK_BOOTTIME */); }

static inline void clinux_sleep(long long nanoseconds) {
  struct timespec rest = {nanoseconds / 1000000000LL, nanoseconds % 1000000000LL};
  while (nanosleep(&rest, &rest) == -1 && errno == EINTR) {}
}

static inline void clinux_prepare_signals(void) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  /* Who ignores it hands that on, and wait(2) finds no children; see execve(2). */
  signal(SIGCHLD, SIG_DFL);
}
/*
 * What is opened later gets none of the numbers 0, 1 and 2 where they were closed: what is logged
 * would be written to it. Reading and writing them is EBADF as before; see open(2), O_PATH.
 */
static inline void clinux_occupy_standard_descriptors(void) {
  int fd;
  do fd = open("/dev/null", 010000000 /* O_PATH */);
  while (fd >= 0 && fd < 3);
  if (fd >= 3) close(fd);
}
/* What clinux_spawn starts has no signal blocked. */
static inline void clinux_block_termination(void) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, 0);
}

#endif
