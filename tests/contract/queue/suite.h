/*
 * The groups of the suite; all but the last run on one queue that is open.
 */
#ifndef HG_TESTS_CONTRACT_QUEUE_SUITE_H
#define HG_TESTS_CONTRACT_QUEUE_SUITE_H

#include "tests/contract/queue/harness.h"

enum { LIFE_TESTS = 13, LANE_TESTS = 9, LOOK_TESTS = 6, RESTART_TESTS = 6 };

extern const struct CMUnitTest life_tests[LIFE_TESTS], lane_tests[LANE_TESTS],
    look_tests[LOOK_TESTS], restart_tests[RESTART_TESTS];

#endif
