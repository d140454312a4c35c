#include "consensus/seal.h"

#include <string.h>

#include "crypto/aes.h"
#include "crypto/hash.h"
#include "crypto/sealfield.h"

static struct cc_sealfield field(const struct cc_params *p)
{
    struct cc_sealfield f = {p->storage.seal_bits, p->storage.seal_c};

    return f;
}

static size_t element(const struct cc_params *p)
{
    return p->storage.seal_bits / 8;
}

void cc_seal_key(uint8_t key[32], const uint8_t hash[32],
                 const uint8_t seal_id[32], const uint8_t host_key[32])
{
    uint8_t in[96];

    memcpy(in, hash, 32);
    memcpy(in + 32, seal_id, 32);
    memcpy(in + 64, host_key, 32);
    cc_tagged_hash(key, "CloudCoin/seal", in, sizeof(in));
}

/* XOR with the keystream of counter blocks index·64 ... index·64 + 63. */
static void mix(uint8_t leaf[CC_LEAF_SIZE], uint64_t index,
                const uint8_t key[32])
{
    uint8_t counter[16] = {0};

    cc_put_u64be(counter, index >> 58);
    cc_put_u64be(counter + 8, index << 6);
    cc_aes256_ctr(leaf, CC_LEAF_SIZE, key, counter);
}

void cc_seal_leaf(uint8_t sealed[CC_LEAF_SIZE], const uint8_t raw[CC_LEAF_SIZE],
                  uint64_t index, const uint8_t key[32],
                  const struct cc_params *p)
{
    const struct cc_sealfield f = field(p);

    memmove(sealed, raw, CC_LEAF_SIZE);
    mix(sealed, index, key);
    cc_sealfield_root(&f, sealed, CC_LEAF_SIZE / element(p));
}

void cc_unseal_leaf(uint8_t raw[CC_LEAF_SIZE],
                    const uint8_t sealed[CC_LEAF_SIZE], uint64_t index,
                    const uint8_t key[32], const struct cc_params *p)
{
    const struct cc_sealfield f = field(p);

    memmove(raw, sealed, CC_LEAF_SIZE);
    cc_sealfield_cube(&f, raw, CC_LEAF_SIZE / element(p));
    mix(raw, index, key);
}

void cc_seal_draw(uint64_t *sector, unsigned *column, const uint8_t hash[32],
                  const uint8_t key[32], uint32_t unit,
                  const struct cc_params *p)
{
    const uint64_t width = p->storage.unit;
    uint8_t in[68], out[32];
    uint64_t q;

    memcpy(in, hash, 32);
    memcpy(in + 32, key, 32);
    cc_put_u32le(in + 64, unit);
    cc_tagged_hash(out, "CloudCoin/draw", in, sizeof(in));
    q = cc_get_u64le(out) % (width * CC_SEAL_COLUMNS);
    *sector = unit * width + q / CC_SEAL_COLUMNS;
    *column = (unsigned)(q % CC_SEAL_COLUMNS);
}

void cc_seal_slice(uint8_t slice[CC_SEAL_SLICE],
                   const uint8_t sealed[CC_LEAF_SIZE], unsigned column,
                   const struct cc_params *p)
{
    const size_t size = element(p), width = size / CC_SEAL_COLUMNS;

    for (size_t i = 0; i < CC_LEAF_SIZE / size; i++)
        memcpy(slice + i * width, sealed + i * size + column * width, width);
}

void cc_seal_ticket_slice(struct cc_u256 *ticket, const uint8_t hash[32],
                          const uint8_t key[32], uint64_t index,
                          const uint8_t slice[CC_SEAL_SLICE])
{
    uint8_t in[72 + CC_SEAL_SLICE], out[32];

    memcpy(in, hash, 32);
    memcpy(in + 32, key, 32);
    cc_put_u64le(in + 64, index);
    memcpy(in + 72, slice, CC_SEAL_SLICE);
    cc_tagged_hash(out, "CloudCoin/ticket", in, sizeof(in));
    *ticket = cc_u256_from_le(out);
}

void cc_seal_ticket(struct cc_u256 *ticket, const uint8_t hash[32],
                    const uint8_t key[32], uint64_t index, unsigned column,
                    const uint8_t sealed[CC_LEAF_SIZE],
                    const struct cc_params *p)
{
    uint8_t slice[CC_SEAL_SLICE];

    cc_seal_slice(slice, sealed, column, p);
    cc_seal_ticket_slice(ticket, hash, key, index, slice);
}
