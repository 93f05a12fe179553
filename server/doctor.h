/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DOCTOR_H
#define DOCTOR_H

/* MEMORY DOCTOR: says in sentences what the memory sheet means. */

#include <stdint.h>

#include "protocol/buf.h"
#include "sheet.h"
#include "stats.h"

struct doctor_case {
    struct stats_now now;
    struct memory_sheet sheet;
    uint64_t machine_bytes; /* of the machine or container; 0: unknown */
};

void doctor_write(const struct doctor_case *patient, struct buf *out);

#endif
