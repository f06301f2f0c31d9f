#ifndef CJANSSON_SHIM_H
#define CJANSSON_SHIM_H

#include <jansson.h>

/* Macros and static inline functions of jansson.h, as plain functions for Swift. */
static inline void cjansson_decref(json_t *value) { json_decref(value); }
static const size_t cjansson_reject_duplicates = JSON_REJECT_DUPLICATES;
static const size_t cjansson_decode_any = JSON_DECODE_ANY;

#endif
