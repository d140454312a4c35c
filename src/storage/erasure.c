#include "storage/erasure.h"

#include "util/mem.h"

#include <assert.h>
#include <stdlib.h>

#include <isa-l/erasure_code.h>

#define TABLE 32 /* bytes of ISA-L's table per coefficient */

struct cc_erasure {
    unsigned k, n;
    uint8_t *matrix; /* n x k over GF(2^8), row-major; the first k rows are
                      * the unit matrix */
    uint8_t *tables; /* of the other rows */
};

struct cc_erasure *cc_erasure_new(unsigned k, unsigned n)
{
    struct cc_erasure *e;

    if (!k || k > n || n > CC_ERASURE_MAX)
        return NULL;
    e = cc_calloc(1, sizeof(*e));
    e->k = k;
    e->n = n;
    e->matrix = cc_calloc(n, k);
    gf_gen_cauchy1_matrix(e->matrix, (int)n, (int)k);
    e->tables = cc_calloc((size_t)(n - k) * k + 1, TABLE);
    if (n > k)
        ec_init_tables((int)k, (int)(n - k), e->matrix + (size_t)k * k,
                       e->tables);
    return e;
}

void cc_erasure_free(struct cc_erasure *e)
{
    if (!e)
        return;
    free(e->matrix);
    free(e->tables);
    free(e);
}

void cc_erasure_encode(const struct cc_erasure *e, uint8_t *const *shards,
                       size_t len)
{
    uint8_t *all[CC_ERASURE_MAX];

    assert(len < (size_t)1 << 31);
    if (e->n == e->k || !len)
        return;
    memcpy(all, shards, e->n * sizeof(*all));
    ec_encode_data((int)len, (int)e->k, (int)(e->n - e->k), e->tables, all,
                   all + e->k);
}

/* The rows of the first k shards that are there, turned round: data = inverse
 * times what is there. */
static bool invert(const struct cc_erasure *e, uint8_t *inverse,
                   const unsigned *from)
{
    uint8_t *rows = cc_calloc(e->k, e->k);
    int bad;

    for (unsigned i = 0; i < e->k; i++)
        memcpy(rows + i * e->k, e->matrix + from[i] * e->k, e->k);
    bad = gf_invert_matrix(rows, inverse, (int)e->k);
    free(rows);
    return !bad;
}

bool cc_erasure_restore(const struct cc_erasure *e, uint8_t *const *shards,
                        const bool *have, size_t len)
{
    uint8_t *in[CC_ERASURE_MAX], *out[CC_ERASURE_MAX];
    uint8_t *inverse = NULL, *rows = NULL, *tables = NULL;
    unsigned from[CC_ERASURE_MAX], found = 0, missing = 0;
    bool ok = false;

    assert(len < (size_t)1 << 31);
    for (unsigned i = 0; i < e->n && found < e->k; i++) {
        if (!have[i])
            continue;
        in[found] = shards[i];
        from[found++] = i;
    }
    if (found < e->k)
        return false;
    inverse = cc_calloc(e->k, e->k);
    rows = cc_calloc(e->k, e->k);
    tables = cc_calloc((size_t)e->k * e->k, TABLE);
    if (!invert(e, inverse, from))
        goto out;
    for (unsigned i = 0; i < e->k; i++) {
        if (have[i])
            continue;
        memcpy(rows + missing * e->k, inverse + i * e->k, e->k);
        out[missing++] = shards[i];
    }
    if (missing && len) {
        ec_init_tables((int)e->k, (int)missing, rows, tables);
        ec_encode_data((int)len, (int)e->k, (int)missing, tables, in, out);
    }
    ok = true;
out:
    free(inverse);
    free(rows);
    free(tables);
    return ok;
}
