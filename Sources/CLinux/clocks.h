#ifndef CLINUX_CLOCKS_H
#define CLINUX_CLOCKS_H

#include "call.h"

#include <signal.h>
#include <sys/time.h>
#include <time.h>

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

static void clinux_on_alarm(int number) { (void)number; }

/*
 * Lets SIGALRM interrupt system calls `nanoseconds` from now and every 10 ms after that, so that
 * an alarm that comes just before a call starts to wait is not the last. 0 ends it.
 */
static inline void clinux_alarm(long long nanoseconds) {
  struct sigaction action = {.sa_handler = clinux_on_alarm};
  sigaction(SIGALRM, &action, 0);
  struct itimerval timer = {{0, nanoseconds ? 10000 : 0},
                            {nanoseconds / 1000000000LL, nanoseconds % 1000000000LL / 1000}};
  if (nanoseconds && !timer.it_value.tv_sec && !timer.it_value.tv_usec) timer.it_value.tv_usec = 1;
  setitimer(ITIMER_REAL, &timer, 0);
}
static inline void clinux_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }

#endif
