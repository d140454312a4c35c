#include "consensus/merkleblock.h"
#include "fuzz.h"
#include "net/addrbook.h"
#include "net/addrfile.h"
#include "net/asmap.h"
#include "net/banlist.h"
#include "net/bloom.h"
#include "net/compact.h"
#include "net/proto.h"
#include "net/sam.h"
#include "net/socks5.h"
#include "net/torctl.h"

/* --- Messages ---------------------------------------------------------- */

static void check_version(const void *data, size_t len)
{
    struct cc_msg_version m, again;
    struct cc_writer w;

    if (cc_msg_version_decode(&m, data, len) != CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_msg_version_write(&w, &m);
    FUZZ_CHECK(cc_msg_version_decode(&again, w.data, w.len) == CC_OK);
    FUZZ_CHECK(again.nonce == m.nonce && again.time == m.time);
    FUZZ_CHECK(!strcmp(again.user_agent, m.user_agent));
    cc_writer_clear(&w);
}

static void check_addr(const void *data, size_t len, bool v2)
{
    struct cc_addr_entry *a = NULL;
    struct cc_writer w;
    size_t n = 0;
    bool known = true;

    if (cc_msg_addr_decode(&a, &n, v2, data, len) != CC_OK)
        return;
    FUZZ_CHECK(n <= CC_MAX_ADDR);
    for (size_t i = 0; i < n; i++)
        known = known && a[i].addr.network;
    if (known && !v2) { /* addrv2 has more than one form of an address */
        cc_writer_init_heap(&w);
        cc_msg_addr_write(&w, a, n, v2);
        FUZZ_CHECK(w.len <= len && fuzz_same(&w, data, w.len));
        cc_writer_clear(&w);
    }
    free(a);
}

static void check_inv(const void *data, size_t len)
{
    struct cc_inv *inv = NULL;
    struct cc_writer w;
    size_t n = 0;

    if (cc_msg_inv_decode(&inv, &n, data, len) != CC_OK)
        return;
    FUZZ_CHECK(n <= CC_MAX_INV);
    cc_writer_init_heap(&w);
    cc_msg_inv_write(&w, inv, n);
    FUZZ_CHECK(w.len <= len && fuzz_same(&w, data, w.len));
    cc_writer_clear(&w);
    free(inv);
}

static void check_locator(const void *data, size_t len)
{
    struct cc_msg_locator m, again;
    struct cc_writer w;

    if (cc_msg_locator_decode(&m, data, len) != CC_OK)
        return;
    FUZZ_CHECK(m.count <= CC_MAX_LOCATOR);
    cc_writer_init_heap(&w);
    cc_msg_locator_write(&w, (const uint8_t(*)[32])m.hashes, m.count, m.stop);
    FUZZ_CHECK(cc_msg_locator_decode(&again, w.data, w.len) == CC_OK);
    FUZZ_CHECK(again.count == m.count && !memcmp(again.stop, m.stop, 32));
    cc_msg_locator_clear(&again);
    cc_msg_locator_clear(&m);
    cc_writer_clear(&w);
}

static void check_headers(const void *data, size_t len)
{
    struct cc_header *h = NULL;
    struct cc_writer w;
    size_t n = 0;

    if (cc_msg_headers_decode(&h, &n, data, len) != CC_OK)
        return;
    FUZZ_CHECK(n <= CC_MAX_HEADERS);
    cc_writer_init_heap(&w);
    cc_msg_headers_write(&w, h, n);
    FUZZ_CHECK(w.len <= len);
    cc_writer_clear(&w);
    free(h);
}

/* A whole message: envelope, then payload. */
void fuzz_message(const uint8_t *data, size_t len)
{
    struct cc_msg_sendcmpct cmpct;
    struct cc_frame f;
    uint32_t version;
    uint64_t number;

    if (len < CC_FRAME_SIZE)
        return;
    cc_frame_decode(&f, data);
    FUZZ_CHECK(memchr(f.command, 0, sizeof(f.command)));
    data += CC_FRAME_SIZE;
    len -= CC_FRAME_SIZE;
    if (f.length <= len) /* a connection waits until all is there */
        (void)cc_frame_checksum_ok(&f, data);
    switch (cc_msg_find(f.command)) {
    case CC_MSG_VERSION:
        check_version(data, len);
        break;
    case CC_MSG_ADDR:
        check_addr(data, len, false);
        break;
    case CC_MSG_ADDRV2:
        check_addr(data, len, true);
        break;
    case CC_MSG_INV:
    case CC_MSG_GETDATA:
    case CC_MSG_NOTFOUND:
        check_inv(data, len);
        break;
    case CC_MSG_GETBLOCKS:
    case CC_MSG_GETHEADERS:
        check_locator(data, len);
        break;
    case CC_MSG_HEADERS:
        check_headers(data, len);
        break;
    case CC_MSG_PING:
    case CC_MSG_PONG:
    case CC_MSG_FEEFILTER:
        FUZZ_CHECK((cc_msg_u64_decode(&number, data, len) == CC_OK) ==
                   (len >= 8));
        break;
    case CC_MSG_SENDCMPCT:
        (void)cc_msg_sendcmpct_decode(&cmpct, data, len);
        break;
    case CC_MSG_SENDSTORAGE:
        (void)cc_msg_sendstorage_decode(&version, data, len);
        break;
    default:
        break;
    }
}

/* --- Compact blocks ---------------------------------------------------- */

/* A cmpctblock, put together with what it holds itself; then the same bytes as
 * a request and as an answer. */
void fuzz_compact(const uint8_t *data, size_t len)
{
    struct cc_getblocktxn g;
    struct cc_blocktxn b;
    struct cc_partial *p;
    struct cc_block block;
    struct cc_writer w;
    uint32_t *missing;
    size_t n;

    if (cc_partial_decode(&p, data, len) == CC_OK) {
        FUZZ_CHECK(cc_partial_count(p) <= CC_COMPACT_MAX_TX);
        n = cc_partial_missing(p, &missing);
        FUZZ_CHECK(n <= cc_partial_count(p));
        for (size_t i = 1; i < n; i++)
            FUZZ_CHECK(missing[i - 1] < missing[i]);
        free(missing);
        if (n == 0 && cc_partial_block(p, &block) == CC_OK) {
            FUZZ_CHECK(!memcmp(block.hash, cc_partial_hash(p), 32));
            cc_block_clear(&block);
        }
        cc_partial_free(p);
    }
    cc_writer_init_heap(&w);
    if (cc_getblocktxn_decode(&g, data, len) == CC_OK) {
        cc_getblocktxn_write(&w, g.hash, g.index, g.count);
        FUZZ_CHECK(w.len <= len && fuzz_same(&w, data, w.len));
        free(g.index);
    }
    if (cc_blocktxn_decode(&b, data, len) == CC_OK) {
        w.len = 0;
        cc_write_bytes(&w, b.hash, 32);
        cc_write_compact(&w, b.count);
        for (size_t i = 0; i < b.count; i++)
            cc_tx_write(&w, &b.txs[i], true);
        FUZZ_CHECK(w.len <= len && fuzz_same(&w, data, w.len));
        cc_blocktxn_clear(&b);
    }
    cc_writer_clear(&w);
}

/* --- Addresses --------------------------------------------------------- */

void fuzz_netaddr(const uint8_t *data, size_t len)
{
    char *text = fuzz_text(data, len), out[72], host[64];
    struct cc_netaddr a, b;
    struct cc_subnet s, t;
    uint8_t v1[16], group[8];
    uint16_t port = 1;

    if (cc_netaddr_parse(&a, text, 7733)) {
        cc_netaddr_format_port(out, &a);
        FUZZ_CHECK(cc_netaddr_parse(&b, out, 1) && cc_netaddr_equal(&a, &b));
        if (cc_netaddr_to_v1(&a, v1)) {
            FUZZ_CHECK(cc_netaddr_from_v1(&b, v1, a.port));
            FUZZ_CHECK(cc_netaddr_equal(&a, &b));
        }
        FUZZ_CHECK(cc_netaddr_group(&a, group) <= sizeof(group));
        (void)cc_netaddr_is_routable(&a);
    }
    if (cc_subnet_parse(&s, text)) {
        cc_subnet_format(out, &s);
        FUZZ_CHECK(cc_subnet_parse(&t, out) && cc_subnet_equal(&s, &t));
        FUZZ_CHECK(cc_subnet_has(&s, &s.base));
    }
    if (cc_host_split(text, host, sizeof(host), &port))
        FUZZ_CHECK(strlen(host) < sizeof(host));
    free(text);
}

static uint64_t fixed(void *arg)
{
    uint64_t *n = arg;

    return *n += UINT64_C(0x9e3779b97f4a7c15);
}

/* peers.dat. */
void fuzz_addrbook(const uint8_t *data, size_t len)
{
    static const uint8_t key[16] = {1};
    struct cc_addrbook *b = cc_addrbook_new(key);
    struct cc_book_entry *all, one, anchors[CC_ANCHORS_MAX];
    size_t fresh, tried, n;
    uint64_t state = 1;
    struct cc_error err;
    enum cc_status st;

    FUZZ_CHECK(cc_anchors_decode(data, len, 0xdab5bffa, anchors) <=
               CC_ANCHORS_MAX);
    st = cc_addrfile_decode(b, data, len, 0xdab5bffa, 1700000000, &err);
    cc_addrbook_counts(b, 0, &fresh, &tried);
    FUZZ_CHECK(st == CC_OK || (!fresh && !tried));
    n = cc_addrbook_sample(b, 0, 100, 0, 1700000000, fixed, &state, &all);
    FUZZ_CHECK(n <= fresh + tried);
    for (size_t i = 0; i < n; i++)
        FUZZ_CHECK(cc_addrbook_find(b, &all[i].addr));
    free(all);
    if (cc_addrbook_select(b, false, 1700000000, fixed, &state, &one))
        FUZZ_CHECK(fresh + tried > 0);
    cc_addrbook_free(b);
}

/* A map of providers, and addresses looked up in it: the file's own bytes. */
void fuzz_asmap(const uint8_t *data, size_t len)
{
    struct cc_netaddr a = {.network = CC_NET_IPV6, .len = 16};
    uint8_t group[8], plain[8];
    struct cc_asmap *m;

    if (cc_asmap_decode(&m, data, len) != CC_OK)
        return;
    for (size_t i = 0; i + 16 <= len; i += 7) {
        memcpy(a.bytes, data + i, 16);
        if (!cc_asmap_find(m, &a))
            FUZZ_CHECK(cc_asmap_group(m, &a, group) ==
                       cc_netaddr_group(&a, plain));
        else
            FUZZ_CHECK(cc_netaddr_is_routable(&a) &&
                       cc_asmap_group(m, &a, group) == 5);
    }
    cc_asmap_free(m);
}

/* What Tor says; first byte: with a password, and whether the cookie is there.
 */
void fuzz_torctl(const uint8_t *data, size_t len)
{
    static const uint8_t secret[32] = {7};
    struct cc_torctl s = {.port = 1, .target = "127.0.0.1:2"};
    struct cc_writer w;
    size_t at = 1, used = 1;

    if (!len)
        return;
    s.password = data[0] & 1 ? "a\"b" : NULL;
    s.ask_socks = data[0] & 2;
    cc_writer_init_heap(&w);
    cc_torctl_start(&s, &w);
    while (used) {
        used = cc_torctl_input(&s, data + at, len - at, &w);
        FUZZ_CHECK(used <= len - at);
        at += used;
        if (s.state == CC_TORCTL_COOKIE)
            cc_torctl_cookie(&s, secret, secret, &w);
    }
    FUZZ_CHECK(s.state != CC_TORCTL_DONE ||
               (s.service.network == CC_NET_TORV3 && s.key));
    FUZZ_CHECK(s.state != CC_TORCTL_FAILED || s.why[0]);
    cc_torctl_clear(&s);
    cc_writer_clear(&w);
}

/* What a proxy answers; first byte: with credentials, and how it is cut. */
void fuzz_socks5(const uint8_t *data, size_t len)
{
    struct cc_socks5 s;
    struct cc_writer w;
    size_t at = 1, used, step;

    if (!len)
        return;
    step = 1u + data[0] / 2;
    cc_writer_init_heap(&w);
    cc_socks5_start(&s, "host.onion", 8333, data[0] & 1 ? "user" : NULL,
                    "password", &w);
    for (size_t end = at; at <= len && s.state < CC_SOCKS5_DONE;) {
        end = end + step < len ? end + step : len;
        used = cc_socks5_input(&s, data + at, end - at, &w);
        FUZZ_CHECK(used <= end - at);
        at += used;
        if (!used && end == len)
            break;
        FUZZ_CHECK(used || end - at <= CC_SOCKS5_MAX_ANSWER + step);
    }
    FUZZ_CHECK(w.len <= 4 + 1 + 1 + 4 + 1 + 8 + 4 + 1 + 10 + 2);
    cc_writer_clear(&w);
}

/* The first byte: what is wanted, and how much comes at a time. */
void fuzz_sam(const uint8_t *data, size_t len)
{
    struct cc_sam s = {.host = "a.b32.i2p"};
    struct cc_writer w;
    size_t at = 1, used, step;

    if (!len)
        return;
    step = 1u + data[0] / 3;
    s.transient = data[0] & 1;
    cc_writer_init_heap(&w);
    cc_sam_start(&s, (enum cc_sam_goal)(data[0] % 3), "0123456789", &w);
    for (size_t end = at; at <= len && s.state == CC_SAM_TALKING;) {
        end = end + step < len ? end + step : len;
        used = cc_sam_input(&s, data + at, end - at, &w);
        FUZZ_CHECK(used <= end - at);
        at += used;
        if (!used && end == len)
            break;
        FUZZ_CHECK(used || s.state != CC_SAM_TALKING ||
                   end - at <= CC_SAM_MAX_LINE + step);
    }
    if (s.state == CC_SAM_FAILED)
        FUZZ_CHECK(s.why[0]);
    if (s.state == CC_SAM_DONE && s.goal != CC_SAM_CONNECT)
        FUZZ_CHECK(s.who.network == CC_NET_I2P);
    FUZZ_CHECK(w.len <= 3 * CC_SAM_MAX_LINE && !memchr(w.data, 0, w.len));
    cc_writer_clear(&w);
    cc_sam_clear(&s);
}

/* banlist.json. */
void fuzz_banlist(const uint8_t *data, size_t len)
{
    static const uint8_t seed[16] = {2};
    const char *path = fuzz_path("banlist.json");
    struct cc_banlist *b = cc_banlist_new(seed);
    const struct cc_ban_entry *all;
    struct cc_error err;
    enum cc_status st;
    size_t n, m;

    fuzz_put_file(path, data, len);
    st = cc_banlist_load(b, path, 1700000000, &err);
    FUZZ_CHECK(st == CC_OK || st == CC_CORRUPT);
    n = cc_banlist_all(b, 1700000000, &all);
    FUZZ_CHECK(st == CC_OK || n == 0);
    if (st == CC_OK) { /* what was read is what would be written */
        FUZZ_CHECK(cc_banlist_save(b, path, 1700000000, &err) == CC_OK);
        cc_banlist_free(b);
        b = cc_banlist_new(seed);
        FUZZ_CHECK(cc_banlist_load(b, path, 1700000000, &err) == CC_OK);
        m = cc_banlist_all(b, 1700000000, &all);
        FUZZ_CHECK(n == m);
    }
    cc_banlist_free(b);
}

/* --- Filters ----------------------------------------------------------- */

static void check_merkle_block(const uint8_t *data, size_t len)
{
    struct cc_merkle_block m;
    struct cc_reader r;

    cc_reader_init(&r, data, len);
    if (cc_merkle_block_read(&m, &r))
        FUZZ_CHECK(m.match_count <= m.tx_count && m.tx_count > 0);
    cc_merkle_block_clear(&m);
}

/* A filter, and behind it a transaction to be asked of it. */
void fuzz_bloom(const uint8_t *data, size_t len)
{
    size_t head = len ? data[0] : 0;
    struct cc_bloom *b = NULL;
    struct cc_tx tx;

    check_merkle_block(data, len);
    if (head + 1 >= len || cc_bloom_decode(&b, data + 1, head) != CC_OK)
        return;
    if (cc_tx_decode(&tx, data + 1 + head, len - 1 - head, true) == CC_OK) {
        if (cc_bloom_match(b, &tx)) /* what it adds takes nothing away */
            FUZZ_CHECK(cc_bloom_match(b, &tx));
        cc_bloom_add(b, tx.txid, 32);
        FUZZ_CHECK(cc_bloom_has(b, tx.txid, 32) && cc_bloom_match(b, &tx));
        cc_tx_clear(&tx);
    }
    cc_bloom_free(b);
}
