#ifndef CLINUX_FILES_H
#define CLINUX_FILES_H

#include "call.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static inline long clinux_open(const char *path, int flags, mode_t mode) {
  return CLINUX_CALL(open(path, flags | O_CLOEXEC, mode));
}
static inline long clinux_open_at(int directory, const char *name, int flags, mode_t mode) {
  return CLINUX_CALL(openat(directory, name, flags | O_CLOEXEC, mode));
}
/*
 * Where this thread reads into while it is not known how much comes. Memory of that size from
 * malloc(3) costs more than to copy what came: the heap grows, and small pieces are put together.
 */
enum { clinux_buffer_size = 64 << 10 };
static inline unsigned char *clinux_buffer(void) {
  static _Thread_local unsigned char buffer[clinux_buffer_size];
  return buffer;
}
static inline long clinux_read(int fd, void *buffer, size_t count) {
  return CLINUX_CALL(read(fd, buffer, count));
}
static inline long clinux_read_at(int fd, void *buffer, size_t count, off_t offset) {
  return CLINUX_CALL(pread(fd, buffer, count, offset));
}
static inline long clinux_write(int fd, const void *buffer, size_t count) {
  return CLINUX_CALL(write(fd, buffer, count));
}
static inline long clinux_write_at(int fd, const void *buffer, size_t count, off_t offset) {
  return CLINUX_CALL(pwrite(fd, buffer, count, offset));
}
/* Not made again after EINTR: on Linux the descriptor is closed all the same; see close(2). */
static inline void clinux_close(int fd) { close(fd); }

static inline long clinux_sync_data(int fd) { return CLINUX_CALL(fdatasync(fd)); }
static inline long clinux_sync(int fd) { return CLINUX_CALL(fsync(fd)); }
static inline long clinux_truncate(int fd, off_t size) { return CLINUX_CALL(ftruncate(fd, size)); }

/* `directory` may be AT_FDCWD in each of these. */
static inline long clinux_unlink_at(int directory, const char *name, int flags) {
  return CLINUX_CALL(unlinkat(directory, name, flags));
}
static inline long clinux_rename_at(int from, const char *name, int to, const char *other) {
  return CLINUX_CALL(renameat(from, name, to, other));
}
static inline long clinux_link_at(int from, const char *name, int to, const char *other) {
  return CLINUX_CALL(linkat(from, name, to, other, 0));
}
static inline long clinux_make_directory_at(int directory, const char *name, mode_t mode) {
  return CLINUX_CALL(mkdirat(directory, name, mode));
}
static inline long clinux_stat_at(int directory, const char *name, struct stat *out, int flags) {
  return CLINUX_CALL(fstatat(directory, name, out, flags));
}
static inline long clinux_stat_descriptor(int fd, struct stat *out) {
  return CLINUX_CALL(fstat(fd, out));
}
static inline long clinux_read_link(const char *path, char *buffer, size_t size) {
  return CLINUX_CALL(readlink(path, buffer, size));
}
/* The two numbers of a device; see makedev(3). */
static inline unsigned clinux_major(unsigned long long device) { return major(device); }
static inline unsigned clinux_minor(unsigned long long device) { return minor(device); }
static inline int clinux_at_fdcwd(void) { return AT_FDCWD; }

/* Sets the time of the last change of content, in nanoseconds; see futimens(3). */
static inline long clinux_set_modified(int fd, long long nanoseconds) {
  struct timespec times[2] = {{0, UTIME_OMIT},
                              {nanoseconds / 1000000000LL, nanoseconds % 1000000000LL}};
  return CLINUX_CALL(futimens(fd, times));
}
static inline long clinux_access(const char *path, int mode) {
  return CLINUX_CALL(faccessat(AT_FDCWD, path, mode, AT_EACCESS));
}
/* 1 where the file system has room for one more file, 0 where it has not; see statvfs(3). */
static inline long clinux_has_room(const char *path) {
  struct statvfs status;
  long result = CLINUX_CALL(statvfs(path, &status));
  if (result < 0) return result;
  int unprivileged = geteuid() != 0;
  int blocks = !status.f_blocks || (unprivileged ? status.f_bavail : status.f_bfree) > 0;
  int inodes = !status.f_files || (unprivileged ? status.f_favail : status.f_ffree) > 0;
  return blocks && inodes;
}

static inline long clinux_flock(int fd, int operation) { return CLINUX_CALL(flock(fd, operation)); }

/* Open file description locks, fcntl(2); glibc hides them behind _GNU_SOURCE. */
#ifndef F_OFD_SETLK
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#endif
/* Locks one octet of the file, `type` being F_RDLCK or F_WRLCK, if that needs no waiting. */
static inline long clinux_lock_octet(int fd, short type, long long offset) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  return CLINUX_CALL(fcntl(fd, F_OFD_SETLK, &range));
}

static void clinux_on_alarm(int number) { (void)number; }

/*
 * Waits for flock(2) with `operation`, or with a `range` for fcntl(2), for `deadline` nanoseconds
 * of CLOCK_MONOTONIC at most: then -ETIMEDOUT.
 *
 * Neither has a timeout: a signal has to end it. The timer sends it to this thread alone, and
 * again every 10 ms, so that one that comes just before the call starts to wait is not the last.
 */
static inline long clinux_await_lock(int fd, int operation, struct flock *range,
                                     long long deadline) {
  struct sigaction action = {.sa_handler = clinux_on_alarm};
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGALRM};
  struct itimerspec timing = {{0, 10000000}, {deadline / 1000000000, deadline % 1000000000}};
  struct timespec now;
  sigset_t alarm, blocked;
  timer_t timer;
  event._sigev_un._tid = syscall(SYS_gettid);
  long result = CLINUX_CALL(timer_create(CLOCK_MONOTONIC, &event, &timer));
  if (result < 0) return result;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  sigaction(SIGALRM, &action, 0);
  pthread_sigmask(SIG_UNBLOCK, &alarm, &blocked);
  timer_settime(timer, TIMER_ABSTIME, &timing, 0);
  do {
    result = range ? CLINUX_CALL_ONCE(fcntl(fd, F_OFD_SETLKW, range))
                   : CLINUX_CALL_ONCE(flock(fd, operation));
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (result == -EINTR && now.tv_sec * 1000000000LL + now.tv_nsec < deadline);
  timer_delete(timer);
  pthread_sigmask(SIG_SETMASK, &blocked, 0);
  return result == -EINTR ? -ETIMEDOUT : result;
}

static inline long clinux_flock_until(int fd, int operation, long long deadline) {
  return clinux_await_lock(fd, operation, 0, deadline);
}
static inline long clinux_lock_octet_until(int fd, short type, long long offset,
                                           long long deadline) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  return clinux_await_lock(fd, 0, &range, deadline);
}

/*
 * How many entries the directory has from here on, `.` and `..` included; where it is `most` or
 * more, any such number.
 */
static inline long clinux_count_entries(int fd, long most) {
  _Alignas(struct dirent) char buffer[4096];
  long count = 0, size = 0;
  while (count < most &&
         (size = CLINUX_CALL(syscall(SYS_getdents64, fd, buffer, sizeof buffer))) > 0)
    for (long at = 0; at < size; count++)
      at += ((const struct dirent *)(buffer + at))->d_reclen;
  return size < 0 ? size : count;
}

/* The next entry's name, `.` and `..` included; null at the end, or where `error` is not 0. */
static inline const char *clinux_next_entry(DIR *directory, int *error) {
  errno = 0;
  struct dirent *entry = readdir(directory);
  *error = entry ? 0 : errno;
  return entry ? entry->d_name : 0;
}
/* Takes `fd` over, also when it fails. */
static inline DIR *clinux_open_entries(int fd) {
  DIR *directory = fdopendir(fd);
  if (!directory) close(fd);
  return directory;
}

#endif
