/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TREE_H
#define TREE_H

/* A made-up tree of files, as /proc and /sys would have them. */

enum { TREE_ROOT_MAX = 32 };

/* An empty folder; its path is written to `root`. */
void tree_make(char root[TREE_ROOT_MAX]);
/* Writes a file below it, with the folders it needs. */
void tree_put(const char *root, const char *path, const char *text);
void tree_remove(const char *root);

#endif
