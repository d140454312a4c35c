#include "net/asmap.h"

#include <inttypes.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/writer.h"

#define MAP_BYTES_MAX ((size_t)64 << 20)
#define ADDRESS_BITS 128
#define FULL_MATCH 8 /* a longer match is several, of which one is shorter */
#define PADDING 7    /* the most a last byte can hold */

struct cc_asmap {
    uint8_t *data;
    size_t bits;
    uint8_t version[32];
};

enum opcode { OP_RETURN, OP_JUMP, OP_MATCH, OP_DEFAULT };

struct program {
    const uint8_t *data;
    size_t pos, end; /* in bits */
};

static bool take_bit(struct program *p, unsigned *bit)
{
    if (p->pos == p->end)
        return false;
    *bit = p->data[p->pos / 8] >> p->pos % 8 & 1;
    p->pos++;
    return true;
}

/* Classes of first to last bits, one more each; the numbers of each begin
 * where those of the class before end, those of the first with base. */
static bool take_number(struct program *p, uint32_t base, unsigned first,
                        unsigned last, uint32_t *out)
{
    unsigned size = first, bit;

    for (*out = base; size < last; size++) {
        if (!take_bit(p, &bit))
            return false;
        if (!bit)
            break;
        *out += UINT32_C(1) << size;
    }
    while (size--) {
        if (!take_bit(p, &bit))
            return false;
        *out += (uint32_t)bit << size;
    }
    return true;
}

/* 0: RETURN, 10: JUMP, 110: MATCH, 111: DEFAULT. */
static bool take_opcode(struct program *p, enum opcode *op)
{
    unsigned n = 0, bit = 1;

    while (n < 3 && bit) {
        if (!take_bit(p, &bit))
            return false;
        n += bit;
    }
    *op = (enum opcode)n;
    return true;
}

static bool take_asn(struct program *p, uint32_t *asn)
{
    return take_number(p, 1, 15, 24, asn);
}

static bool take_jump(struct program *p, uint32_t *distance)
{
    return take_number(p, 17, 5, 30, distance);
}

/* The bits to match stand behind the highest one. */
static bool take_match(struct program *p, uint32_t *bits, unsigned *count)
{
    if (!take_number(p, 2, 1, 8, bits))
        return false;
    *count = 0;
    while (*bits >> (*count + 1))
        ++*count;
    return true;
}

/* --- Looking up ----------------------------------------------------------- */

static unsigned bit_of(const uint8_t ip[16], unsigned i)
{
    return ip[i / 8] >> (7 - i % 8) & 1;
}

/* The map was checked: what could go wrong here does not. */
static uint32_t look_up(const struct cc_asmap *m, const uint8_t ip[16])
{
    struct program p = {m->data, 0, m->bits};
    uint32_t n, otherwise = 0;
    unsigned at = 0, count;
    enum opcode op;

    while (take_opcode(&p, &op)) {
        switch (op) {
        case OP_RETURN:
            return take_asn(&p, &n) ? n : 0;
        case OP_DEFAULT:
            if (!take_asn(&p, &otherwise))
                return 0;
            break;
        case OP_JUMP:
            if (!take_jump(&p, &n) || at == ADDRESS_BITS || n >= p.end - p.pos)
                return 0;
            if (bit_of(ip, at++))
                p.pos += n;
            break;
        case OP_MATCH:
            if (!take_match(&p, &n, &count) || count > ADDRESS_BITS - at)
                return 0;
            while (count--)
                if (bit_of(ip, at++) != (n >> count & 1))
                    return otherwise;
            break;
        }
    }
    return 0;
}

/* IPv6 addresses that stand for one of IPv4: 6to4 (RFC 3964), Teredo (RFC
 * 4380), translated ones (RFC 6052, RFC 6145). */
static bool linked(const uint8_t b[16], uint8_t v4[4])
{
    static const uint8_t teredo[4] = {0x20, 0x01};
    static const uint8_t translated[12] = {0x00, 0x64, 0xff, 0x9b};
    static const uint8_t siit[12] = {[8] = 0xff, [9] = 0xff};

    if (b[0] == 0x20 && b[1] == 0x02) {
        memcpy(v4, b + 2, 4);
    } else if (!memcmp(b, teredo, 4)) {
        for (size_t i = 0; i < 4; i++)
            v4[i] = (uint8_t)~b[12 + i];
    } else if (!memcmp(b, translated, 12) || !memcmp(b, siit, 12)) {
        memcpy(v4, b + 12, 4);
    } else {
        return false;
    }
    return true;
}

uint32_t cc_asmap_find(const struct cc_asmap *m, const struct cc_netaddr *a)
{
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};

    if (!m || !cc_netaddr_is_routable(a) ||
        (a->network != CC_NET_IPV4 && a->network != CC_NET_IPV6))
        return 0;
    if (a->network == CC_NET_IPV4)
        memcpy(ip + 12, a->bytes, 4);
    else if (!linked(a->bytes, ip + 12))
        memcpy(ip, a->bytes, 16);
    return look_up(m, ip);
}

size_t cc_asmap_group(const struct cc_asmap *m, const struct cc_netaddr *a,
                      uint8_t out[8])
{
    uint32_t asn = cc_asmap_find(m, a);

    if (!asn)
        return cc_netaddr_group(a, out);
    out[0] = CC_NET_IPV6; /* one group, whichever way it is reached */
    cc_put_u32le(out + 1, asn);
    return 5;
}

void cc_asmap_version(const struct cc_asmap *m, uint8_t out[32])
{
    if (m)
        memcpy(out, m->version, 32);
    else
        memset(out, 0, 32);
}

/* --- Checking ------------------------------------------------------------- */

/* Where a jump leads that was not taken, and how many bits are left there. */
struct branch {
    size_t pos;
    unsigned bits;
};

struct check {
    struct program p;
    struct branch open[ADDRESS_BITS]; /* each has taken a bit */
    unsigned count, bits;
    enum opcode before;
    bool short_match; /* among the matches that stand together */
};

static bool check_jump(struct check *k)
{
    size_t to;
    uint32_t n;

    if (!take_jump(&k->p, &n) || n > k->p.end - k->p.pos || !k->bits)
        return false;
    to = k->p.pos + n;
    if (k->count && to >= k->open[k->count - 1].pos)
        return false; /* across another branch */
    k->open[k->count++] = (struct branch){to, --k->bits};
    return true;
}

static bool check_match(struct check *k)
{
    unsigned count;
    uint32_t n;

    if (!take_match(&k->p, &n, &count) || count > k->bits)
        return false;
    if (k->before != OP_MATCH)
        k->short_match = false;
    if (count < FULL_MATCH && k->short_match)
        return false; /* two short ones could be one */
    k->short_match = count < FULL_MATCH;
    k->bits -= count;
    return true;
}

static bool only_padding(struct check *k)
{
    unsigned bit;

    if (k->p.end - k->p.pos > PADDING)
        return false;
    while (take_bit(&k->p, &bit))
        if (bit)
            return false;
    return true;
}

/* *done: it was the last answer. */
static bool check_return(struct check *k, bool *done)
{
    uint32_t asn;

    if (k->before == OP_DEFAULT || !take_asn(&k->p, &asn))
        return false;
    if (!k->count) {
        *done = true;
        return only_padding(k);
    }
    /* On with the branch that begins here; nothing may stand between. */
    k->count--;
    k->bits = k->open[k->count].bits;
    return k->p.pos == k->open[k->count].pos;
}

/* One instruction. */
static bool check_one(struct check *k, bool *done)
{
    enum opcode op;
    uint32_t asn;
    bool ok = false;

    if (k->count && k->p.pos >= k->open[k->count - 1].pos)
        return false; /* a jump into what stands before */
    if (!take_opcode(&k->p, &op))
        return false;
    switch (op) {
    case OP_RETURN:
        ok = check_return(k, done);
        op = OP_JUMP; /* as if we had come by one */
        break;
    case OP_JUMP:
        ok = check_jump(k);
        break;
    case OP_MATCH:
        ok = check_match(k);
        break;
    case OP_DEFAULT:
        ok = k->before != OP_DEFAULT && take_asn(&k->p, &asn);
        break;
    }
    k->before = op;
    return ok;
}

static bool is_sane(const struct cc_asmap *m)
{
    struct check k = {
        .p = {m->data, 0, m->bits}, .bits = ADDRESS_BITS, .before = OP_JUMP};
    bool done = false;

    while (!done)
        if (!check_one(&k, &done))
            return false;
    return true;
}

/* hash256 of the bits, each as a byte, behind their number. */
static void set_version(struct cc_asmap *m)
{
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_write_compact(&w, m->bits);
    for (size_t i = 0; i < m->bits; i++)
        cc_write_u8(&w, m->data[i / 8] >> i % 8 & 1);
    cc_hash256(m->version, w.data, w.len);
    cc_writer_clear(&w);
}

enum cc_status cc_asmap_decode(struct cc_asmap **out, const void *data,
                               size_t len)
{
    struct cc_asmap *m = cc_calloc(1, sizeof(*m));

    m->data = cc_malloc(len ? len : 1);
    memcpy(m->data, data, len);
    m->bits = len * 8;
    if (!is_sane(m)) {
        cc_asmap_free(m);
        return CC_MALFORMED;
    }
    set_version(m);
    *out = m;
    return CC_OK;
}

void cc_asmap_free(struct cc_asmap *m)
{
    if (!m)
        return;
    free(m->data);
    free(m);
}

enum cc_status cc_asmap_load(struct cc_asmap **out, const char *path,
                             struct cc_log *log, struct cc_error *err)
{
    uint8_t *data = NULL;
    size_t len = 0;
    char hex[65];
    enum cc_status st;

    if (!cc_fs_exists(path))
        return cc_fail(err, CC_INVALID, "Could not find asmap file \"%s\"",
                       path);
    st = cc_fs_read(path, MAP_BYTES_MAX, &data, &len, NULL);
    if (st == CC_OK) {
        cc_log(log, "Opened asmap file \"%s\" (%zu bytes) from disk", path,
               len);
        st = cc_asmap_decode(out, data, len);
        if (st != CC_OK)
            cc_log(log, "Sanity check of asmap file \"%s\" failed", path);
    }
    free(data);
    if (st != CC_OK)
        return cc_fail(err, CC_INVALID, "Could not parse asmap file \"%s\"",
                       path);
    cc_hex_encode_rev(hex, (*out)->version, 32);
    cc_log(log, "Using asmap version %s for IP bucketing", hex);
    return CC_OK;
}
