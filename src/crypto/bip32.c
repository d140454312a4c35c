#include "crypto/bip32.h"

#include "crypto/base58.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/mem.h"

#include <stdlib.h>

#define SERIAL 78 /* bytes of an extended key */

bool cc_bip32_master(struct cc_bip32 *out, const struct cc_ec *ec,
                     const uint8_t *seed, size_t len)
{
    uint8_t i[64];
    bool ok;

    if (len < 16 || len > 64)
        return false;
    memset(out, 0, sizeof(*out));
    cc_hmac_sha512(i, "Bitcoin seed", 12, seed, len);
    out->is_private = true;
    memcpy(out->secret, i, 32);
    memcpy(out->chain, i + 32, 32);
    cc_cleanse(i, sizeof(i));
    ok = cc_ec_pubkey(ec, out->pubkey, out->secret);
    if (!ok)
        cc_cleanse(out, sizeof(*out));
    return ok;
}

void cc_bip32_fingerprint(uint8_t out[4], const struct cc_bip32 *k)
{
    uint8_t h[20];

    cc_hash160(h, k->pubkey, 33);
    memcpy(out, h, 4);
}

bool cc_bip32_child(struct cc_bip32 *out, const struct cc_ec *ec,
                    const struct cc_bip32 *parent, uint32_t index)
{
    bool hardened = index >= CC_BIP32_HARDENED, ok;
    uint8_t data[37], i[64];
    struct cc_bip32 k;

    if ((hardened && !parent->is_private) || parent->depth == 255)
        return false;
    k = *parent;
    if (hardened) {
        data[0] = 0;
        memcpy(data + 1, parent->secret, 32);
    } else {
        memcpy(data, parent->pubkey, 33);
    }
    cc_put_u32be(data + 33, index);
    cc_hmac_sha512(i, parent->chain, 32, data, sizeof(data));
    k.depth++;
    cc_bip32_fingerprint(k.parent, parent);
    k.child = index;
    memcpy(k.chain, i + 32, 32);
    if (k.is_private)
        ok = cc_ec_secret_tweak(k.secret, i) &&
             cc_ec_pubkey(ec, k.pubkey, k.secret);
    else
        ok = cc_ec_pubkey_tweak(k.pubkey, parent->pubkey, i);
    if (ok)
        *out = k;
    cc_cleanse(&k, sizeof(k));
    cc_cleanse(data, sizeof(data));
    cc_cleanse(i, sizeof(i));
    return ok;
}

bool cc_bip32_path(struct cc_bip32 *out, const struct cc_ec *ec,
                   const struct cc_bip32 *from, const uint32_t *path,
                   size_t count)
{
    struct cc_bip32 k = *from;
    bool ok = true;

    for (size_t i = 0; ok && i < count; i++)
        ok = cc_bip32_child(&k, ec, &k, path[i]);
    if (ok)
        *out = k;
    cc_cleanse(&k, sizeof(k));
    return ok;
}

bool cc_bip32_path_parse(uint32_t *path, size_t *count, const char *text)
{
    size_t room = *count, n = 0;

    if (*text == 'm') {
        text++;
        if (!*text) {
            *count = 0;
            return true;
        }
        if (*text++ != '/')
            return false;
    }
    for (;;) {
        uint64_t v = 0;
        const char *start = text;

        for (; *text >= '0' && *text <= '9' && text - start < 11; text++)
            v = v * 10 + (uint64_t)(*text - '0');
        if (text == start || v >= CC_BIP32_HARDENED || n == room)
            return false;
        path[n] = (uint32_t)v;
        if (*text == '\'' || *text == 'h' || *text == 'H') {
            path[n] |= CC_BIP32_HARDENED;
            text++;
        }
        n++;
        if (!*text)
            break;
        if (*text++ != '/')
            return false;
    }
    *count = n;
    return true;
}

void cc_bip32_neuter(struct cc_bip32 *k)
{
    k->is_private = false;
    cc_cleanse(k->secret, sizeof(k->secret));
}

void cc_bip32_encode(char out[CC_BIP32_TEXT_MAX], const struct cc_bip32 *k,
                     const struct cc_address_prefixes *p)
{
    uint8_t buf[SERIAL];

    cc_put_u32be(buf, k->is_private ? p->xprv : p->xpub);
    buf[4] = k->depth;
    memcpy(buf + 5, k->parent, 4);
    cc_put_u32be(buf + 9, k->child);
    memcpy(buf + 13, k->chain, 32);
    if (k->is_private) {
        buf[45] = 0;
        memcpy(buf + 46, k->secret, 32);
    } else {
        memcpy(buf + 45, k->pubkey, 33);
    }
    if (!cc_base58check_encode(out, CC_BIP32_TEXT_MAX, buf, sizeof(buf)))
        abort(); /* 78 bytes always fit */
    cc_cleanse(buf, sizeof(buf));
}

bool cc_bip32_decode(struct cc_bip32 *out, const struct cc_ec *ec,
                     const char *text, const struct cc_address_prefixes *p)
{
    static const uint8_t none[8] = {0};
    uint8_t buf[SERIAL];
    size_t len = sizeof(buf);
    struct cc_bip32 k;
    bool ok = false;

    memset(&k, 0, sizeof(k));
    if (!cc_base58check_decode(buf, &len, text) || len != SERIAL)
        goto out;
    k.is_private = cc_get_u32be(buf) == p->xprv;
    if (!k.is_private && cc_get_u32be(buf) != p->xpub)
        goto out;
    k.depth = buf[4];
    /* A master key has neither parent nor number. */
    if (!k.depth && memcmp(buf + 5, none, 8))
        goto out;
    memcpy(k.parent, buf + 5, 4);
    k.child = cc_get_u32be(buf + 9);
    memcpy(k.chain, buf + 13, 32);
    if (k.is_private) {
        memcpy(k.secret, buf + 46, 32);
        ok = buf[45] == 0 && cc_ec_pubkey(ec, k.pubkey, k.secret);
    } else {
        memcpy(k.pubkey, buf + 45, 33);
        ok = cc_ec_pubkey_valid(k.pubkey, 33);
    }
    if (ok)
        *out = k;
out:
    cc_cleanse(&k, sizeof(k));
    cc_cleanse(buf, sizeof(buf));
    return ok;
}
