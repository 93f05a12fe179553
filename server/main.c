/* SPDX-License-Identifier: BSD-3-Clause */
/* ebb-server: from the command line to a running server. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "heap_profile.h"
#include "huge_pages.h"
#include "server.h"
#include "version.h"

static void print_help(void)
{
    fputs("ebb-server [FILE] [--OPTION VALUE]...\n"
          "A cache that speaks Redis's protocol and keeps its memory within a "
          "budget.\n\n"
          "  -h, --help     this text\n"
          "  -v, --version  the version\n\n"
          "Options, in a file or as flags:\n\n",
          stdout);
    conf_print_help(stdout);
}

/* A socket must never get the number of a standard stream. */
static void open_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static bool is_flag(const char *arg, const char *brief, const char *full)
{
    return strcmp(arg, brief) == 0 || strcmp(arg, full) == 0;
}

static int complain(const char *why)
{
    fprintf(stderr, "ebb-server: %s\n", why);
    return 1;
}

int main(int argc, char **argv)
{
    open_standard_streams();
    huge_pages_begin();

    if (argc > 1 && is_flag(argv[1], "-h", "--help")) {
        print_help();
        return 0;
    }
    if (argc > 1 && is_flag(argv[1], "-v", "--version")) {
        puts("ebb-server " EBB_VERSION);
        return 0;
    }

    static struct conf conf;
    static char why[CONF_TEXT_MAX];
    conf_init(&conf);
    const char *error = conf_load_args(&conf, argc, argv, why);
    if (!error)
        error = conf_load_env(&conf, why);
    if (!error)
        error = heap_profile_begin(&conf, argv);
    if (error)
        return complain(error);

    struct server *server = server_start(&conf, why);
    if (!server)
        return complain(why);
    int status = server_run(server);
    server_free(server);
    return status;
}
