#ifndef CLINUX_CALL_H
#define CLINUX_CALL_H

#include <errno.h>
#include <string.h>

/* The result of `call`, or -errno; made again when a signal interrupts it. */
#define CLINUX_CALL(call)                                         \
  ({                                                              \
    long clinux_result;                                           \
    do clinux_result = (call);                                    \
    while (clinux_result == -1 && errno == EINTR);                \
    clinux_result == -1 ? -(long)errno : clinux_result;           \
  })

/* The same, answered once, with -EINTR when a signal interrupts it. */
#define CLINUX_CALL_ONCE(call)                                    \
  ({                                                              \
    long clinux_result = (call);                                  \
    clinux_result == -1 ? -(long)errno : clinux_result;           \
  })

static inline const char *clinux_error_name(int error) {
  extern const char *strerrorname_np(int);
  return strerrorname_np(error);
}

static inline const char *clinux_error_text(int error) {
  extern const char *strerrordesc_np(int);
  return strerrordesc_np(error);
}

#endif
