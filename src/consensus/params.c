/*
 * The four chains. Proof-of-work limits: regtest's lets anybody make a block
 * at once. main's, 2^232, is what one slow core (about 110,000 hashes a second)
 * keeps up at the spacing of 150 s: the chain can start with a single machine
 * and cannot stall below it; ASERT raises the difficulty within days as others
 * come. test's is 16 times easier. contrib/genesis.py makes the genesis blocks
 * again from these fields.
 */
#include "consensus/params.h"

#include "crypto/hash.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define BYTES(literal)                                                         \
    {                                                                          \
        (const uint8_t *)(literal), sizeof(literal) - 1                        \
    }

/* What main, test and regtest share of doc/protocol.md 4.0. */
#define STORAGE_COMMON                                                         \
    .max_periods = 4096, .max_miss = 3, .max_span = 1 << 22,                   \
    .max_lead = 20160, .seal_slack = 288, .claim_window = 16,                  \
    .max_claims = 16, .mint_div = 512, .deposit = 20000, .owed_min = 1000,     \
    .bond_min = CC_COIN, .seal_bond = CC_COIN / 10, .max_sectors = 1 << 24,    \
    .max_typed = 256, .ticket_min_bits = 160

#define STORAGE_MAIN                                                           \
    {                                                                          \
        STORAGE_COMMON, .window = 288, .min_period = 576, .seal_delay = 100,   \
                        .bond_lock = 1000, .seal_min = 256, .unit = 2048,      \
                        .ticket_max = {{0, 0, 0, UINT64_C(1) << 47}},          \
                        .seal_bits = 4096, .seal_c = 2549                      \
    }

#define STORAGE_REGTEST                                                        \
    {                                                                          \
        STORAGE_COMMON,                                                        \
            .window = 6, .min_period = 12, .seal_delay = 10, .bond_lock = 20,  \
            .seal_min = 1, .unit = 4,                                          \
            .ticket_max = {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}},  \
            .seal_bits = 1024, .seal_c = 179                                   \
    }

/* Bitcoin's soft forks hold from the start; where the first block itself could
 * not obey (version, height in the coinbase), from block 1. */
#define FORKS_FROM_START                                                       \
    .bip34_height = 1, .bip65_height = 1, .bip66_height = 1, .csv_height = 1,  \
    .segwit_height = 0, .taproot_height = 0

#define MONEY_CLOUDCOIN                                                        \
    .max_money = 84000000 * CC_COIN, .subsidy = 50 * CC_COIN,                  \
    .halving = 840000, .coinbase_maturity = 100

#define POW_LIMIT(top)                                                         \
    {                                                                          \
        {                                                                      \
            UINT64_MAX, UINT64_MAX, UINT64_MAX, top                            \
        }                                                                      \
    }

/* Base58 texts begin with c, s and Y or Z. Extended keys are tpub and tprv, as
 * main's are xpub and xprv: tools know them so, and they name no chain. */
#define PREFIXES_OWN_TEST(human)                                               \
    {                                                                          \
        87, 125, 215, 0x043587cf, 0x04358394, human                            \
    }

/* As Bitcoin Core's: a name that never resolves (RFC 2606). */
static const char *const bitcoin_regtest_seeds[] = {"dummySeed.invalid.", NULL};

static const struct cc_params chains[] = {
    [CC_CHAIN_MAIN] =
        {
            .id = CC_CHAIN_MAIN,
            .name = "main",
            .directory = "",
            /* The four bytes are neither ASCII nor UTF-8. */
            .magic = 0xc0dce5c1,
            .port = 7733,
            .rpc_port = 7732,
            /* Base58 texts begin with C, S and Q. */
            .prefixes = {28, 63, 156, 0x0488b21e, 0x0488ade4, "cc"},
            .storage_active = true,
            .storage = STORAGE_MAIN,
            MONEY_CLOUDCOIN,
            .pow_limit = POW_LIMIT((UINT64_C(1) << 40) - 1),
            .spacing_s = 150,
            .half_life_s = 86400,
            FORKS_FROM_START,
            .genesis = {4, 1795132800, 0x1e00ffff, 10434673,
                        "2026-11-20 CloudCoin main: a coin that pays for kept "
                        "promises",
                        25 * CC_COIN, BYTES("\x6a")},
            .genesis_hash = {0xf5, 0x77, 0x61, 0xbf, 0x6c, 0xaf, 0x55, 0xc8,
                             0x2a, 0xa6, 0xe2, 0x87, 0xeb, 0x69, 0x10, 0xa4,
                             0xc5, 0xf6, 0x37, 0x04, 0x8d, 0xd7, 0x2c, 0xd5,
                             0xc2, 0xa2, 0x49, 0xc6, 0x67, 0x00, 0x00, 0x00},
        },
    [CC_CHAIN_TEST] =
        {
            .id = CC_CHAIN_TEST,
            .name = "test",
            .directory = "test",
            .magic = 0xc1dce5c1,
            .port = 17733,
            .rpc_port = 17732,
            .prefixes = PREFIXES_OWN_TEST("tcc"),
            .storage_active = true,
            .storage = STORAGE_MAIN,
            MONEY_CLOUDCOIN,
            .pow_limit = POW_LIMIT((UINT64_C(1) << 44) - 1),
            .spacing_s = 150,
            .half_life_s = 86400,
            FORKS_FROM_START,
            .genesis = {4, 1795132800, 0x1e0fffff, 511547,
                        "2026-11-20 CloudCoin test: promises to practise with",
                        25 * CC_COIN, BYTES("\x6a")},
            .genesis_hash = {0x8c, 0x08, 0xbe, 0x6d, 0x9e, 0xca, 0xdf, 0x95,
                             0xab, 0xcb, 0x55, 0x90, 0x12, 0x3e, 0xac, 0x80,
                             0xba, 0xe0, 0x26, 0x03, 0x07, 0xbe, 0xc7, 0xe9,
                             0xa2, 0xe1, 0xa7, 0x7f, 0xdf, 0x01, 0x00, 0x00},
        },
    [CC_CHAIN_REGTEST] =
        {
            .id = CC_CHAIN_REGTEST,
            .name = "regtest",
            .directory = "regtest",
            .magic = 0xc2dce5c1,
            .port = 17744,
            .rpc_port = 17743,
            .prefixes = PREFIXES_OWN_TEST("ccrt"),
            .storage_active = true,
            .storage = STORAGE_REGTEST,
            MONEY_CLOUDCOIN,
            .pow_limit = POW_LIMIT(UINT64_MAX >> 1),
            .no_retarget = true,
            .spacing_s = 150,
            .half_life_s = 86400,
            FORKS_FROM_START,
            /* Long past, so that tests may set any clock. */
            .genesis = {4, 1296688602, 0x207fffff, 0,
                        "CloudCoin regtest: promises of one machine to itself",
                        25 * CC_COIN, BYTES("\x6a")},
            .genesis_hash = {0xad, 0x73, 0x01, 0xa2, 0xdd, 0x37, 0xec, 0xe4,
                             0x2f, 0xba, 0xc6, 0x13, 0x13, 0x29, 0xaf, 0xbf,
                             0x4b, 0xb0, 0xcb, 0x90, 0xf1, 0xf7, 0x46, 0x5b,
                             0xb5, 0xa6, 0xe9, 0x16, 0xb6, 0xf4, 0x28, 0x42},
        },
    [CC_CHAIN_BITCOIN_REGTEST] =
        {
            .id = CC_CHAIN_BITCOIN_REGTEST,
            .name = "regtest",
            .directory = "regtest",
            .magic = 0xdab5bffa,
            .port = 18444,
            .rpc_port = 18443,
            .dns_seeds = bitcoin_regtest_seeds,
            .prefixes = {111, 196, 239, 0x043587cf, 0x04358394, "bcrt"},
            .storage_active = false,
            .max_money = 21000000 * CC_COIN,
            .subsidy = 50 * CC_COIN,
            .halving = 150,
            .coinbase_maturity = 100,
            .pow_limit = POW_LIMIT(UINT64_MAX >> 1),
            .no_retarget = true,
            .spacing_s = 600,
            .half_life_s = 172800,
            FORKS_FROM_START,
            .testdummy = {.bit = 28,
                          .window = 144,
                          .threshold = 108,
                          .timeout = INT64_MAX},
            .genesis = {1, 1296688602, 0x207fffff, 2,
                        "The Times 03/Jan/2009 Chancellor on brink of second "
                        "bailout for banks",
                        50 * CC_COIN,
                        BYTES("\x41"
                              "\x04\x67\x8a\xfd\xb0\xfe\x55\x48\x27\x19\x67"
                              "\xf1\xa6\x71\x30\xb7\x10\x5c\xd6\xa8\x28\xe0"
                              "\x39\x09\xa6\x79\x62\xe0\xea\x1f\x61\xde\xb6"
                              "\x49\xf6\xbc\x3f\x4c\xef\x38\xc4\xf3\x55\x04"
                              "\xe5\x1e\xc1\x12\xde\x5c\x38\x4d\xf7\xba\x0b"
                              "\x8d\x57\x8a\x4c\x70\x2b\x6b\xf1\x1d\x5f"
                              "\xac")},
            .genesis_hash = {0x06, 0x22, 0x6e, 0x46, 0x11, 0x1a, 0x0b, 0x59,
                             0xca, 0xaf, 0x12, 0x60, 0x43, 0xeb, 0x5b, 0xbf,
                             0x28, 0xc3, 0x4f, 0x3a, 0x5e, 0x33, 0x2a, 0x1f,
                             0xc7, 0xb2, 0xb7, 0x3c, 0xf1, 0x88, 0x91, 0x0f},
        },
};

const struct cc_params *cc_params_get(enum cc_chain_id id)
{
    assert((size_t)id < sizeof(chains) / sizeof(chains[0]));
    return &chains[id];
}

const struct cc_params *cc_params_find(const char *name, bool bitcoin)
{
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
        if (chains[i].storage_active != bitcoin &&
            !strcmp(chains[i].name, name))
            return &chains[i];
    return NULL;
}

static void write_coinbase(struct cc_writer *w, const struct cc_genesis *g)
{
    /* Bitcoin's: its first bits, then the number 4, each pushed. */
    static const uint8_t pushes[] = {0x04, 0xff, 0xff, 0x00, 0x1d, 0x01, 0x04};
    static const uint8_t zero[32];
    size_t len = strlen(g->message);

    assert(len <= 75);
    cc_write_u32le(w, 1); /* version */
    cc_write_compact(w, 1);
    cc_write_bytes(w, zero, sizeof(zero));
    cc_write_u32le(w, UINT32_MAX);
    cc_write_compact(w, sizeof(pushes) + 1 + len);
    cc_write_bytes(w, pushes, sizeof(pushes));
    cc_write_u8(w, (uint8_t)len);
    cc_write_bytes(w, g->message, len);
    cc_write_u32le(w, UINT32_MAX); /* sequence */
    cc_write_compact(w, 1);
    cc_write_u64le(w, (uint64_t)g->value);
    cc_write_var(w, g->script.data, g->script.len);
    cc_write_u32le(w, 0); /* lock time */
}

void cc_params_genesis(struct cc_writer *w, const struct cc_params *p)
{
    static const uint8_t zero[32];
    uint8_t root[32], buf[400];
    struct cc_writer tx;

    cc_writer_init(&tx, buf, sizeof(buf));
    write_coinbase(&tx, &p->genesis);
    assert(!tx.failed);
    cc_hash256(root, buf, tx.len);
    cc_write_u32le(w, (uint32_t)p->genesis.version);
    cc_write_bytes(w, zero, sizeof(zero));
    cc_write_bytes(w, root, sizeof(root));
    cc_write_u32le(w, p->genesis.time);
    cc_write_u32le(w, p->genesis.bits);
    cc_write_u32le(w, p->genesis.nonce);
    cc_write_compact(w, 1);
    cc_write_bytes(w, buf, tx.len);
}

/* Decimal digits only, at most 2^31 - 2 as Core has it. */
static bool read_height(uint32_t *out, const char *s)
{
    uint64_t v = 0;

    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return false;
        v = v * 10 + (uint64_t)(*s - '0');
        if (v >= INT32_MAX)
            return false;
    }
    *out = (uint32_t)v;
    return true;
}

enum cc_status cc_params_activate(struct cc_params *p, const char *spec,
                                  struct cc_error *err)
{
    const struct {
        const char *name;
        uint32_t *height;
    } forks[] = {
        {"segwit", &p->segwit_height}, {"bip34", &p->bip34_height},
        {"dersig", &p->bip66_height},  {"cltv", &p->bip65_height},
        {"csv", &p->csv_height},
    };
    const char *at = strchr(spec, '@');
    const char *wrong = "name";
    uint32_t height;

    if (!at)
        return cc_fail(err, CC_INVALID,
                       "Invalid format (%s) for "
                       "-testactivationheight=name@height.",
                       spec);
    if (!read_height(&height, at + 1)) {
        wrong = "height value";
        goto bad;
    }
    for (size_t i = 0; i < sizeof(forks) / sizeof(forks[0]); i++)
        if (strlen(forks[i].name) == (size_t)(at - spec) &&
            !strncmp(forks[i].name, spec, (size_t)(at - spec))) {
            *forks[i].height = height;
            return CC_OK;
        }
bad:
    return cc_fail(err, CC_INVALID,
                   "Invalid %s (%s) for -testactivationheight=name@height.",
                   wrong, spec);
}

const char *cc_params_product(const struct cc_params *p)
{
    return p->storage_active ? "CloudCoin" : "Bitcoin Core";
}

cc_amount cc_subsidy(const struct cc_params *p, uint32_t height)
{
    uint32_t halvings = height / p->halving;

    return halvings < 63 ? p->subsidy >> halvings : 0;
}

cc_amount cc_subsidy_storage(const struct cc_params *p, uint32_t height)
{
    cc_amount subsidy = cc_subsidy(p, height);

    return p->storage_active ? subsidy - subsidy / 2 : 0;
}
