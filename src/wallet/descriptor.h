/*
 * descriptor.h: output descriptors (BIPs 380 to 386).
 *
 * A descriptor is a short text that says which output scripts are meant and
 * with which keys: wpkh([d34db33f/84h/0h/0h]xpub.../0/0)#checksum. Here
 * such a text is read, its scripts are made, and for a script a descriptor is
 * found. Known are raw, addr, pk, pkh, wpkh, sh, wsh, tr with a tree of
 * scripts, rawtr, multi, sortedmulti, combo, and in a tree multi_a and
 * sortedmulti_a; miniscript is not. Faults are named in Bitcoin Core 27's
 * sentences, since RPC hands them on.
 *
 * A descriptor may hold secrets (xprv, WIF); free wipes them. Nothing here
 * prints them. Pure functions, any thread; a descriptor is constant once it
 * is parsed.
 */
#ifndef CC_WALLET_DESCRIPTOR_H
#define CC_WALLET_DESCRIPTOR_H

#include "consensus/params.h"
#include "util/bytes.h"

struct cc_ec;
struct cc_descriptor;

/* The eight characters behind '#'; false: a character that no descriptor
 * has. */
bool cc_descriptor_checksum(const char *text, char out[9]);
/* text (for free, taken) with '#' and its checksum behind it. */
char *cc_descriptor_seal(char *text);

/* NULL, and in *why (for free) the sentence, if it is no descriptor; a
 * checksum that is there must be right, one that is missing is a fault if it
 * is needed. ec is kept. */
struct cc_descriptor *cc_descriptor_parse(const char *text, bool need_checksum,
                                          const struct cc_params *p,
                                          const struct cc_ec *ec, char **why);
void cc_descriptor_free(struct cc_descriptor *d);

/* Does it end in a star somewhere, so that each index gives other scripts? */
bool cc_descriptor_is_range(const struct cc_descriptor *d);
/* Would we know how to spend, given the keys? Not of raw and addr. */
bool cc_descriptor_is_solvable(const struct cc_descriptor *d);
bool cc_descriptor_has_private(const struct cc_descriptor *d);
/* As it would be written without its secrets, with checksum; for free. */
char *cc_descriptor_text(const struct cc_descriptor *d);

#define CC_DESCRIPTOR_SCRIPTS 4 /* as many as combo makes */

struct cc_descriptor_scripts {
    struct {
        uint8_t *data;
        size_t len;
    } script[CC_DESCRIPTOR_SCRIPTS];
    size_t count;
};

/* Its scripts at an index (any, where it is no range). False if a hardened
 * step needs a secret that the descriptor does not have. */
bool cc_descriptor_expand(const struct cc_descriptor *d, uint32_t index,
                          struct cc_descriptor_scripts *out);
void cc_descriptor_scripts_clear(struct cc_descriptor_scripts *s);
/* The descriptor of one of these scripts alone, all keys derived and each
 * with its origin, as Core infers it for a script that it knows from a
 * descriptor; with checksum, for free. NULL as expand is false. */
char *cc_descriptor_of(const struct cc_descriptor *d, uint32_t index,
                       size_t which);

/* What can be told of a script alone. inner: a script that may stand behind
 * its hash (P2SH, P2WSH or both), or empty. With checksum, for free. */
char *cc_descriptor_infer(struct cc_bytes script, struct cc_bytes inner,
                          const struct cc_params *p);

#endif
