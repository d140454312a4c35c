/* The bytes of a coin: keys and values of the database, and undo data. */
#include "chain/coins.h"

#define SCRIPT_RAW 6 /* a script as it is has length + 6 in front */

size_t cc_coin_key(uint8_t out[CC_COIN_KEY_MAX], const struct cc_outpoint *o)
{
    memcpy(out, o->txid, 32);
    if (o->index < 0xfd) {
        out[32] = (uint8_t)o->index;
        return 33;
    }
    if (o->index <= 0xffff) {
        out[32] = 0xfd;
        out[33] = (uint8_t)(o->index >> 8);
        out[34] = (uint8_t)o->index;
        return 35;
    }
    out[32] = 0xfe;
    cc_put_u32be(out + 33, o->index);
    return 37;
}

bool cc_coin_key_read(struct cc_outpoint *o, struct cc_bytes key)
{
    uint8_t again[CC_COIN_KEY_MAX];

    if (key.len < 33)
        return false;
    memcpy(o->txid, key.data, 32);
    if (key.len == 33)
        o->index = key.data[32];
    else if (key.len == 35)
        o->index = (uint32_t)(key.data[33] << 8 | key.data[34]);
    else if (key.len == 37)
        o->index = cc_get_u32be(key.data + 33);
    else
        return false;
    return cc_bytes_equal(key, cc_bytes(again, cc_coin_key(again, o)));
}

/* Seven bits a byte, highest first, each but the last with its top bit set and
 * one less than its value, so that every number has one form. */
static void write_varint(struct cc_writer *w, uint64_t n)
{
    uint8_t tmp[10];
    size_t len = 0;

    for (;;) {
        tmp[len] = (uint8_t)((n & 0x7f) | (len ? 0x80 : 0));
        len++;
        if (n <= 0x7f)
            break;
        n = (n >> 7) - 1;
    }
    while (len)
        cc_write_u8(w, tmp[--len]);
}

static uint64_t read_varint(struct cc_reader *r)
{
    uint64_t n = 0;

    for (;;) {
        uint8_t b = cc_read_u8(r);

        if (r->failed || n > UINT64_MAX >> 7)
            break;
        n = n << 7 | (b & 0x7f);
        if (!(b & 0x80))
            return n;
        if (n == UINT64_MAX)
            break;
        n++;
    }
    r->failed = true;
    return 0;
}

/* Amounts are mostly round: take off up to nine zeros of the decimal form. */
static uint64_t compress_amount(uint64_t n)
{
    uint64_t e = 0;

    if (n == 0)
        return 0;
    while (e < 9 && n % 10 == 0) {
        n /= 10;
        e++;
    }
    if (e == 9)
        return 1 + (n - 1) * 10 + 9;
    return 1 + ((n / 10) * 9 + n % 10 - 1) * 10 + e;
}

static bool decompress_amount(uint64_t x, uint64_t *out)
{
    uint64_t e, n;

    if (x == 0) {
        *out = 0;
        return true;
    }
    x--;
    e = x % 10;
    x /= 10;
    n = e < 9 ? (x / 9) * 10 + x % 9 + 1 : x + 1;
    while (e--)
        if (__builtin_mul_overflow(n, (uint64_t)10, &n))
            return false;
    *out = n;
    return n <= INT64_MAX;
}

static void write_txout(struct cc_writer *w, const struct cc_txout *out)
{
    const uint8_t *s = out->script.data;
    size_t len = out->script.len;

    write_varint(w, compress_amount((uint64_t)out->value));
    if (len == 25 && s[0] == 0x76 && s[1] == 0xa9 && s[2] == 20 &&
        s[23] == 0x88 && s[24] == 0xac) {
        cc_write_u8(w, 0); /* pay to public key hash */
        cc_write_bytes(w, s + 3, 20);
    } else if (len == 23 && s[0] == 0xa9 && s[1] == 20 && s[22] == 0x87) {
        cc_write_u8(w, 1); /* pay to script hash */
        cc_write_bytes(w, s + 2, 20);
    } else if (len == 35 && s[0] == 33 && (s[1] == 2 || s[1] == 3) &&
               s[34] == 0xac) {
        cc_write_bytes(w, s + 1, 33); /* a compressed key; 2, 3 its parity */
    } else {
        write_varint(w, (uint64_t)len + SCRIPT_RAW);
        cc_write_bytes(w, s, len);
    }
}

static void read_txout(struct cc_reader *r, struct cc_txout *out,
                       struct cc_arena *arena)
{
    uint64_t value = 0, n;
    uint8_t *s;

    if (!decompress_amount(read_varint(r), &value))
        r->failed = true;
    n = read_varint(r);
    out->script = cc_bytes(NULL, 0);
    if (r->failed)
        return;
    out->value = (cc_amount)value;
    switch (n) {
    case 0:
        s = cc_arena_alloc(arena, 25);
        memcpy(s, "\x76\xa9\x14", 3);
        cc_read_bytes(r, s + 3, 20);
        memcpy(s + 23, "\x88\xac", 2);
        out->script = cc_bytes(s, 25);
        break;
    case 1:
        s = cc_arena_alloc(arena, 23);
        memcpy(s, "\xa9\x14", 2);
        cc_read_bytes(r, s + 2, 20);
        s[22] = 0x87;
        out->script = cc_bytes(s, 23);
        break;
    case 2:
    case 3:
        s = cc_arena_alloc(arena, 35);
        s[0] = 33;
        s[1] = (uint8_t)n;
        cc_read_bytes(r, s + 2, 32);
        s[34] = 0xac;
        out->script = cc_bytes(s, 35);
        break;
    case 4:
    case 5: /* Bitcoin's uncompressed keys: we store those as they are */
        r->failed = true;
        break;
    default:
        if (n - SCRIPT_RAW > r->left)
            r->failed = true;
        else
            out->script = cc_read_slice(r, (size_t)(n - SCRIPT_RAW));
        break;
    }
}

static void read_code(struct cc_reader *r, struct cc_coin *coin)
{
    uint64_t code = read_varint(r);

    if (code >> 1 > UINT32_MAX)
        r->failed = true;
    coin->height = (uint32_t)(code >> 1);
    coin->coinbase = code & 1;
}

void cc_coin_write(struct cc_writer *w, const struct cc_coin *coin)
{
    write_varint(w, (uint64_t)coin->height * 2 + coin->coinbase);
    write_txout(w, &coin->out);
}

void cc_coin_read(struct cc_reader *r, struct cc_coin *coin,
                  struct cc_arena *arena)
{
    memset(coin, 0, sizeof(*coin));
    read_code(r, coin);
    read_txout(r, &coin->out, arena);
}

void cc_coin_write_undo(struct cc_writer *w, const struct cc_coin *coin)
{
    write_varint(w, (uint64_t)coin->height * 2 + coin->coinbase);
    if (coin->height > 0)
        cc_write_u8(w, 0); /* a version, once */
    write_txout(w, &coin->out);
}

void cc_coin_read_undo(struct cc_reader *r, struct cc_coin *coin,
                       struct cc_arena *arena)
{
    memset(coin, 0, sizeof(*coin));
    read_code(r, coin);
    if (coin->height > 0 && cc_read_u8(r) != 0)
        r->failed = true;
    read_txout(r, &coin->out, arena);
}
