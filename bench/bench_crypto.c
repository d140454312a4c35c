/* Hashing and trees. */
#define OPENSSL_SUPPRESS_DEPRECATED /* its quickest interface */
#include <openssl/sha.h>
#include <string.h>

#include "bench.h"
#include "consensus/block.h"
#include "crypto/hash.h"
#include "crypto/mtree.h"

#define BULK (1 << 20)
#define LEAVES 9001

/* Without the look-up of an algorithm that SHA256() does each time. */
static void openssl_once(uint8_t out[32], const void *data, size_t len)
{
    SHA256_CTX c;

    SHA256_Init(&c);
    SHA256_Update(&c, data, len);
    SHA256_Final(out, &c);
}

static void *setup_bulk(void)
{
    uint8_t *data = malloc(BULK);

    BENCH_CHECK(data);
    bench_fill(data, BULK, 1);
    return data;
}

static void run_sha256(void *state)
{
    uint8_t h[32];

    cc_sha256_once(h, state, BULK);
}

static void openssl_sha256(void *state)
{
    uint8_t h[32];

    openssl_once(h, state, BULK);
}

static void *setup_leaves(void)
{
    uint8_t *ids = malloc(LEAVES * 32);

    BENCH_CHECK(ids);
    bench_fill(ids, LEAVES * 32, 2);
    return ids;
}

static void run_merkle(void *state)
{
    uint8_t root[32];
    bool mutated;

    cc_merkle_root(root, state, LEAVES, &mutated);
}

static void openssl_merkle(void *state)
{
    static uint8_t level[(LEAVES + 1) * 32];
    size_t n = LEAVES;

    memcpy(level, state, LEAVES * 32);
    for (; n > 1; n = (n + 1) / 2) {
        if (n % 2)
            memcpy(level + 32 * n, level + 32 * (n - 1), 32);
        for (size_t i = 0; i < (n + 1) / 2; i++) {
            uint8_t h[32];

            openssl_once(h, level + 64 * i, 64);
            openssl_once(level + 32 * i, h, 32);
        }
    }
}

static void *setup_sector(void)
{
    uint8_t *data = malloc(CC_SECTOR_SIZE);

    BENCH_CHECK(data);
    bench_fill(data, CC_SECTOR_SIZE, 3);
    return data;
}

static void run_sector(void *state)
{
    uint8_t root[32];

    cc_mtree_sector_root(root, state);
}

static void openssl_sector(void *state)
{
    uint8_t h[32];

    openssl_once(h, state, CC_SECTOR_SIZE);
}

const struct bench bench_crypto[] = {
    {"sha256", "SHA-256 of 1 MiB", setup_bulk, run_sha256, free, BULK, "byte",
     BULK, "OpenSSL", openssl_sha256, 0, 0},
    {"merkle_9001", "Bitcoin Merkle root of 9,001 leaves", setup_leaves,
     run_merkle, free, LEAVES, "leaf", 0, "OpenSSL", openssl_merkle, 109, 0},
    {"sector_root", "RFC 9162 root of a sector of 4 MiB", setup_sector,
     run_sector, free, 1, "sector", CC_SECTOR_SIZE, "OpenSSL's SHA-256 of it",
     openssl_sector, 0, 1e9},
};
const size_t bench_crypto_count = sizeof(bench_crypto) / sizeof(*bench_crypto);
