/* options.h: every option of cloudcoind, as -help shows them. */
#ifndef CC_OPTIONS_H
#define CC_OPTIONS_H

#include "util/args.h"

extern const struct cc_arg_option cc_daemon_options[];
extern const size_t cc_daemon_option_count;

#endif
