#include "crypto/bech32.h"

#define CHECKSUM 6
#define NONE 0xff /* no digit of the alphabet */

static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

static uint32_t constant(enum cc_bech32_kind kind)
{
    return kind == CC_BECH32M ? 0x2bc830a3 : 1;
}

/* The BCH code's remainder, one more value pushed in (BIP 173). */
static uint32_t push(uint32_t c, uint8_t value)
{
    static const uint32_t generator[5] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                          0x3d4233dd, 0x2a1462b3};
    uint32_t top = c >> 25;

    c = (c & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++) /* no branch: its way would be random */
        c ^= generator[i] & (0 - (top >> i & 1));
    return c;
}

static uint32_t push_hrp(const char *hrp)
{
    uint32_t c = 1;

    for (const char *p = hrp; *p; p++)
        c = push(c, (uint8_t)*p >> 5);
    c = push(c, 0);
    for (const char *p = hrp; *p; p++)
        c = push(c, *p & 31);
    return c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static uint8_t value_of(char c)
{
    const char *p = c ? strchr(digits, lower(c)) : NULL;

    return p ? (uint8_t)(p - digits) : NONE;
}

bool cc_bech32_encode(char *out, enum cc_bech32_kind kind, const char *hrp,
                      const uint8_t *data, size_t len)
{
    size_t hrp_len = strlen(hrp);
    uint32_t c;

    if (!hrp_len || len > CC_BECH32_MAX ||
        hrp_len + 1 + len + CHECKSUM > CC_BECH32_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (data[i] >= 32)
            return false;
    memcpy(out, hrp, hrp_len);
    out += hrp_len;
    *out++ = '1';
    c = push_hrp(hrp);
    for (size_t i = 0; i < len; i++) {
        c = push(c, data[i]);
        *out++ = digits[data[i]];
    }
    for (int i = 0; i < CHECKSUM; i++)
        c = push(c, 0);
    c ^= constant(kind);
    for (int i = 0; i < CHECKSUM; i++)
        *out++ = digits[c >> (25 - 5 * i) & 31];
    *out = 0;
    return true;
}

struct places {
    size_t *at, room, count;
};

static void note(struct places *p, size_t at)
{
    if (p->count < p->room)
        p->at[p->count++] = at;
}

/* Every character printable, all letters of one case. */
static bool check_characters(const char *text, struct places *wrong)
{
    bool low = false, high = false, good = true;

    for (size_t i = 0; text[i]; i++) {
        char c = text[i];
        bool bad = false;

        if (c >= 'a' && c <= 'z') {
            bad = high;
            low = low || !high;
        } else if (c >= 'A' && c <= 'Z') {
            bad = low;
            high = high || !low;
        } else if (c < 33 || c > 126) {
            bad = true;
        }
        if (bad) {
            note(wrong, i);
            good = false;
        }
    }
    return good;
}

/* hrp and the values behind the separator, checksum included. NULL, or what
 * is wrong. */
static const char *take_apart(struct cc_bech32 *b, const char *text,
                              struct places *wrong)
{
    size_t len = strlen(text), sep;
    const char *one;

    if (len > CC_BECH32_MAX) {
        for (size_t i = CC_BECH32_MAX; i < len; i++)
            note(wrong, i);
        return "Bech32 string too long";
    }
    if (!check_characters(text, wrong))
        return "Invalid character or mixed case";
    one = strrchr(text, '1');
    if (!one)
        return "Missing separator";
    sep = (size_t)(one - text);
    if (sep == 0 || sep + CHECKSUM >= len) {
        note(wrong, sep);
        return "Invalid separator position";
    }
    for (size_t i = 0; i < sep; i++)
        b->hrp[i] = lower(text[i]);
    b->hrp[sep] = 0;
    b->len = len - sep - 1;
    for (size_t i = 0; i < b->len; i++) {
        b->data[i] = value_of(one[1 + i]);
        if (b->data[i] == NONE) {
            note(wrong, sep + 1 + i);
            return "Invalid Base 32 character";
        }
    }
    return NULL;
}

static uint32_t remainder_of(const struct cc_bech32 *b)
{
    uint32_t c = push_hrp(b->hrp);

    for (size_t i = 0; i < b->len; i++)
        c = push(c, b->data[i]);
    return c;
}

enum cc_bech32_kind cc_bech32_decode(struct cc_bech32 *out, const char *text)
{
    struct places none = {NULL, 0, 0};
    uint32_t c;

    memset(out, 0, sizeof(*out));
    if (take_apart(out, text, &none))
        return CC_BECH32_NONE;
    c = remainder_of(out);
    if (c == constant(CC_BECH32))
        out->kind = CC_BECH32;
    else if (c == constant(CC_BECH32M))
        out->kind = CC_BECH32M;
    if (out->kind != CC_BECH32_NONE)
        out->len -= CHECKSUM;
    return out->kind;
}

/*
 * The remainder is linear: changing value e at place i from the end adds
 * effect(i, e), and two changes add both. So one wrong character is found by
 * comparing each effect with what is wrong, two by looking for what the first
 * leaves over. The code's distance of 5 makes the answer the only one. A
 * mistyped address is rare and n is 84: a double loop will do.
 */
static size_t find_errors(const struct cc_bech32 *b, uint32_t wrong,
                          size_t at[2])
{
    uint32_t effect[CC_BECH32_MAX][31];

    for (size_t i = 0; i < b->len; i++) {
        for (uint8_t e = 1; e < 32; e++) {
            uint32_t c = i ? effect[i - 1][e - 1] : e;

            effect[i][e - 1] = i ? push(c, 0) : c;
            if (effect[i][e - 1] == wrong) {
                at[0] = b->len - 1 - i;
                return 1;
            }
        }
    }
    for (size_t i = 0; i < b->len * 31; i++) {
        uint32_t rest = wrong ^ effect[i / 31][i % 31];

        for (size_t j = 0; j < i / 31 * 31; j++) {
            if (effect[j / 31][j % 31] == rest) {
                at[0] = b->len - 1 - i / 31;
                at[1] = b->len - 1 - j / 31;
                return 2;
            }
        }
    }
    return 0;
}

const char *cc_bech32_locate(const char *text, size_t *at, size_t room,
                             size_t *count)
{
    static const enum cc_bech32_kind kinds[2] = {CC_BECH32, CC_BECH32M};
    static const char *const says[2] = {"Invalid Bech32 checksum",
                                        "Invalid Bech32m checksum"};
    struct places wrong = {at, room, 0};
    const char *fault;
    struct cc_bech32 b;
    size_t best[2], found = 0;

    fault = take_apart(&b, text, &wrong);
    *count = wrong.count;
    if (fault)
        return fault;
    /* Whichever of the two kinds is nearer is what was meant. */
    fault = "Invalid checksum";
    for (int k = 0; k < 2; k++) {
        uint32_t c = remainder_of(&b) ^ constant(kinds[k]);
        size_t places[2], n;

        if (!c)
            return "";
        n = find_errors(&b, c, places);
        if (n && (!found || n < found)) {
            memcpy(best, places, sizeof(best));
            found = n;
            fault = says[k];
        }
    }
    for (size_t i = 0; i < found; i++)
        note(&wrong, strlen(b.hrp) + 1 + best[i]);
    *count = wrong.count;
    return fault;
}

size_t cc_bech32_from_bytes(uint8_t *out, const uint8_t *data, size_t len)
{
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        acc = (acc << 8 | data[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            out[n++] = acc >> (bits - 5) & 31;
    }
    if (bits)
        out[n++] = (uint8_t)(acc << (5 - bits) & 31);
    return n;
}

bool cc_bech32_to_bytes(uint8_t *out, size_t *out_len, const uint8_t *values,
                        size_t len)
{
    uint32_t acc = 0;
    unsigned bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        acc = (acc << 5 | values[i]) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (uint8_t)(acc >> bits);
        }
    }
    *out_len = n;
    return bits < 5 && !(acc & ((1u << bits) - 1));
}
