/*
 * The program's entry: finds the subcommand and leaves the rest to it.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *usage, *summary;
} commands[] = {
    {"serve", command_serve, "serve [TEMPLATE] [options]", "run the platform in the foreground"},
    {"validate", command_validate, "validate TEMPLATE",
     "say everything that is wrong or not supported in a template"},
    {"routes", command_routes, "routes [TEMPLATE]", "print the route table"},
    {"invoke", command_invoke, "invoke FUNCTION [--event FILE|-] [--tail|--async]",
     "invoke a function of a running server; --async: hand over an event, print its request id"},
    {"logs", command_logs, "logs FUNCTION [--follow] [--since 10m]", "print a function's log"},
    {"events", command_events, "events list|show|redrive|purge",
     "look at asynchronous events and mend them"},
    {"version", command_version, "version", "print the version"},
    {"help", command_help, "help [COMMAND]", "print this, or a command's options"},
};

static void print_commands(FILE *out)
{
    (void)fprintf(
        out,
        "Headgate runs AWS Lambda functions, and the API Gateway in front of them, on this machine.\n\n"
        "Usage: headgate COMMAND\n\n");
    for (size_t i = 0; i < HG_COUNT(commands); i++)
        (void)fprintf(out, "  %-50s %s\n", commands[i].usage, commands[i].summary);
    (void)fprintf(out, "\n`headgate help serve` lists the options of serve.\n");
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < HG_COUNT(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

int command_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    (void)printf("headgate %s\n", HG_VERSION);
    return HG_EXIT_OK;
}

int command_help(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_commands(stdout);
        return HG_EXIT_OK;
    }
    command = find_command(argv[1]);
    if (!command) {
        (void)fprintf(stderr, "headgate help: there is no command '%s'; see `headgate help`\n",
                      argv[1]);
        return HG_EXIT_USAGE;
    }
    (void)printf("Usage: headgate %s\n\n%s\n", command->usage, command->summary);
    if (command->run == command_serve)
        serve_print_options(stdout);
    if (command->run == command_events)
        events_print_usage(stdout);
    return HG_EXIT_OK;
}

int main(int argc, char **argv)
{
    const struct command *command;

    if (argc < 2) {
        print_commands(stderr);
        return HG_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return command_help(1, argv);
    if (strcmp(argv[1], "--version") == 0)
        return command_version(1, argv);
    command = find_command(argv[1]);
    if (!command) {
        (void)fprintf(stderr, "headgate: there is no command '%s'; see `headgate help`\n", argv[1]);
        return HG_EXIT_USAGE;
    }
    if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
        return command_help(2, (char *[]){argv[0], argv[1], NULL});
    return command->run(argc - 1, argv + 1);
}
