/*
 * steps REPORT NETNS WHOM ACTION NUMBER ARGUMENT PROGRAM: runs PROGRAM, and at one of its system
 * calls does something to it.
 *
 * WHOM is `self`, or `delegate` for the first program that it starts. Calls are counted from the
 * first rt_sigaction(2) on, the first thing that a plugin's main does: what comes before is the
 * loading of the program. ACTION is
 *   count  nothing;
 *   kill   SIGKILL, in the place of call NUMBER;
 *   fail   call NUMBER is not made and answers the error number ARGUMENT;
 *   run    before call NUMBER the shell command ARGUMENT is run to its end.
 * REPORT gets the number of calls, and the name of the call that it happened to, if there was one
 * (for `fail`, one that may fail). NETNS is the network namespace to run in.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
  long number;
  const char *name;
} names[] = {
#define NAME(x) {SYS_##x, #x}
    NAME(read), NAME(write), NAME(close), NAME(openat), NAME(fstat), NAME(lseek), NAME(mmap),
    NAME(mprotect), NAME(munmap), NAME(brk), NAME(rt_sigaction), NAME(rt_sigprocmask), NAME(ioctl),
    NAME(pread64), NAME(pwrite64), NAME(madvise), NAME(getpid), NAME(socket), NAME(connect),
    NAME(sendto), NAME(recvfrom), NAME(sendmsg), NAME(recvmsg), NAME(setsockopt), NAME(getsockopt),
    NAME(clone), NAME(clone3), NAME(execve), NAME(wait4), NAME(waitid), NAME(kill), NAME(fcntl),
    NAME(flock), NAME(fsync), NAME(fdatasync), NAME(ftruncate), NAME(getdents64), NAME(mkdirat),
    NAME(unlinkat), NAME(renameat), NAME(linkat), NAME(readlinkat), NAME(faccessat),
    NAME(utimensat), NAME(statfs), NAME(setns), NAME(pipe2), NAME(ppoll), NAME(prctl), NAME(futex),
    NAME(exit_group), NAME(gettid), NAME(clock_gettime), NAME(clock_nanosleep), NAME(getrandom),
    NAME(newfstatat), NAME(pidfd_open), NAME(timer_create), NAME(timer_settime),
    NAME(timer_delete), NAME(rt_sigreturn), NAME(prlimit64), NAME(rseq), NAME(set_robust_list),
    NAME(sched_getaffinity), NAME(getuid), NAME(geteuid), NAME(faccessat2),
#ifdef SYS_poll
    NAME(poll), NAME(open), NAME(stat), NAME(access), NAME(readlink), NAME(unlink), NAME(mkdir),
    NAME(rename), NAME(vfork), NAME(fork),
#endif
};
/*
 * What no fault is made of: without memory the Swift runtime ends the program, by design; futex is
 * its lock; exit_group and rt_sigreturn cannot fail.
 */
static const long exempt[] = {SYS_brk,     SYS_mmap,  SYS_munmap,     SYS_mprotect,
                              SYS_madvise, SYS_futex, SYS_exit_group, SYS_rt_sigreturn,
                              SYS_execve};

static const char *name_of(long number) {
  static char other[32];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].number == number) return names[i].name;
  snprintf(other, sizeof other, "call-%ld", number);
  return other;
}
static int is_exempt(long number) {
  for (size_t i = 0; i < sizeof exempt / sizeof *exempt; i++)
    if (exempt[i] == number) return 1;
  return 0;
}

static void die(const char *what) {
  fprintf(stderr, "steps: %s: %s\n", what, strerror(errno));
  exit(125);
}

#if defined(__x86_64__)
static void skip_call(pid_t pid) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, pid, 0, &registers)) die("PTRACE_GETREGS");
  registers.orig_rax = -1;
  if (ptrace(PTRACE_SETREGS, pid, 0, &registers)) die("PTRACE_SETREGS");
}
static void set_result(pid_t pid, long result) {
  struct user_regs_struct registers;
  if (ptrace(PTRACE_GETREGS, pid, 0, &registers)) die("PTRACE_GETREGS");
  registers.rax = result;
  if (ptrace(PTRACE_SETREGS, pid, 0, &registers)) die("PTRACE_SETREGS");
}
#elif defined(__aarch64__)
static void skip_call(pid_t pid) {
  int none = -1;
  struct iovec part = {&none, sizeof none};
  if (ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part)) die("PTRACE_SETREGSET");
}
static void set_result(pid_t pid, long result) {
  struct user_regs_struct registers;
  struct iovec part = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part)) die("PTRACE_GETREGSET");
  registers.regs[0] = result;
  if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part)) die("PTRACE_SETREGSET");
}
#else
#error "write skip_call and set_result for this processor"
#endif

int main(int argc, char **argv) {
  if (argc < 8) {
    fprintf(stderr, "usage: steps REPORT NETNS WHOM ACTION NUMBER ARGUMENT PROGRAM\n");
    return 125;
  }
  const char *report = argv[1], *netns = argv[2], *action = argv[4], *argument = argv[6];
  int of_delegate = !strcmp(argv[3], "delegate");
  long wanted = atol(argv[5]), count = 0;
  const char *hit = 0;

  int namespace = open(netns, O_RDONLY | O_CLOEXEC);
  if (namespace < 0 || setns(namespace, CLONE_NEWNET)) die(netns);
  pid_t program = fork();
  if (program < 0) die("fork");
  if (!program) {
    if (ptrace(PTRACE_TRACEME, 0, 0, 0)) die("PTRACE_TRACEME");
    raise(SIGSTOP);
    execv(argv[7], argv + 7);
    die(argv[7]);
  }
  int status;
  if (waitpid(program, &status, 0) != program || !WIFSTOPPED(status)) die("waitpid");
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXEC;
  if (of_delegate) options |= PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK;
  if (ptrace(PTRACE_SETOPTIONS, program, 0, options)) die("PTRACE_SETOPTIONS");
  if (ptrace(PTRACE_SYSCALL, program, 0, 0)) die("PTRACE_SYSCALL");

  /* The process whose calls count, from its execve on. */
  pid_t counted = 0;
  int counting = 0, failing = 0, ended = 0;
  while (1) {
    pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (!WIFSTOPPED(status)) {
      if (pid == program) {
        ended = status;
        /* A delegate may live on; it is not waited for, and not killed. */
        break;
      }
      continue;
    }
    int signal = WSTOPSIG(status), event = status >> 16, deliver = 0;
    if (event == PTRACE_EVENT_EXEC) {
      if (!counted && pid == program ? !of_delegate : of_delegate && pid != program && !counted)
        counted = pid;
    } else if (signal == (SIGTRAP | 0x80)) {
      struct __ptrace_syscall_info info;
      if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) < 0) die("GET_SYSCALL_INFO");
      if (pid == counted && info.op == PTRACE_SYSCALL_INFO_ENTRY) {
        long number = (long)info.entry.nr;
        if (number == SYS_rt_sigaction) counting = 1;
        if (counting && ++count == wanted) {
          if (!strcmp(action, "kill")) {
            hit = name_of(number);
            kill(pid, SIGKILL);
            if (pid == program) {
              waitpid(program, &ended, __WALL);
              break;
            }
            continue;
          }
          if (!strcmp(action, "fail") && !is_exempt(number)) {
            hit = name_of(number);
            skip_call(pid);
            failing = 1;
          }
          if (!strcmp(action, "run")) {
            hit = name_of(number);
            /* In the namespace of the host; what it says is not the plugin's answer. */
            char command[4096];
            snprintf(command, sizeof command, "{ %s; } </dev/null >/dev/null 2>&1", argument);
            if (system(command)) fprintf(stderr, "steps: failed: %s\n", argument);
          }
        }
      } else if (pid == counted && failing && info.op == PTRACE_SYSCALL_INFO_EXIT) {
        set_result(pid, -atol(argument));
        failing = 0;
      }
    } else if (!event && signal != SIGSTOP) {
      deliver = signal;
    }
    ptrace(PTRACE_SYSCALL, pid, 0, deliver);
  }

  FILE *file = fopen(report, "w");
  if (!file) die(report);
  fprintf(file, "%ld %s\n", count, hit ? hit : "");
  fclose(file);
  if (WIFSIGNALED(ended)) return 128 + WTERMSIG(ended);
  return WEXITSTATUS(ended);
}
