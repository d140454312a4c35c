/*
 * fuzz.h: what the decoders' fuzz targets share.
 *
 * A target takes any bytes and must come back: no crash, no leak, no undefined
 * step, and what decodes encodes to what it was. targets.c lists them. Two
 * programs run them: test/fuzz/fuzz (libFuzzer, ./configure --enable-fuzz
 * CC=clang; FUZZ=<target> chooses) and test/fuzz/replay, which `make check`
 * runs over test/fuzz/corpus/<target>/.
 */
#ifndef CC_TEST_FUZZ_H
#define CC_TEST_FUZZ_H

#include <stdio.h>
#include <stdlib.h>

#include "util/reader.h"
#include "util/writer.h"

#define FUZZ_TARGETS(X)                                                        \
    X(addrbook)                                                                \
    X(socks5)                                                                  \
    X(address)                                                                 \
    X(asmap)                                                                   \
    X(banlist)                                                                 \
    X(base58)                                                                  \
    X(bech32)                                                                  \
    X(bip32)                                                                   \
    X(bip39)                                                                   \
    X(block)                                                                   \
    X(bloom)                                                                   \
    X(blockfile)                                                               \
    X(coin)                                                                    \
    X(compact)                                                                 \
    X(config)                                                                  \
    X(descriptor)                                                              \
    X(header)                                                                  \
    X(hex)                                                                     \
    X(gcs)                                                                     \
    X(hostfile)                                                                \
    X(journal)                                                                 \
    X(json)                                                                    \
    X(keys)                                                                    \
    X(manifest)                                                                \
    X(mempool)                                                                 \
    X(message)                                                                 \
    X(miniscript)                                                              \
    X(mtree)                                                                   \
    X(netaddr)                                                                 \
    X(noise)                                                                   \
    X(reader)                                                                  \
    X(renterfile)                                                              \
    X(rpc)                                                                     \
    X(sam)                                                                     \
    X(script)                                                                  \
    X(session)                                                                 \
    X(storage)                                                                 \
    X(torctl)                                                                  \
    X(tx)                                                                      \
    X(typed)                                                                   \
    X(verify)                                                                  \
    X(wallet)

#define X(name) void fuzz_##name(const uint8_t *data, size_t len);
FUZZ_TARGETS(X)
#undef X

struct fuzz_target {
    const char *name;
    void (*run)(const uint8_t *data, size_t len);
};
extern const struct fuzz_target fuzz_targets[];
extern const size_t fuzz_target_count;
/* NULL if there is none. */
const struct fuzz_target *fuzz_find(const char *name);

/* What must hold of every input. */
#define FUZZ_CHECK(condition)                                                  \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,   \
                    #condition);                                               \
            abort();                                                           \
        }                                                                      \
    } while (0)

/* w holds these bytes and nothing else. */
static inline bool fuzz_same(const struct cc_writer *w, const void *data,
                             size_t len)
{
    return !w->failed && w->len == len &&
           (len == 0 || memcmp(w->data, data, len) == 0);
}

/* data as text: up to the first NUL, malloc'd. */
char *fuzz_text(const uint8_t *data, size_t len);
/* A path below a folder of this run's own, which goes at exit. */
const char *fuzz_path(const char *name);
/* The file there holds just data. */
void fuzz_put_file(const char *path, const uint8_t *data, size_t len);

#endif
