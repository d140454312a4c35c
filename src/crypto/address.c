#include "crypto/address.h"

#include "crypto/base58.h"
#include "crypto/bech32.h"
#include "crypto/ec.h"
#include "util/mem.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    OP_0 = 0x00,
    OP_1 = 0x51,
    OP_16 = 0x60,
    OP_DUP = 0x76,
    OP_EQUAL = 0x87,
    OP_EQUALVERIFY = 0x88,
    OP_HASH160 = 0xa9,
    OP_CHECKSIG = 0xac,
};

static enum cc_address_kind witness_kind(uint8_t version, size_t len)
{
    if (version == 0)
        return len == 20   ? CC_ADDRESS_WPKH
               : len == 32 ? CC_ADDRESS_WSH
                           : CC_ADDRESS_NONE;
    return version == 1 && len == 32 ? CC_ADDRESS_TR : CC_ADDRESS_WITNESS;
}

static void set(struct cc_address *a, enum cc_address_kind kind,
                uint8_t version, const uint8_t *data, size_t len)
{
    memset(a, 0, sizeof(*a));
    a->kind = kind;
    if (kind == CC_ADDRESS_NONE)
        return;
    a->version = version;
    a->len = len;
    memcpy(a->data, data, len);
}

enum cc_address_kind cc_address_from_script(struct cc_address *a,
                                            const uint8_t *s, size_t len)
{
    set(a, CC_ADDRESS_NONE, 0, NULL, 0);
    if (len == 25 && s[0] == OP_DUP && s[1] == OP_HASH160 && s[2] == 20 &&
        s[23] == OP_EQUALVERIFY && s[24] == OP_CHECKSIG) {
        set(a, CC_ADDRESS_PKH, 0, s + 3, 20);
    } else if (len == 23 && s[0] == OP_HASH160 && s[1] == 20 &&
               s[22] == OP_EQUAL) {
        set(a, CC_ADDRESS_SH, 0, s + 2, 20);
    } else if (len >= 4 && len <= 42 && s[1] == len - 2 &&
               (s[0] == OP_0 || (s[0] >= OP_1 && s[0] <= OP_16))) {
        uint8_t version = s[0] == OP_0 ? 0 : (uint8_t)(s[0] - OP_1 + 1);

        set(a, witness_kind(version, len - 2), version, s + 2, len - 2);
    }
    return a->kind;
}

size_t cc_address_to_script(uint8_t s[CC_ADDRESS_SCRIPT_MAX],
                            const struct cc_address *a)
{
    switch (a->kind) {
    case CC_ADDRESS_NONE:
        return 0;
    case CC_ADDRESS_PKH:
        s[0] = OP_DUP;
        s[1] = OP_HASH160;
        s[2] = 20;
        memcpy(s + 3, a->data, 20);
        s[23] = OP_EQUALVERIFY;
        s[24] = OP_CHECKSIG;
        return 25;
    case CC_ADDRESS_SH:
        s[0] = OP_HASH160;
        s[1] = 20;
        memcpy(s + 2, a->data, 20);
        s[22] = OP_EQUAL;
        return 23;
    case CC_ADDRESS_WPKH:
    case CC_ADDRESS_WSH:
    case CC_ADDRESS_TR:
    case CC_ADDRESS_WITNESS:
        s[0] = a->version ? (uint8_t)(OP_1 + a->version - 1) : OP_0;
        s[1] = (uint8_t)a->len;
        memcpy(s + 2, a->data, a->len);
        return a->len + 2;
    }
    return 0;
}

static bool format_base58(char *out, uint8_t version,
                          const struct cc_address *a)
{
    uint8_t buf[21];

    buf[0] = version;
    memcpy(buf + 1, a->data, 20);
    return cc_base58check_encode(out, CC_ADDRESS_MAX, buf, sizeof(buf));
}

bool cc_address_format(char out[CC_ADDRESS_MAX], const struct cc_address *a,
                       const struct cc_address_prefixes *p)
{
    uint8_t values[1 + 64];
    size_t n;

    switch (a->kind) {
    case CC_ADDRESS_NONE:
        return false;
    case CC_ADDRESS_PKH:
        return format_base58(out, p->pubkey, a);
    case CC_ADDRESS_SH:
        return format_base58(out, p->script, a);
    case CC_ADDRESS_WPKH:
    case CC_ADDRESS_WSH:
    case CC_ADDRESS_TR:
    case CC_ADDRESS_WITNESS:
        break;
    }
    values[0] = a->version;
    n = cc_bech32_from_bytes(values + 1, a->data, a->len);
    return cc_bech32_encode(out, a->version ? CC_BECH32M : CC_BECH32, p->hrp,
                            values, n + 1);
}

__attribute__((format(printf, 2, 3))) static bool
fail(struct cc_address_error *err, const char *fmt, ...)
{
    va_list ap;

    if (err) {
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof(err->text), fmt, ap);
        va_end(ap);
    }
    return false;
}

static bool parse_base58(struct cc_address *a, const char *text,
                         const struct cc_address_prefixes *p,
                         struct cc_address_error *err)
{
    uint8_t buf[100];
    size_t len = 21;

    if (!cc_base58check_decode(buf, &len, text)) {
        len = sizeof(buf);
        return fail(err, "%s",
                    cc_base58_decode(buf, &len, text)
                        ? "Invalid checksum or length of Base58 address "
                          "(P2PKH or P2SH)"
                        : "Invalid or unsupported Segwit (Bech32) or Base58 "
                          "encoding.");
    }
    if (len == 0 || (buf[0] != p->pubkey && buf[0] != p->script))
        return fail(err, "Invalid or unsupported Base58-encoded address.");
    if (len != 21)
        return fail(err, "Invalid length for Base58 address (P2PKH or P2SH)");
    set(a, buf[0] == p->pubkey ? CC_ADDRESS_PKH : CC_ADDRESS_SH, 0, buf + 1,
        20);
    return true;
}

static bool parse_program(struct cc_address *a, const struct cc_bech32 *b,
                          struct cc_address_error *err)
{
    uint8_t version = b->data[0], program[CC_BECH32_MAX];
    enum cc_address_kind kind;
    const char *unit;
    size_t len;

    if (version == 0 && b->kind != CC_BECH32)
        return fail(err, "Version 0 witness address must use Bech32 checksum");
    if (version != 0 && b->kind != CC_BECH32M)
        return fail(err,
                    "Version 1+ witness address must use Bech32m checksum");
    if (!cc_bech32_to_bytes(program, &len, b->data + 1, b->len - 1))
        return fail(err, "Invalid padding in Bech32 data section");
    unit = len == 1 ? "byte" : "bytes";
    kind = witness_kind(version, len);
    if (kind == CC_ADDRESS_NONE)
        return fail(err,
                    "Invalid Bech32 v0 address program size (%zu %s), "
                    "per BIP141",
                    len, unit);
    if (version > 16)
        return fail(err, "Invalid Bech32 address witness version");
    if (len < 2 || len > 40)
        return fail(err, "Invalid Bech32 address program size (%zu %s)", len,
                    unit);
    set(a, kind, version, program, len);
    return true;
}

static bool parse_bech32(struct cc_address *a, const char *text,
                         const struct cc_address_prefixes *p,
                         struct cc_address_error *err)
{
    struct cc_bech32 b;

    if (cc_bech32_decode(&b, text) == CC_BECH32_NONE) {
        if (err)
            fail(err, "%s",
                 cc_bech32_locate(text, err->at,
                                  sizeof(err->at) / sizeof(err->at[0]),
                                  &err->count));
        return false;
    }
    if (!b.len)
        return fail(err, "Empty Bech32 data section");
    if (strcmp(b.hrp, p->hrp))
        return fail(err,
                    "Invalid or unsupported prefix for Segwit (Bech32) "
                    "address (expected %s, got %s).",
                    p->hrp, b.hrp);
    return parse_program(a, &b, err);
}

/* A text that begins as one of ours does, in any case, is taken for bech32,
 * so that a mistyped one gets the message that helps. */
static bool looks_bech32(const char *text, const char *hrp)
{
    for (; *hrp; hrp++, text++) {
        char c =
            *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;

        if (c != *hrp)
            return false;
    }
    return true;
}

bool cc_address_parse(struct cc_address *a, const char *text,
                      const struct cc_address_prefixes *p,
                      struct cc_address_error *err)
{
    set(a, CC_ADDRESS_NONE, 0, NULL, 0);
    if (err)
        memset(err, 0, sizeof(*err));
    return looks_bech32(text, p->hrp) ? parse_bech32(a, text, p, err)
                                      : parse_base58(a, text, p, err);
}

bool cc_address_encode(char out[CC_ADDRESS_MAX], const uint8_t *script,
                       size_t len, const struct cc_address_prefixes *p)
{
    struct cc_address a;

    cc_address_from_script(&a, script, len);
    return cc_address_format(out, &a, p);
}

bool cc_address_decode(uint8_t script[CC_ADDRESS_SCRIPT_MAX], size_t *len,
                       const char *text, const struct cc_address_prefixes *p,
                       struct cc_address_error *err)
{
    struct cc_address a;

    if (!cc_address_parse(&a, text, p, err))
        return false;
    *len = cc_address_to_script(script, &a);
    return true;
}

void cc_wif_encode(char out[CC_WIF_MAX], const uint8_t secret[32],
                   bool compressed, const struct cc_address_prefixes *p)
{
    uint8_t buf[34];

    buf[0] = p->secret;
    memcpy(buf + 1, secret, 32);
    buf[33] = 1;
    if (!cc_base58check_encode(out, CC_WIF_MAX, buf, compressed ? 34 : 33))
        out[0] = 0;
    cc_cleanse(buf, sizeof(buf));
}

bool cc_wif_decode(uint8_t secret[32], bool *compressed, const char *text,
                   const struct cc_address_prefixes *p)
{
    uint8_t buf[34];
    size_t len = sizeof(buf);
    bool ok;

    ok = cc_base58check_decode(buf, &len, text) && len >= 33 &&
         buf[0] == p->secret && (len == 33 || buf[33] == 1) &&
         cc_ec_secret_valid(buf + 1);
    if (ok) {
        memcpy(secret, buf + 1, 32);
        *compressed = len == 34;
    }
    cc_cleanse(buf, sizeof(buf));
    return ok;
}
