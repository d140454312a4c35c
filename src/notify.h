/*
 * notify.h: the commands that users have run when something happens:
 * -blocknotify, -alertnotify, -walletnotify, -startupnotify, -shutdownnotify.
 *
 * Any thread. A command that runs in the background may outlive the node; what
 * it then has to say about it is lost.
 */
#ifndef CC_NOTIFY_H
#define CC_NOTIFY_H

#include "util/log.h"

struct cc_notify;

struct cc_notify *cc_notify_new(struct cc_log *log);
/* log is not used any more. */
void cc_notify_free(struct cc_notify *n);

/* What stands for "%s" and the like in a command. */
struct cc_notify_word {
    char letter;
    const char *text;
};

/* In the background: a slow command must not hold the locks of who tells. */
void cc_notify_spawn(struct cc_notify *n, const char *command,
                     const struct cc_notify_word *words, size_t count);
/* And wait for its end. */
void cc_notify_run(struct cc_notify *n, const char *command);
/* text as one word of a shell, whatever is in it; free(). */
char *cc_notify_quote(const char *text);

#endif
