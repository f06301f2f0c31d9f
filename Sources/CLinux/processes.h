#ifndef CLINUX_PROCESSES_H
#define CLINUX_PROCESSES_H

#include "call.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static inline char **clinux_environment(void) {
  extern char **environ;
  return environ;
}

/*
 * Memory that is freed stays with this process, up to a mebibyte: it would go back to the kernel,
 * and come again page by page, filled with zeros; see mallopt(3).
 */
static inline void clinux_keep_memory(void) {
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  mallopt(M_TOP_PAD, 256 << 10);
}

/* One of the 16 random octets that the kernel gave this program; see getauxval(3), AT_RANDOM. */
static inline unsigned char clinux_random_octet(unsigned position) {
  return ((const unsigned char *)getauxval(AT_RANDOM))[position % 16];
}

/* 64 random bits; see getrandom(2). */
static inline long clinux_random_number(unsigned long long *number) {
  return CLINUX_CALL(getrandom(number, sizeof *number, 0));
}

static inline long clinux_pipe(int ends[2]) {
  extern int pipe2(int[2], int);
  return CLINUX_CALL(pipe2(ends, 02000000 /* O_CLOEXEC */));
}

/*
 * Starts `path` with `input` and `output` as descriptors 0 and 1, and `errors` as 2 unless that is
 * negative, in a process group of its own, with no signal blocked, and SIGPIPE and SIGXFSZ as
 * usual. It is killed when this thread ends, however that comes. Returns its process ID, or -errno.
 *
 * posix_spawn(3) has no attribute for PR_SET_PDEATHSIG. Between vfork(2) and execve(2) the child
 * uses this memory, while this thread stands still: it changes nothing but `failure`.
 */
static inline long clinux_spawn(const char *path, char *const arguments[],
                                char *const environment[], int input, int output, int errors) {
  extern int vfork(void);
  sigset_t all, none, before;
  volatile int failure = 0;
  pid_t parent = getpid();
  sigfillset(&all);
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = vfork();
  if (!pid) {
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    /* The parent may have ended before prctl(2). */
    if (setpgid(0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) || getppid() != parent ||
        dup2(input, 0) < 0 || dup2(output, 1) < 0 || (errors >= 0 && dup2(errors, 2) < 0) ||
        pthread_sigmask(SIG_SETMASK, &none, 0) || execve(path, arguments, environment))
      failure = errno ? errno : ECHILD;
    _exit(127);
  }
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  if (pid < 0) return -error;
  if (failure) {
    waitpid(pid, 0, 0);
    return -failure;
  }
  return pid;
}

/*
 * Keeps no directory but the root, and of all descriptors only `kept`; see close_range(2), Linux
 * 5.9.
 */
static inline void clinux_keep_only(int kept) {
  (void)!chdir("/");
  if ((kept > 0 && syscall(436 /* SYS_close_range */, 0, kept - 1, 0)) ||
      syscall(436, kept + 1, ~0u, 0))
    for (int fd = 0; fd < 1024; fd++)
      if (fd != kept) close(fd);
}

/* A descriptor that becomes readable when the process ends; see pidfd_open(2), Linux 5.3. */
static inline long clinux_open_process(pid_t pid) {
  return CLINUX_CALL(syscall(434 /* SYS_pidfd_open */, pid, 0));
}
/* The wait status of `pid`, which must have ended. */
static inline long clinux_wait(pid_t pid) {
  int status = 0;
  long result = CLINUX_CALL(waitpid(pid, &status, 0));
  return result < 0 ? result : status;
}
/* Whether the child `pid` has ended, which is forgotten then; see waitpid(2), WNOHANG. */
static inline int clinux_forget(pid_t pid) { return waitpid(pid, 0, WNOHANG) != 0; }
static inline long clinux_kill_group(pid_t group, int number) {
  return CLINUX_CALL(kill(-group, number));
}
static inline long clinux_kill(pid_t pid, int number) { return CLINUX_CALL(kill(pid, number)); }
static inline int clinux_exit_status(long status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
static inline int clinux_ending_signal(long status) {
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

#endif
