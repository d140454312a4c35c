/*
 * capture.h: -capturemessages: every message of every peer into files, for
 * looking at later.
 *
 * <folder>/message_capture/<address>/msgs_recv.dat and msgs_sent.dat, one
 * record after the other: time in microseconds 8, command 12, length 4, the
 * payload; integers little-endian. Grows without bound; for debugging.
 */
#ifndef CC_NET_CAPTURE_H
#define CC_NET_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False: it could not be written. */
bool cc_capture_message(const char *folder, const char *address, bool incoming,
                        int64_t time_us, const char *command,
                        const void *payload, size_t len);

#endif
