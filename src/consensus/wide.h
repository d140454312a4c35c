/* wide.h: 128-bit products (doc/protocol.md 4.0), in one place because ISO C
 * has no name for the type. */
#ifndef CC_CONSENSUS_WIDE_H
#define CC_CONSENSUS_WIDE_H

__extension__ typedef unsigned __int128 cc_u128;

#endif
