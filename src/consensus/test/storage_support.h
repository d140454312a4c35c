/* storage_support.h: what the tests of the storage rules share. */
#ifndef CC_TEST_STORAGE_SUPPORT_H
#define CC_TEST_STORAGE_SUPPORT_H

#include "consensus/storage.h"
#include "support.h"

/* A row with "tx" and "prevouts": the transaction and the coins it spends. */
struct cc_storage_case {
    struct cc_tx tx;
    struct cc_coin *coins;
    size_t coin_count;
};

void cc_storage_case_load(struct cc_storage_case *c, const json_t *row);
void cc_storage_case_clear(struct cc_storage_case *c);

/* A typed coin from kind and body without signatures; forming if the id says
 * so. Borrows body. */
void cc_storage_test_body(struct cc_typed *t, unsigned kind,
                          struct cc_bytes body);

/* "00ff..", highest digit first. */
struct cc_u256 cc_storage_test_u256(const char *hex);

#endif
