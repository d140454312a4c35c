/* What a renter's gateway does to a file. */
#include <isa-l/erasure_code.h>
#include <string.h>

#include "bench.h"
#include "crypto/mtree.h"
#include "storage/erasure.h"
#include "storage/object.h"
#include "util/mem.h"

#define K 10
#define N 30

struct slab {
    struct cc_object object;
    struct cc_erasure *erasure;
    uint8_t *shards[N], *plain;
    uint8_t tables[32 * K * (N - K)];
};

static void *setup_slab(void)
{
    struct slab *s = cc_calloc(1, sizeof(*s));
    uint8_t matrix[K * N];

    s->object.k = K;
    s->object.n = N;
    s->object.size = cc_object_slab_size(K);
    bench_fill(s->object.key, 32, 1);
    s->plain = cc_malloc(s->object.size);
    bench_fill(s->plain, s->object.size, 2);
    for (unsigned i = 0; i < N; i++) {
        s->shards[i] = cc_malloc(CC_SECTOR_SIZE);
        bench_fill(s->shards[i], CC_SECTOR_SIZE, 3 + i);
    }
    s->erasure = cc_erasure_new(K, N);
    BENCH_CHECK(s->erasure);
    gf_gen_cauchy1_matrix(matrix, N, K);
    ec_init_tables(K, N - K, matrix + K * K, s->tables);
    return s;
}

static void free_slab(void *state)
{
    struct slab *s = state;

    for (unsigned i = 0; i < N; i++)
        free(s->shards[i]);
    cc_erasure_free(s->erasure);
    free(s->plain);
    free(s);
}

static void run_encode(void *state)
{
    struct slab *s = state;

    cc_erasure_encode(s->erasure, s->shards, CC_SECTOR_SIZE);
}

static void isal_encode(void *state)
{
    struct slab *s = state;

    ec_encode_data(CC_SECTOR_SIZE, K, N - K, s->tables, s->shards,
                   s->shards + K);
}

static void run_pipeline(void *state)
{
    struct slab *s = state;
    uint8_t root[32];

    cc_object_seal_slab(&s->object, s->erasure, 0, s->plain, s->shards);
    for (unsigned i = 0; i < N; i++)
        cc_mtree_sector_root(root, s->shards[i]);
}

const struct bench bench_storage[] = {
    {"rs_encode_10_30", "Reed-Solomon: 10 sectors to 30", setup_slab,
     run_encode, free_slab, 1, "slab", (size_t)K *CC_SECTOR_SIZE, "ISA-L",
     isal_encode, 0, 0},
    {"pipeline_10_30", "encrypt, code 10 of 30, encrypt shards, hash them",
     setup_slab, run_pipeline, free_slab, 1, "slab", (size_t)K *CC_SECTOR_SIZE,
     NULL, NULL, 0, 0},
};
const size_t bench_storage_count =
    sizeof(bench_storage) / sizeof(*bench_storage);
