/*
 * crash.h: -dbcrashratio: a process that ends in the middle of a database
 * write, one time in so many, to see that the next start finds all as it was.
 *
 * A thread is told to end the process a few milliseconds from then, and the
 * write goes on: so it ends before, while or after the store's own work, but
 * before whoever writes comes to anything else.
 */
#ifndef CC_CRASH_H
#define CC_CRASH_H

#include <stdatomic.h>

#include "chain/db.h"
#include "util/log.h"

struct cc_crash {
    uint64_t ratio; /* 0: never */
    struct cc_log *log;
    atomic_bool ending; /* the end is on its way */
};

/* For struct cc_chain_config and others that write; borrows c. */
struct cc_fault cc_crash_fault(struct cc_crash *c);

#endif
