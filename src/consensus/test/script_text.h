/*
 * script_text.h: what the Script tests share: scripts written as words, flags
 * by name, the pair of transactions that script_tests.json means.
 */
#ifndef CC_CONSENSUS_TEST_SCRIPT_TEXT_H
#define CC_CONSENSUS_TEST_SCRIPT_TEXT_H

#include "consensus/interpreter.h"
#include "support.h"

/* "DUP HASH160 0x14 0x89ab.. 'text' -1": numbers are pushed, hex goes in as
 * it is, quoted text is pushed. */
void script_parse(struct cc_writer *w, const char *text);

/* Names to bits: "P2SH,STRICTENC"; "NONE" and "" are none. */
uint32_t flags_parse(const char *names);
/* Every flag there is. */
uint32_t flags_all(void);
size_t flags_count(void);
/* Combinations that make sense: WITNESS wants P2SH, CLEANSTACK wants both.
 * Drop what lacks its base, or add the base. */
uint32_t flags_trim(uint32_t flags);
uint32_t flags_fill(uint32_t flags);

/* A transaction with one output of value to script, and one that spends it. */
struct pair {
    struct cc_tx tx;
    struct cc_txin in;
    struct cc_txout out;
    struct cc_coin coin;
    struct cc_sighash sighash;
};

void pair_init(struct pair *p, struct cc_bytes script_sig,
               struct cc_bytes script, struct cc_bytes *witness, size_t count,
               cc_amount value);
/* After a change to p->tx, p->in or p->out. */
void pair_update(struct pair *p);
enum cc_script_error pair_verify(const struct pair *p, uint32_t flags);

/* The state of a group of tests: a struct cc_ec. */
int script_setup(void **state);
int script_teardown(void **state);

#define ERR(name) CC_SCRIPT_ERR_##name
/* Fails with both names. */
void script_expect(enum cc_script_error got, enum cc_script_error want);
/* What a writer holds. */
struct cc_bytes written(const struct cc_writer *w);

#endif
