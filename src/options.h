/* options.h: every option of cloudcoind, as -help shows them. */
#ifndef CC_OPTIONS_H
#define CC_OPTIONS_H

#include "util/args.h"

extern const struct cc_arg_option cc_daemon_options[];
extern const size_t cc_daemon_option_count;

/* Options of bitcoind for parts that this daemon does not have: they may say
 * no to them (-txindex=0), not yes. Ends with NULL. */
extern const char *const cc_daemon_absent[];

#endif
