/*
 * What every queue engine must do, seen through queue.h alone:
 *   queue_contract URI DATA_DIR [KEY=VALUE]...
 * Servers may know things a moment later than they say; what is so is waited for.
 */
#include "tests/contract/queue/suite.h"

static int open_world(void **state)
{
    (void)state;
    world_open();
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    world_close();
    return 0;
}

int main(int argc, char **argv)
{
    world_init(argc, argv);
    int failed = cmocka_run_group_tests_name("a life", life_tests, open_world, close_world) +
                 cmocka_run_group_tests_name("lanes", lane_tests, open_world, close_world) +
                 cmocka_run_group_tests_name("looking", look_tests, open_world, close_world) +
                 cmocka_run_group_tests_name("restarts", restart_tests, NULL, NULL);
    world_fini();
    return failed ? 1 : 0;
}
