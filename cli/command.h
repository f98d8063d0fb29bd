/*
 * The subcommands. Each gets its own name as argv[0] and returns the exit code.
 */
#ifndef HG_CLI_COMMAND_H
#define HG_CLI_COMMAND_H

#include "core/base.h"

#include <stdio.h>

enum hg_exit {
    HG_EXIT_OK = 0,
    HG_EXIT_INPUT = 1,   /* the user's input is wrong; the message says where */
    HG_EXIT_USAGE = 2,   /* the command line is wrong */
    HG_EXIT_MACHINE = 3, /* the machine refuses: port taken, disk full, … */
};

int command_serve(int argc, char **argv);
int command_validate(int argc, char **argv);
int command_routes(int argc, char **argv);
int command_invoke(int argc, char **argv);
int command_logs(int argc, char **argv);
int command_events(int argc, char **argv);
int command_version(int argc, char **argv);
int command_help(int argc, char **argv);

/* The actions of events with their options. */
void events_print_usage(FILE *out);

/* The options of serve with their defaults and meanings. */
void serve_print_options(FILE *out);

#endif
