#ifndef CJANSSON_SHIM_H
#define CJANSSON_SHIM_H

#include <jansson.h>
#include <stdbool.h>

/* Macros and static inline functions of jansson.h, as plain functions for Swift. */
static inline void cjansson_decref(json_t *value) { json_decref(value); }
static inline bool cjansson_is_numeric_overflow(const json_error_t *error) {
    return json_error_code(error) == json_error_numeric_overflow;
}
static const size_t cjansson_reject_duplicates = JSON_REJECT_DUPLICATES;
static const size_t cjansson_decode_any = JSON_DECODE_ANY;

#endif
