/* SPDX-License-Identifier: BSD-3-Clause */
/* Which parts of the process may have huge pages. */

#include "huge_pages.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

/* Older headers do not have it. */
#ifndef PR_THP_DISABLE_EXCEPT_ADVISED
#define PR_THP_DISABLE_EXCEPT_ADVISED 2
#endif

/* The words of a setting, that in force in brackets; "" if it cannot be read.
 */
static void read_setting(const char *path, char *text, int size)
{
    FILE *file = fopen(path, "re");
    text[0] = '\0';
    if (!file)
        return;
    if (!fgets(text, size, file))
        text[0] = '\0';
    fclose(file);
}

bool huge_pages_are_advised(const char *root)
{
    static const char folder[] = "/sys/kernel/mm/transparent_hugepage";
    char path[512], text[128];
    snprintf(path, sizeof path, "%s%s/enabled", root, folder);
    read_setting(path, text, sizeof text);
    bool advised = strstr(text, "[madvise]") || strstr(text, "[never]");
    glob_t sizes;
    snprintf(path, sizeof path, "%s%s/hugepages-*/enabled", root, folder);
    if (glob(path, GLOB_NOSORT, NULL, &sizes) != 0)
        return advised;
    for (size_t i = 0; i < sizes.gl_pathc; i++) {
        read_setting(sizes.gl_pathv[i], text, sizeof text);
        if (strstr(text, "[always]"))
            advised = false;
    }
    globfree(&sizes);
    return advised;
}

void huge_pages_begin(void)
{
    if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1)
        return;
    if (prctl(PR_SET_THP_DISABLE, 1, PR_THP_DISABLE_EXCEPT_ADVISED, 0, 0) == 0)
        return;
    if (!huge_pages_are_advised(""))
        prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}
