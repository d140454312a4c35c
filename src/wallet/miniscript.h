/*
 * miniscript.h: finding the Miniscript (BIP 379) that a script is.
 *
 * Only that: from the script of a P2WSH output to text, as Core infers it for
 * a descriptor. Miniscript is not read, and scripts of a tree are not looked
 * at. What is found is sane: correct and not malleable by its types, safe
 * without repeated keys and mixed timelocks, spendable within the limits.
 */
#ifndef CC_WALLET_MINISCRIPT_H
#define CC_WALLET_MINISCRIPT_H

#include "util/bytes.h"
#include "util/writer.h"

/* Appends "and_v(v:pk(02..),older(1))". False, and nothing said: it is none
 * that is sane, or hides a key behind its hash. */
bool cc_miniscript_infer(struct cc_writer *w, struct cc_bytes script);

#endif
