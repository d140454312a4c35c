#include "crypto/address.h"
#include "crypto/base58.h"
#include "crypto/bech32.h"
#include "crypto/bip32.h"
#include "crypto/bip39.h"
#include "crypto/ec.h"
#include "crypto/mtree.h"
#include "crypto/noise.h"
#include "fuzz.h"

static const struct cc_address_prefixes prefixes = {
    .pubkey = 0,
    .script = 5,
    .secret = 128,
    .xpub = 0x0488b21e,
    .xprv = 0x0488ade4,
    .hrp = "bc",
};

/* Room for what 256 bytes become, twice over. */
#define TEXT_ROOM 800

static const char *trimmed(char *text)
{
    size_t n = strlen(text);

    while (n && strchr(" \t\n\v\f\r", text[n - 1]))
        text[--n] = 0;
    return text + strspn(text, " \t\n\v\f\r");
}

void fuzz_base58(const uint8_t *data, size_t len)
{
    char *text = fuzz_text(data, len), back[TEXT_ROOM];
    uint8_t raw[CC_BASE58_MAX];
    size_t n = sizeof(raw);

    if (cc_base58_decode(raw, &n, text)) {
        FUZZ_CHECK(n <= sizeof(raw));
        FUZZ_CHECK(cc_base58_encode(back, sizeof(back), raw, n));
        FUZZ_CHECK(!strcmp(back, trimmed(text)));
    }
    n = sizeof(raw);
    if (cc_base58check_decode(raw, &n, text)) {
        FUZZ_CHECK(cc_base58check_encode(back, sizeof(back), raw, n));
        FUZZ_CHECK(!strcmp(back, trimmed(text)));
    }
    free(text);
    /* And bytes to text and back. */
    if (len <= 200 && cc_base58check_encode(back, sizeof(back), data, len)) {
        n = sizeof(raw);
        FUZZ_CHECK(cc_base58check_decode(raw, &n, back));
        FUZZ_CHECK(n == len && (!n || !memcmp(raw, data, n)));
    }
}

static void lower(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text + 'a' - 'A');
}

void fuzz_bech32(const uint8_t *data, size_t len)
{
    char *text = fuzz_text(data, len), back[CC_BECH32_MAX + 1];
    uint8_t bytes[CC_BECH32_MAX], values[2 * CC_BECH32_MAX];
    struct cc_bech32 b;
    size_t at[16], count = 0, n;

    if (cc_bech32_decode(&b, text) != CC_BECH32_NONE) {
        FUZZ_CHECK(cc_bech32_encode(back, b.kind, b.hrp, b.data, b.len));
        lower(text);
        FUZZ_CHECK(!strcmp(back, text));
        FUZZ_CHECK(!cc_bech32_locate(text, at, 16, &count)[0]);
        if (cc_bech32_to_bytes(bytes, &n, b.data, b.len)) {
            FUZZ_CHECK(cc_bech32_from_bytes(values, bytes, n) == b.len);
            FUZZ_CHECK(!b.len || !memcmp(values, b.data, b.len));
        }
    } else {
        FUZZ_CHECK(cc_bech32_locate(text, at, 16, &count)[0]);
        for (size_t i = 0; i < count && i < 16; i++)
            FUZZ_CHECK(at[i] < strlen(text));
    }
    free(text);
}

/* An address, a secret, and an output script. */
void fuzz_address(const uint8_t *data, size_t len)
{
    char *text = fuzz_text(data, len), back[CC_ADDRESS_MAX], wif[CC_WIF_MAX];
    uint8_t script[CC_ADDRESS_SCRIPT_MAX], again[CC_ADDRESS_SCRIPT_MAX];
    uint8_t secret[32];
    struct cc_address_error err;
    size_t n = 0, m = 0;
    bool compressed;

    if (cc_address_decode(script, &n, text, &prefixes, &err)) {
        FUZZ_CHECK(n && n <= sizeof(script));
        FUZZ_CHECK(cc_address_encode(back, script, n, &prefixes));
        FUZZ_CHECK(cc_address_decode(again, &m, back, &prefixes, NULL));
        FUZZ_CHECK(m == n && !memcmp(script, again, n));
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    if (cc_wif_decode(secret, &compressed, text, &prefixes)) {
        cc_wif_encode(wif, secret, compressed, &prefixes);
        FUZZ_CHECK(!strcmp(wif, trimmed(text)));
    }
    free(text);
    if (cc_address_encode(back, data, len, &prefixes)) {
        FUZZ_CHECK(cc_address_decode(script, &n, back, &prefixes, NULL));
        FUZZ_CHECK(n == len && !memcmp(script, data, n));
    }
}

/* One for the whole run: making it takes longer than an input. */
static struct cc_ec *ec(void)
{
    static struct cc_ec *one;

    if (!one)
        one = cc_ec_new();
    FUZZ_CHECK(one);
    return one;
}

void fuzz_bip32(const uint8_t *data, size_t len)
{
    char *text = fuzz_text(data, len), back[CC_BIP32_TEXT_MAX];
    struct cc_bip32 k, child;
    uint32_t path[8];
    size_t count = 8;

    if (cc_bip32_path_parse(path, &count, text))
        FUZZ_CHECK(count <= 8);
    if (cc_bip32_decode(&k, ec(), text, &prefixes)) {
        cc_bip32_encode(back, &k, &prefixes);
        FUZZ_CHECK(!strcmp(back, trimmed(text)));
        if (cc_bip32_child(&child, ec(), &k, 1))
            FUZZ_CHECK(child.depth == k.depth + 1);
    }
    free(text);
}

void fuzz_bip39(const uint8_t *data, size_t len)
{
    char *text = fuzz_text(data, len), back[CC_BIP39_TEXT_MAX];
    char again[CC_BIP39_TEXT_MAX];
    uint8_t entropy[32], same[32];
    struct cc_error err;
    size_t n, m;

    if (cc_bip39_decode(entropy, &n, text, &err) == CC_OK) {
        FUZZ_CHECK(cc_bip39_encode(back, entropy, n));
        FUZZ_CHECK(cc_bip39_decode(same, &m, back, NULL) == CC_OK);
        FUZZ_CHECK(m == n && !memcmp(entropy, same, n));
        FUZZ_CHECK(cc_bip39_encode(again, same, m) && !strcmp(again, back));
    } else {
        FUZZ_CHECK(err.text[0]);
    }
    free(text);
}

/* --- Noise ------------------------------------------------------------- */

/* Both ends, the bytes between them as the input likes: first byte: how far
 * the handshake goes untouched. */
void fuzz_noise(const uint8_t *data, size_t len)
{
    static const uint8_t a[32] = {[31] = 1}, b[32] = {[31] = 2},
                         ea[32] = {[31] = 3}, eb[32] = {[31] = 4};
    uint8_t act[CC_NOISE_ACT3], key[33], *out;
    struct cc_noise i, r;
    unsigned honest;
    size_t n;

    if (!len)
        return;
    honest = *data++ % 4;
    len--;
    FUZZ_CHECK(cc_ec_pubkey(ec(), key, b));
    FUZZ_CHECK(cc_noise_init_initiator(&i, ec(), a, key, ea));
    FUZZ_CHECK(cc_noise_init_responder(&r, ec(), b, eb));
    FUZZ_CHECK(cc_noise_act1(&i, act));
    if (honest < 1 && len >= CC_NOISE_ACT1)
        memcpy(act, data, CC_NOISE_ACT1);
    if (!cc_noise_act1_read(&r, act))
        goto out;
    FUZZ_CHECK(cc_noise_act2(&r, act));
    if (honest < 2 && len >= CC_NOISE_ACT2)
        memcpy(act, data, CC_NOISE_ACT2);
    if (!cc_noise_act2_read(&i, act))
        goto out;
    FUZZ_CHECK(cc_noise_act3(&i, act));
    if (honest < 3 && len >= CC_NOISE_ACT3)
        memcpy(act, data, CC_NOISE_ACT3);
    if (!cc_noise_act3_read(&r, act))
        goto out;
    FUZZ_CHECK(cc_noise_ready(&i) && cc_noise_ready(&r));
    FUZZ_CHECK(!memcmp(i.receive.key, r.send.key, 32));
    if (len > CC_NOISE_MAX)
        len = CC_NOISE_MAX;
    out = malloc(CC_NOISE_HEADER + len + CC_NOISE_TAG + 1);
    FUZZ_CHECK(out && cc_noise_write(&i, out, data, len));
    FUZZ_CHECK(cc_noise_read_header(&r, &n, out) && n == len);
    FUZZ_CHECK(cc_noise_read(&r, out, out + CC_NOISE_HEADER, n));
    FUZZ_CHECK(!n || !memcmp(out, data, n));
    free(out);
    /* A packet out of nothing is refused, and ends the session. */
    if (len >= CC_NOISE_HEADER) {
        FUZZ_CHECK(!cc_noise_read_header(&r, &n, data));
        FUZZ_CHECK(!cc_noise_ready(&r));
    }
out:
    cc_noise_clear(&i);
    cc_noise_clear(&r);
}

/* --- Merkle proofs ----------------------------------------------------- */

/* n leaves of 8 bytes each; a path and a range proof out of the input prove
 * nothing but what is there. */
void fuzz_mtree(const uint8_t *data, size_t len)
{
    uint8_t hashes[64 * 32], root[32], got[32], proof[128 * 32];
    size_t n, index, begin, end, count = 128, nodes;
    struct cc_reader r;

    cc_reader_init(&r, data, len);
    n = cc_read_u8(&r) % 64 + 1u;
    index = cc_read_u8(&r) % n;
    begin = cc_read_u8(&r) % n;
    end = begin + 1 + cc_read_u8(&r) % (n - begin);
    for (size_t i = 0; i < n; i++)
        cc_mtree_leaf(hashes + 32 * i, &i, 8);
    cc_mtree_root(root, hashes, n);
    cc_mtree_path(proof, hashes, n, index);
    nodes = cc_mtree_path_len(index, n);
    FUZZ_CHECK(
        cc_mtree_path_root(got, hashes + 32 * index, index, n, proof, nodes));
    FUZZ_CHECK(!memcmp(got, root, 32));
    FUZZ_CHECK(cc_mtree_range_prove(proof, &count, hashes, n, begin, end));
    FUZZ_CHECK(cc_mtree_range_check(root, hashes + 32 * begin, n, begin, end,
                                    proof, count));
    /* Now the input's own nodes. */
    if (r.left >= 32 * count && count && memcmp(r.pos, proof, 32 * count) != 0)
        FUZZ_CHECK(!cc_mtree_range_check(root, hashes + 32 * begin, n, begin,
                                         end, r.pos, count));
    nodes = r.left / 32;
    if (nodes > 128)
        nodes = 128;
    for (uint64_t leaves = 1; leaves; leaves <<= 7)
        (void)cc_mtree_path_root(got, hashes, index % leaves, leaves, r.pos,
                                 nodes);
}
