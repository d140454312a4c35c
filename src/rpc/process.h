/*
 * process.h: a child that speaks in lines.
 *
 * Starts a program in a process group of its own, its standard input and
 * output pipes to us. One thread reads its output and standard error, one
 * writes to its input from a bounded queue; so a child that neither reads nor
 * writes holds up nobody. A child that sends a line longer than allowed is
 * killed, and so is one that closes its output and stays. When it ends, what is
 * left of its group is killed before it is reaped.
 */
#ifndef CC_RPC_PROCESS_H
#define CC_RPC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct cc_process;

#define CC_PROCESS_MAX_LINE (32u << 20)  /* bytes, from the child */
#define CC_PROCESS_MUTE_MS 10000         /* to end after closing its output */
#define CC_PROCESS_MAX_QUEUE (64u << 20) /* bytes waiting for the child */

/* All called on the reading thread; line and text are NUL-terminated, without
 * the line's end, the callee's to change. */
struct cc_process_events {
    void *arg;
    void (*line)(void *arg, char *line, size_t len);
    void (*error_line)(void *arg, const char *text);
    /* The end: how it ended ("exited with status 1"). Nothing comes after. */
    void (*ended)(void *arg, const char *how);
};

/* argv ends with NULL; a program without a slash is looked for in beside (a
 * folder, may be NULL), then in PATH. */
enum cc_status cc_process_start(struct cc_process **out,
                                const char *const *argv, const char *beside,
                                const struct cc_process_events *events,
                                struct cc_error *err);
/* Queue a line; text is taken, its end is added. A queue that is full kills
 * the child. Any thread, any lock. */
void cc_process_send(struct cc_process *p, char *text);
/* Close its input once the queue is written. */
void cc_process_close(struct cc_process *p);
/* Wait until it ended, at most so long; false: it runs on. */
bool cc_process_wait(struct cc_process *p, int64_t timeout_ms);
/* NULL: nothing. */
void cc_process_kill(struct cc_process *p);
/* Kills it if it runs still; joins the threads. */
void cc_process_free(struct cc_process *p);

#endif
