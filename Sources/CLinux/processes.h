#ifndef CLINUX_PROCESSES_H
#define CLINUX_PROCESSES_H

#include "call.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static inline char **clinux_environment(void) {
  extern char **environ;
  return environ;
}

static inline long clinux_pipe(int ends[2]) {
  extern int pipe2(int[2], int);
  return CLINUX_CALL(pipe2(ends, 02000000 /* O_CLOEXEC */));
}

/*
 * Starts `path` with `input` and `output` as descriptors 0 and 1, and `errors` as 2 unless that is
 * negative, in a process group of its own, with no signal blocked and SIGPIPE as usual. Answers its
 * process ID, or -errno.
 */
static inline long clinux_spawn(const char *path, char *const arguments[],
                                char *const environment[], int input, int output, int errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, pipe_only;
  pid_t pid = 0;
  sigemptyset(&none);
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  int error = posix_spawn_file_actions_init(&actions);
  if (error) return -error;
  error = posix_spawnattr_init(&attributes);
  if (!error) {
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &pipe_only);
    error = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (!error) error = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!error && errors >= 0) error = posix_spawn_file_actions_adddup2(&actions, errors, 2);
    if (!error) error = posix_spawn(&pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error ? -error : pid;
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
