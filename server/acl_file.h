/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ACL_FILE_H
#define ACL_FILE_H

/*
 * Users in files: one of their own (`aclfile`), or lines of the configuration.
 *
 *   user NAME rule rule ...
 */

#include "acl.h"
#include "conf/conf.h"

enum {
    ACL_FILE_MAX = ACL_BYTES_MAX, /* bytes of the file */
    ACL_FILE_WHY_MAX = 4096, /* of a text that says what is wrong with it */
};

/* Appends the line of a user, without an end. */
void acl_file_line(struct buf *out, struct arg name,
                   const struct acl_rules *rules);

/*
 * Puts the users of a file in force in place of all others, or none of them.
 * NULL, or what is wrong with which lines, as Redis words it, in `why`
 * (ACL_FILE_WHY_MAX bytes).  Regular files only.
 */
const char *acl_file_load(struct acl *acl, const char *path, char *why);
/* The part of it that looks at the text, `len` bytes; the set must be empty. */
const char *acl_file_read(struct acl_users *users, const char *path,
                          const char *text, size_t len, char *why);

/* Writes them all, in one step or not at all.  NULL, or why not, in `why`
 * (CONF_TEXT_MAX bytes) or static. */
const char *acl_file_save(struct acl *acl, const char *path, char *why);

/*
 * At the start: users from the aclfile or the lines of the configuration.
 * NULL, or why not.
 */
const char *acl_file_begin(struct acl *acl, const struct conf *conf, char *why);

/* The users as lines of the configuration, added to conf->users, without
 * "default" if the rest of conf makes it.  False: no memory. */
bool acl_file_export(struct acl *acl, struct conf *conf);

#endif
