#ifndef CLINUX_CONTAINERS_H
#define CLINUX_CONTAINERS_H

#include "call.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* linux/sched.h; see namespaces.h. */
#define CLINUX_CLONE_NEWPID 0x20000000

/* Flags of mount(2) and umount2(2), which <sys/mount.h> has in an enumeration. */
#define CLINUX_MS_RDONLY 1UL
#define CLINUX_MS_NOSUID 2UL
#define CLINUX_MS_NODEV 4UL
#define CLINUX_MS_NOEXEC 8UL
#define CLINUX_MS_BIND 4096UL
#define CLINUX_MS_MOVE 8192UL
#define CLINUX_MS_REC 16384UL
#define CLINUX_MS_PRIVATE (1UL << 18)
#define CLINUX_MS_SLAVE (1UL << 19)
#define CLINUX_MS_SHARED (1UL << 20)
#define CLINUX_MNT_DETACH 2

static inline long clinux_mount(const char *source, const char *target, const char *type,
                                unsigned long flags, const char *options) {
  return CLINUX_CALL(mount(source, target, type, flags, options));
}
static inline long clinux_unmount(const char *target, int flags) {
  return CLINUX_CALL(umount2(target, flags));
}
/* 1 or 0, or -errno. */
static inline long clinux_is_read_only(const char *path) {
  struct statvfs status;
  long result = CLINUX_CALL(statvfs(path, &status));
  return result < 0 ? result : (status.f_flag & ST_RDONLY) != 0;
}
static inline long clinux_symbolic_link(const char *content, const char *path) {
  return CLINUX_CALL(symlink(content, path));
}

/* For a process with one thread. */
static inline long clinux_fork(void) { return CLINUX_CALL(fork()); }

/* Lets the kernel kill this process when the thread that started it ends. */
static inline long clinux_end_with_parent(void) {
  return CLINUX_CALL(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
}

static inline long clinux_execute(const char *path, char *const arguments[],
                                  char *const environment[]) {
  return CLINUX_CALL(execve(path, arguments, environment));
}

/* Any child that has ended: its process ID and its wait status; waits for one. */
static inline long clinux_wait_any(int *status) { return CLINUX_CALL(waitpid(-1, status, 0)); }

/* What the terminal sends to its whole process group is for the command, not for who waits. */
static inline void clinux_ignore_terminal_signals(void) {
  signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
}
/* As a program expects its signals when it starts: none ignored, none blocked. */
static inline void clinux_reset_signals(void) {
  sigset_t none;
  for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, 0);
}

/* Whether this process group is the one that may read the terminal on descriptor `fd`. */
static inline int clinux_holds_terminal(int fd) { return tcgetpgrp(fd) == getpgrp(); }
/* Makes it that one. */
static inline long clinux_take_terminal(int fd) { return CLINUX_CALL(tcsetpgrp(fd, getpgrp())); }
/* The columns of the terminal on descriptor `fd`; 0 if it is none or does not tell. */
static inline int clinux_terminal_width(int fd) {
  struct winsize size = {0};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

#endif
