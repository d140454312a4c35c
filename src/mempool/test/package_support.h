/*
 * package_support.h: what the tests of several transactions at once share: one
 * pool, what it said last, and how that is compared.
 */
#ifndef CC_MEMPOOL_TEST_PACKAGE_SUPPORT_H
#define CC_MEMPOOL_TEST_PACKAGE_SUPPORT_H

#include "support.h"

#include "mempool/internal.h"
#include "mempool/test/fixture.h"

#define MISSING "bad-txns-inputs-missingorspent"
#define WIDE 1000000

/* One pool, for one test after the other. */
extern struct fixture f;
/* Of judge and of submit. */
extern struct cc_mempool_package_item items[CC_MAX_PACKAGE_COUNT];
extern struct cc_mempool_submitted out;

/* On bitcoin-regtest, 60 blocks; nonstandard: of any version, too. */
int package_open(void **state);
int package_open_nonstandard(void **state);
int package_close(void **state);

/* Lists end with NULL; text: of the package, "" for none. */
void judge(const char *text, struct cc_tx *first, ...);
void submit(const char *text, struct cc_tx *first, ...);
/* Item at of the last judged; text NULL: not judged, "": good. */
void judged(size_t at, const char *text);
/* Item at of the last submitted. */
void refused(size_t at, const char *text);
void entered(size_t at, const struct cc_tx *tx, cc_amount fee);

void limits(unsigned ancestors, unsigned descendants, size_t ancestor_size,
            size_t descendant_size);
size_t vsize(const struct cc_tx *tx);
/* These texts live until four, or one, more are asked for. */
const char *id(const struct cc_tx *tx);
const char *words(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
