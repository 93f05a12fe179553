/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CROWD_H
#define CROWD_H

/* A client that asks, and others that are spread over the workers. */

#include "tests/console.h"

enum { OTHERS = 12 };

struct crowd {
    struct live *live;
    struct console me, others[OTHERS];
    long long my_id, ids[OTHERS];
};

/* For cmocka: *state is a crowd. */
int crowd_setup(void **state);
int crowd_teardown(void **state);

/* The answer to a command of mine with an id at the place of its %lld. */
const char *crowd_ask_id(struct crowd *crowd, const char *format, long long id);
/* Those of the others must be there, and no more. */
void crowd_check_open(struct crowd *crowd, const bool open[OTHERS]);
/* RESET of the others, past whatever they have not heard yet. */
void crowd_reset(struct crowd *crowd);
/* A number of INFO. */
long long crowd_info(struct crowd *crowd, const char *field);

#endif
