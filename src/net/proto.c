#include "net/proto.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"
#include "util/hex.h"
#include "util/mem.h"

static const char *const names[CC_MSG_COUNT] = {
    [CC_MSG_VERSION] = "version",
    [CC_MSG_VERACK] = "verack",
    [CC_MSG_ADDR] = "addr",
    [CC_MSG_ADDRV2] = "addrv2",
    [CC_MSG_SENDADDRV2] = "sendaddrv2",
    [CC_MSG_INV] = "inv",
    [CC_MSG_GETDATA] = "getdata",
    [CC_MSG_NOTFOUND] = "notfound",
    [CC_MSG_GETBLOCKS] = "getblocks",
    [CC_MSG_GETHEADERS] = "getheaders",
    [CC_MSG_TX] = "tx",
    [CC_MSG_HEADERS] = "headers",
    [CC_MSG_BLOCK] = "block",
    [CC_MSG_GETADDR] = "getaddr",
    [CC_MSG_MEMPOOL] = "mempool",
    [CC_MSG_PING] = "ping",
    [CC_MSG_PONG] = "pong",
    [CC_MSG_SENDHEADERS] = "sendheaders",
    [CC_MSG_FEEFILTER] = "feefilter",
    [CC_MSG_SENDCMPCT] = "sendcmpct",
    [CC_MSG_CMPCTBLOCK] = "cmpctblock",
    [CC_MSG_GETBLOCKTXN] = "getblocktxn",
    [CC_MSG_BLOCKTXN] = "blocktxn",
    [CC_MSG_WTXIDRELAY] = "wtxidrelay",
    [CC_MSG_SENDTXRCNCL] = "sendtxrcncl",
    [CC_MSG_FILTERLOAD] = "filterload",
    [CC_MSG_FILTERADD] = "filteradd",
    [CC_MSG_FILTERCLEAR] = "filterclear",
    [CC_MSG_MERKLEBLOCK] = "merkleblock",
    [CC_MSG_GETCFILTERS] = "getcfilters",
    [CC_MSG_GETCFHEADERS] = "getcfheaders",
    [CC_MSG_GETCFCHECKPT] = "getcfcheckpt",
    [CC_MSG_CFILTER] = "cfilter",
    [CC_MSG_CFHEADERS] = "cfheaders",
    [CC_MSG_CFCHECKPT] = "cfcheckpt",
    [CC_MSG_SENDSTORAGE] = "sendstorage",
    [CC_MSG_OTHER] = "*other*",
};

const char *cc_msg_name(enum cc_msg_type type)
{
    return names[type < CC_MSG_COUNT ? type : CC_MSG_OTHER];
}

enum cc_msg_type cc_msg_find(const char *command)
{
    for (int i = 0; i < CC_MSG_OTHER; i++)
        if (!strcmp(names[i], command))
            return (enum cc_msg_type)i;
    return CC_MSG_OTHER;
}

const char *cc_service_name(unsigned bit)
{
    switch (bit) {
    case 0:
        return "NETWORK";
    case 2:
        return "BLOOM";
    case 3:
        return "WITNESS";
    case 6:
        return "COMPACT_FILTERS";
    case 10:
        return "NETWORK_LIMITED";
    case 11:
        return "P2P_V2";
    case 24:
        return "STORAGE";
    default:
        return NULL;
    }
}

/* --- Envelope ------------------------------------------------------------- */

/* Printable bytes, then nothing but zeros. */
static bool command_ok(const uint8_t in[12])
{
    int i = 0;

    while (i < 12 && in[i] >= 0x20 && in[i] < 0x7f)
        i++;
    if (i == 0)
        return false;
    for (; i < 12; i++)
        if (in[i])
            return false;
    return true;
}

void cc_frame_decode(struct cc_frame *f, const uint8_t in[CC_FRAME_SIZE])
{
    f->magic = cc_get_u32le(in);
    memset(f->command, 0, sizeof(f->command));
    memset(f->shown, 0, sizeof(f->shown));
    if (command_ok(in + 4))
        memcpy(f->command, in + 4, 12);
    for (int i = 0, n = 0; i < 12 && in[4 + i]; i++)
        if (in[4 + i] >= 0x20 && in[4 + i] < 0x7f)
            f->shown[n++] = (char)in[4 + i];
    f->length = cc_get_u32le(in + 16);
    memcpy(f->checksum, in + 20, 4);
}

void cc_frame_write(struct cc_writer *w, uint32_t magic, const char *command,
                    const void *payload, size_t len)
{
    uint8_t hash[32], name[12] = {0};

    memcpy(name, command, strnlen(command, 12));
    cc_hash256(hash, payload, len);
    cc_write_u32le(w, magic);
    cc_write_bytes(w, name, 12);
    cc_write_u32le(w, (uint32_t)len);
    cc_write_bytes(w, hash, 4);
    cc_write_bytes(w, payload, len);
}

bool cc_frame_checksum_ok(const struct cc_frame *f, const void *payload)
{
    uint8_t hash[32];

    cc_hash256(hash, payload, f->length);
    return !memcmp(hash, f->checksum, 4);
}

/* --- version -------------------------------------------------------------- */

static void read_v1_addr(struct cc_reader *r, struct cc_netaddr *out)
{
    uint8_t ip[16];
    uint16_t port;

    cc_read_bytes(r, ip, 16);
    port = cc_read_u16be(r);
    cc_netaddr_from_v1(out, ip, port);
}

static void write_v1_addr(struct cc_writer *w, const struct cc_netaddr *a)
{
    uint8_t ip[16];

    cc_netaddr_to_v1(a, ip);
    cc_write_bytes(w, ip, 16);
    cc_write_u16be(w, a->port);
}

enum cc_status cc_msg_version_decode(struct cc_msg_version *out,
                                     const void *data, size_t len)
{
    struct cc_msg_version m;
    struct cc_reader r;
    struct cc_bytes agent;

    memset(&m, 0, sizeof(m));
    m.relay = true; /* BIP 37: missing means yes */
    cc_reader_init(&r, data, len);
    m.version = (int32_t)cc_read_u32le(&r);
    m.services = cc_read_u64le(&r);
    m.time = (int64_t)cc_read_u64le(&r);
    m.you_services = cc_read_u64le(&r);
    read_v1_addr(&r, &m.you);
    if (r.left) {
        cc_read_slice(&r, 26); /* the sender's own address: no use */
        m.nonce = cc_read_u64le(&r);
    }
    if (r.left) {
        agent = cc_read_var(&r);
        if (agent.len > CC_MAX_USER_AGENT)
            return CC_LIMIT;
        if (agent.len)
            memcpy(m.user_agent, agent.data, agent.len);
    }
    if (r.left)
        m.start_height = (int32_t)cc_read_u32le(&r);
    if (r.left)
        m.relay = cc_read_u8(&r) != 0;
    if (r.failed)
        return CC_MALFORMED;
    *out = m;
    return CC_OK;
}

void cc_msg_version_write(struct cc_writer *w, const struct cc_msg_version *m)
{
    static const uint8_t none[18];

    cc_write_u32le(w, (uint32_t)m->version);
    cc_write_u64le(w, m->services);
    cc_write_u64le(w, (uint64_t)m->time);
    cc_write_u64le(w, m->you_services);
    write_v1_addr(w, &m->you);
    cc_write_u64le(w, m->services);
    cc_write_bytes(w, none, sizeof(none)); /* our address: not told here */
    cc_write_u64le(w, m->nonce);
    cc_write_var(w, m->user_agent, strlen(m->user_agent));
    cc_write_u32le(w, (uint32_t)m->start_height);
    cc_write_u8(w, m->relay);
}

/* --- addr, addrv2 --------------------------------------------------------- */

/* *too_long: the length of an address beyond BIP 155's limit. */
static void read_v2_addr(struct cc_reader *r, struct cc_netaddr *out,
                         size_t *too_long)
{
    unsigned network = cc_read_u8(r);
    struct cc_bytes b = cc_read_var(r);
    size_t want = cc_network_addr_len(network);

    memset(out, 0, sizeof(*out));
    /* BIP 155: longer than 512, or a known network with a wrong length, is a
     * fault of the message; an unknown network is skipped. */
    if (b.len > CC_MAX_ADDRV2_LEN && !*too_long)
        *too_long = b.len;
    if (b.len > CC_MAX_ADDRV2_LEN || (want && b.len != want))
        r->failed = true;
    out->port = cc_read_u16be(r);
    if (r->failed || !want)
        return;
    /* IPv4 inside IPv6 and the retired onion range do not belong here. */
    if (network == CC_NET_IPV6) {
        static const uint8_t onion_cat[6] = {0xfd, 0x87, 0xd8,
                                             0x7e, 0xeb, 0x43};
        struct cc_netaddr a;

        cc_netaddr_from_v1(&a, b.data, 0);
        if (a.network != CC_NET_IPV6 || !memcmp(b.data, onion_cat, 6))
            return;
    }
    out->network = (uint8_t)network;
    out->len = (uint8_t)want;
    memcpy(out->bytes, b.data, want);
}

enum cc_status cc_msg_addr_decode(struct cc_addr_entry **out, size_t *count,
                                  bool v2, const void *data, size_t len)
{
    struct cc_reader r;
    struct cc_addr_entry *a;
    size_t n, too_long = 0;

    cc_reader_init(&r, data, len);
    n = cc_read_count(&r, v2 ? 9 : 30);
    if (n > CC_MAX_ADDR) {
        *count = n;
        return CC_LIMIT;
    }
    a = cc_calloc(n ? n : 1, sizeof(*a));
    for (size_t i = 0; i < n; i++) {
        a[i].time = cc_read_u32le(&r);
        if (v2) {
            a[i].services = cc_read_compact(&r);
            read_v2_addr(&r, &a[i].addr, &too_long);
        } else {
            a[i].services = cc_read_u64le(&r);
            read_v1_addr(&r, &a[i].addr);
        }
    }
    if (r.failed) {
        free(a);
        *count = too_long;
        return too_long ? CC_INVALID : CC_MALFORMED;
    }
    *out = a;
    *count = n;
    return CC_OK;
}

void cc_msg_addr_write(struct cc_writer *w, const struct cc_addr_entry *a,
                       size_t count, bool v2)
{
    cc_write_compact(w, count);
    for (size_t i = 0; i < count; i++) {
        cc_write_u32le(w, a[i].time);
        if (v2) {
            cc_write_compact(w, a[i].services);
            cc_write_u8(w, a[i].addr.network);
            cc_write_var(w, a[i].addr.bytes, a[i].addr.len);
            cc_write_u16be(w, a[i].addr.port);
        } else {
            cc_write_u64le(w, a[i].services);
            write_v1_addr(w, &a[i].addr);
        }
    }
}

/* --- inv and its kin ------------------------------------------------------ */

enum cc_status cc_msg_inv_decode(struct cc_inv **out, size_t *count,
                                 const void *data, size_t len)
{
    struct cc_reader r;
    struct cc_inv *inv;
    size_t n;

    cc_reader_init(&r, data, len);
    n = cc_read_count(&r, 36);
    if (n > CC_MAX_INV) {
        *count = n;
        return CC_LIMIT;
    }
    if (r.failed)
        return CC_MALFORMED;
    inv = cc_malloc(n ? n * sizeof(*inv) : 1);
    for (size_t i = 0; i < n; i++) {
        inv[i].type = cc_read_u32le(&r);
        cc_read_bytes(&r, inv[i].hash, 32);
    }
    *out = inv;
    *count = n;
    return CC_OK;
}

void cc_msg_inv_format(char out[CC_INV_TEXT], const struct cc_inv *inv)
{
    static const char *const kinds[] = {
        [CC_INV_TX] = "tx",
        [CC_INV_BLOCK] = "block",
        [CC_INV_FILTERED_BLOCK] = "merkleblock",
        [CC_INV_CMPCT_BLOCK] = "cmpctblock",
        [CC_INV_WTX] = "wtx",
    };
    uint32_t plain = inv->type & 0x3fffffff;
    char hex[65];

    cc_hex_encode_rev(hex, inv->hash, 32);
    if (plain >= CC_INV_TX && plain <= CC_INV_WTX)
        snprintf(out, CC_INV_TEXT, "%s%s %s",
                 inv->type & CC_INV_WITNESS_FLAG ? "witness-" : "",
                 kinds[plain], hex);
    else
        snprintf(out, CC_INV_TEXT, "0x%08" PRIx32 " %s", inv->type, hex);
}

void cc_msg_inv_write(struct cc_writer *w, const struct cc_inv *inv,
                      size_t count)
{
    cc_write_compact(w, count);
    for (size_t i = 0; i < count; i++) {
        cc_write_u32le(w, inv[i].type);
        cc_write_bytes(w, inv[i].hash, 32);
    }
}

/* --- getheaders, getblocks ------------------------------------------------ */

enum cc_status cc_msg_locator_decode(struct cc_msg_locator *out,
                                     const void *data, size_t len)
{
    struct cc_msg_locator m;
    struct cc_reader r;

    memset(&m, 0, sizeof(m));
    cc_reader_init(&r, data, len);
    m.version = cc_read_u32le(&r);
    m.count = cc_read_count(&r, 32);
    if (m.count > CC_MAX_LOCATOR) {
        out->count = m.count;
        return CC_LIMIT;
    }
    if (r.failed || r.left < m.count * 32 + 32)
        return CC_MALFORMED;
    m.hashes = cc_malloc(m.count ? m.count * 32 : 1);
    for (size_t i = 0; i < m.count; i++)
        cc_read_bytes(&r, m.hashes[i], 32);
    cc_read_bytes(&r, m.stop, 32);
    *out = m;
    return CC_OK;
}

void cc_msg_locator_write(struct cc_writer *w, const uint8_t (*hashes)[32],
                          size_t count, const uint8_t stop[32])
{
    cc_write_u32le(w, 70016);
    cc_write_compact(w, count);
    for (size_t i = 0; i < count; i++)
        cc_write_bytes(w, hashes[i], 32);
    cc_write_bytes(w, stop, 32);
}

void cc_msg_locator_clear(struct cc_msg_locator *m)
{
    free(m->hashes);
    m->hashes = NULL;
    m->count = 0;
}

/* --- headers -------------------------------------------------------------- */

enum cc_status cc_msg_headers_decode(struct cc_header **out, size_t *count,
                                     const void *data, size_t len)
{
    struct cc_reader r;
    struct cc_header *h;
    size_t n;

    cc_reader_init(&r, data, len);
    n = cc_read_count(&r, CC_HEADER_SIZE + 1);
    if (n > CC_MAX_HEADERS) {
        *count = n;
        return CC_LIMIT;
    }
    h = cc_calloc(n ? n : 1, sizeof(*h));
    for (size_t i = 0; i < n; i++) {
        cc_header_read(&r, &h[i]);
        cc_read_compact(&r); /* number of transactions: always sent as 0 */
    }
    if (r.failed) {
        free(h);
        return CC_MALFORMED;
    }
    *out = h;
    *count = n;
    return CC_OK;
}

void cc_msg_headers_write(struct cc_writer *w, const struct cc_header *h,
                          size_t count)
{
    cc_write_compact(w, count);
    for (size_t i = 0; i < count; i++) {
        cc_header_write(w, &h[i]);
        cc_write_u8(w, 0);
    }
}

/* --- small ones ----------------------------------------------------------- */

enum cc_status cc_msg_sendcmpct_decode(struct cc_msg_sendcmpct *out,
                                       const void *data, size_t len)
{
    struct cc_msg_sendcmpct m;
    struct cc_reader r;

    cc_reader_init(&r, data, len);
    m.announce = cc_read_u8(&r) != 0;
    m.version = cc_read_u64le(&r);
    if (r.failed)
        return CC_MALFORMED;
    *out = m;
    return CC_OK;
}

void cc_msg_sendcmpct_write(struct cc_writer *w,
                            const struct cc_msg_sendcmpct *m)
{
    cc_write_u8(w, m->announce);
    cc_write_u64le(w, m->version);
}

enum cc_status cc_msg_u64_decode(uint64_t *out, const void *data, size_t len)
{
    struct cc_reader r;
    uint64_t v;

    cc_reader_init(&r, data, len);
    v = cc_read_u64le(&r);
    if (r.failed)
        return CC_MALFORMED;
    *out = v;
    return CC_OK;
}

enum cc_status cc_msg_sendstorage_decode(uint32_t *version, const void *data,
                                         size_t len)
{
    struct cc_reader r;
    uint32_t v;

    cc_reader_init(&r, data, len);
    v = cc_read_u32le(&r);
    if (r.failed || v == 0)
        return CC_MALFORMED;
    *version = v;
    return CC_OK;
}

void cc_msg_sendstorage_write(struct cc_writer *w, uint32_t version)
{
    cc_write_u32le(w, version);
}
