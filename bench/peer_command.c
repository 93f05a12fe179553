/* SPDX-License-Identifier: BSD-3-Clause */
/* The command lines of the servers that are compared. */

#include "bench/peer_command.h"

#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ARG_SIZE = PATH_MAX,
    MEMCACHED_VALUE_MAX = 1000000 /* unless it is told more */
};

static void arg(struct peer_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void option(struct peer_command *command, const char *name,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void arg_list(struct peer_command *command, const char *format,
                     va_list list)
{
    char text[ARG_SIZE];
    vsnprintf(text, sizeof text, format, list);
    command->argv[command->count++] = strdup(text);
}

static void arg(struct peer_command *command, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    arg_list(command, format, list);
    va_end(list);
}

/* Two arguments: its name, and its value. */
static void option(struct peer_command *command, const char *name,
                   const char *format, ...)
{
    va_list list;
    arg(command, "%s", name);
    va_start(list, format);
    arg_list(command, format, list);
    va_end(list);
}

/* A program in the folder of this one, or beside that folder. */
static void arg_sibling(struct peer_command *command, const char *name)
{
    char self[ARG_SIZE - 64] = "";
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    self[len > 0 ? len : 0] = '\0';
    arg(command, "%s/%s", dirname(self), name);
}

static void arg_connections(struct peer_command *command, const char *name,
                            const struct peer_options *options)
{
    if (options->connections != 0)
        option(command, name, "%u", options->connections);
}

typedef void command_for(struct peer_command *command, int port,
                         const struct peer_options *options);

static void ebb_command(struct peer_command *command, int port,
                        const struct peer_options *options)
{
    if (options->ebb != NULL)
        arg(command, "%s", options->ebb);
    else
        arg_sibling(command, "../ebb-server");
    option(command, "--port", "%d", port);
    option(command, "--maxmemory", "%llu",
           (unsigned long long)options->budget_bytes);
    option(command, "--metrics-port", "0");
    option(command, "--threads", "%u", options->threads);
    arg_connections(command, "--maxclients", options);
}

static void redis_command(struct peer_command *command, int port,
                          const struct peer_options *options)
{
    arg(command, "redis-server");
    option(command, "--bind", "127.0.0.1");
    option(command, "--port", "%d", port);
    option(command, "--save", "%s", "");
    option(command, "--maxmemory", "%llu",
           (unsigned long long)options->budget_bytes);
    option(command, "--maxmemory-policy", "allkeys-lru");
    arg_connections(command, "--maxclients", options);
}

static void memcached_command(struct peer_command *command, int port,
                              const struct peer_options *options)
{
    const struct passwd *user = getpwuid(getuid());
    arg(command, "memcached");
    option(command, "-l", "127.0.0.1");
    option(command, "-p", "%d", port);
    option(command, "-u", "%s", user != NULL ? user->pw_name : "root");
    option(command, "-m", "%llu",
           (unsigned long long)(options->budget_bytes >> 20));
    option(command, "-t", "%u", options->threads != 0 ? options->threads : 4);
    arg_connections(command, "-c", options);
    if (options->value_bytes >= MEMCACHED_VALUE_MAX)
        option(command, "-I", "%llu",
               (unsigned long long)options->value_bytes * 2);
}

static void floor_command(struct peer_command *command, int port,
                          const struct peer_options *options)
{
    arg_sibling(command, "floor");
    option(command, "--port", "%d", port);
    option(command, "--value", "%llu",
           (unsigned long long)options->value_bytes);
    option(command, "--values", "%llu", (unsigned long long)options->values);
}

/* The shell makes way for it, so that its process is the server's. */
static void other_command(struct peer_command *command, int port,
                          const struct peer_options *options)
{
    char text[ARG_SIZE] = "exec ";
    size_t len = strlen(text);
    const char *from = options->other != NULL ? options->other : "false";
    for (; *from != '\0' && len + 32 < sizeof text; from++) {
        if (from[0] == '%' && from[1] == 'p')
            len += (size_t)sprintf(text + len, "%d", port);
        else if (from[0] == '%' && from[1] == 'm')
            len += (size_t)sprintf(text + len, "%llu",
                                   (unsigned long long)options->budget_bytes);
        else
            text[len++] = *from;
        from += from[0] == '%' && (from[1] == 'p' || from[1] == 'm');
    }
    text[len] = '\0';
    arg(command, "/bin/sh");
    option(command, "-c", "%s", text);
}

static command_for *const commands[PEER_COUNT] = {
    [PEER_EBB] = ebb_command,
    [PEER_REDIS] = redis_command,
    [PEER_MEMCACHED] = memcached_command,
    [PEER_FLOOR] = floor_command,
    [PEER_OTHER] = other_command,
};

struct peer_command peer_command(enum peer_id id, int port,
                                 const struct peer_options *options)
{
    struct peer_command command = {0};
    commands[id](&command, port, options);
    return command;
}

void peer_command_free(struct peer_command *command)
{
    for (unsigned i = 0; i < command->count; i++)
        free(command->argv[i]);
}
