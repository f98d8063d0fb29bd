/*
 * What every unit test includes: cmocka and its prerequisites.
 */
#ifndef HG_TESTS_UNIT_H
#define HG_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"

/* Compares a buffer or a borrowed run with text. */
#define assert_str(actual, expected) \
    do { \
        struct hg_str actual_ = (actual); \
        assert_int_equal(actual_.n, strlen(expected)); \
        assert_memory_equal(actual_.p, expected, actual_.n); \
    } while (0)

#endif
