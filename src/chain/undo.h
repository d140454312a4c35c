/*
 * undo.h: undo data as bytes, as Bitcoin's rev files hold them.
 *
 * count of transactions without the coinbase, then for each the count of its
 * inputs and the coins they spent (coins.h, cc_coin_write_undo).
 */
#ifndef CC_CHAIN_UNDO_H
#define CC_CHAIN_UNDO_H

#include "chain/chain.h"

void cc_undo_write(struct cc_writer *w, const struct cc_undo *u);
/* The undo data own a copy of data. CC_MALFORMED: *u untouched. */
enum cc_status cc_undo_decode(struct cc_undo *u, const void *data, size_t len);
/* Has it one coin for each input of the block? */
bool cc_undo_fits(const struct cc_undo *u, const struct cc_block *block);

#endif
