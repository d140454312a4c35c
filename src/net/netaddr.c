#include "net/netaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/hash.h"

#define ONION_LEN 35 /* key 32, checksum 2, version 1 */
#define ONION_VERSION 3
#define BASE32_ROOM 57 /* of ONION_LEN bytes, and NUL */

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

size_t cc_network_addr_len(unsigned network)
{
    switch (network) {
    case CC_NET_IPV4:
        return 4;
    case CC_NET_IPV6:
    case CC_NET_CJDNS:
        return 16;
    case CC_NET_TORV3:
    case CC_NET_I2P:
        return 32;
    default:
        return 0;
    }
}

const char *cc_network_name(unsigned network)
{
    switch (network) {
    case CC_NET_IPV4:
        return "ipv4";
    case CC_NET_IPV6:
        return "ipv6";
    case CC_NET_TORV3:
        return "onion";
    case CC_NET_I2P:
        return "i2p";
    case CC_NET_CJDNS:
        return "cjdns";
    default:
        return "not_publicly_routable";
    }
}

const char *cc_netaddr_network_name(const struct cc_netaddr *a)
{
    return cc_network_name(cc_netaddr_is_routable(a) ? a->network : 0);
}

bool cc_host_split(const char *text, char *host, size_t room, uint16_t *port)
{
    const char *end, *colon = NULL;
    unsigned long v;
    char *stop;
    size_t len;

    if (text[0] == '[') {
        end = strchr(text, ']');
        if (!end || (end[1] && end[1] != ':'))
            return false;
        colon = end[1] ? end + 1 : NULL;
        text++;
    } else {
        colon = strchr(text, ':');
        if (colon && strchr(colon + 1, ':'))
            colon = NULL; /* IPv6 without brackets has no port */
        end = colon ? colon : text + strlen(text);
    }
    len = (size_t)(end - text);
    if (len == 0 || len >= room)
        return false;
    if (colon) {
        if (colon[1] < '0' || colon[1] > '9')
            return false;
        v = strtoul(colon + 1, &stop, 10);
        if (*stop || v > 65535)
            return false;
        *port = (uint16_t)v;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    return true;
}

/* --- Onion and I2P -------------------------------------------------------- */

/* RFC 4648 6, small letters, no padding. */
static const char base32[] = "abcdefghijklmnopqrstuvwxyz234567";

static void base32_encode(char out[BASE32_ROOM], const uint8_t *in, size_t len)
{
    unsigned bits = 0, have = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | in[i];
        for (have += 8; have >= 5; have -= 5)
            out[n++] = base32[bits >> (have - 5) & 31];
    }
    if (have)
        out[n++] = base32[bits << (5 - have) & 31];
    out[n] = '\0';
}

/* len letters to len * 5 / 8 bytes; bits left over must be zero. */
static bool base32_decode(uint8_t *out, const char *in, size_t len)
{
    unsigned bits = 0, have = 0;

    for (size_t i = 0; i < len; i++) {
        char c = in[i] >= 'A' && in[i] <= 'Z' ? (char)(in[i] + 32) : in[i];
        const char *at = c ? strchr(base32, c) : NULL;

        if (!at)
            return false;
        bits = (bits << 5 | (unsigned)(at - base32)) & 0xfff;
        have += 5;
        if (have >= 8) {
            have -= 8;
            *out++ = (uint8_t)(bits >> have);
        }
    }
    return !(bits & ((1u << have) - 1));
}

static void onion_bytes(uint8_t out[ONION_LEN], const uint8_t key[32])
{
    static const char label[] = ".onion checksum";
    uint8_t buf[sizeof(label) - 1 + 33], hash[32];

    memcpy(buf, label, sizeof(label) - 1);
    memcpy(buf + sizeof(label) - 1, key, 32);
    buf[sizeof(buf) - 1] = ONION_VERSION;
    cc_sha3_256(hash, buf, sizeof(buf));
    memcpy(out, key, 32);
    memcpy(out + 32, hash, 2);
    out[34] = ONION_VERSION;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);

    for (size_t i = 0; n <= len && i < n; i++) {
        char c = text[len - n + i];

        if ((c >= 'A' && c <= 'Z' ? c + 32 : c) != end[i])
            return false;
    }
    return n <= len;
}

static bool parse_overlay(struct cc_netaddr *out, const char *host)
{
    uint8_t raw[ONION_LEN], want[ONION_LEN];
    size_t len = strlen(host);

    memset(out, 0, sizeof(*out));
    out->len = 32;
    if (len == 62 && ends_with(host, len, ".onion")) {
        if (!base32_decode(raw, host, 56))
            return false;
        onion_bytes(want, raw);
        if (memcmp(raw, want, ONION_LEN))
            return false;
        out->network = CC_NET_TORV3;
    } else if (len == 60 && ends_with(host, len, ".b32.i2p")) {
        if (!base32_decode(raw, host, 52))
            return false;
        out->network = CC_NET_I2P;
    } else {
        return false;
    }
    memcpy(out->bytes, raw, 32);
    return true;
}

static void format_overlay(char out[72], const struct cc_netaddr *a)
{
    uint8_t raw[ONION_LEN];
    char text[BASE32_ROOM];

    if (a->network == CC_NET_TORV3) {
        onion_bytes(raw, a->bytes);
        base32_encode(text, raw, ONION_LEN);
        snprintf(out, 72, "%s.onion", text);
    } else {
        base32_encode(text, a->bytes, 32);
        snprintf(out, 72, "%s.b32.i2p", text);
    }
}

/* --- Text ----------------------------------------------------------------- */

static bool parse_ip(struct cc_netaddr *out, const char *host)
{
    uint8_t b[16];

    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, host, b) == 1) {
        out->network = CC_NET_IPV4;
        out->len = 4;
        memcpy(out->bytes, b, 4);
        return true;
    }
    return inet_pton(AF_INET6, host, b) == 1 && cc_netaddr_from_v1(out, b, 0);
}

bool cc_netaddr_parse(struct cc_netaddr *out, const char *text,
                      uint16_t default_port)
{
    struct cc_netaddr a;
    char host[64];
    uint16_t port = default_port;

    if (!cc_host_split(text, host, sizeof(host), &port) ||
        (!parse_ip(&a, host) && !parse_overlay(&a, host)))
        return false;
    a.port = port;
    *out = a;
    return true;
}

void cc_netaddr_format(char out[72], const struct cc_netaddr *a)
{
    char buf[INET6_ADDRSTRLEN];

    switch (a->network) {
    case CC_NET_IPV4:
        snprintf(out, 72, "%u.%u.%u.%u", a->bytes[0], a->bytes[1], a->bytes[2],
                 a->bytes[3]);
        return;
    case CC_NET_IPV6:
    case CC_NET_CJDNS:
        inet_ntop(AF_INET6, a->bytes, buf, sizeof(buf));
        snprintf(out, 72, "%s", buf);
        return;
    case CC_NET_TORV3:
    case CC_NET_I2P:
        format_overlay(out, a);
        return;
    default:
        out[0] = '\0';
    }
}

void cc_netaddr_format_port(char out[72], const struct cc_netaddr *a)
{
    char host[72];

    cc_netaddr_format(host, a);
    if (a->network == CC_NET_IPV6 || a->network == CC_NET_CJDNS)
        snprintf(out, 72, "[%.46s]:%u", host, a->port);
    else
        snprintf(out, 72, "%.65s:%u", host, a->port);
}

bool cc_netaddr_from_sockaddr(struct cc_netaddr *out, const struct sockaddr *sa)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (sa->sa_family == AF_INET) {
        memcpy(&in, sa, sizeof(in));
        memset(out, 0, sizeof(*out));
        out->network = CC_NET_IPV4;
        out->len = 4;
        memcpy(out->bytes, &in.sin_addr, 4);
        out->port = ntohs(in.sin_port);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(&in6, sa, sizeof(in6));
        return cc_netaddr_from_v1(out, in6.sin6_addr.s6_addr,
                                  ntohs(in6.sin6_port));
    }
    return false;
}

bool cc_netaddr_to_sockaddr(const struct cc_netaddr *a,
                            struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    memset(out, 0, sizeof(*out));
    if (a->network == CC_NET_IPV4) {
        memset(&in, 0, sizeof(in));
        in.sin_family = AF_INET;
        in.sin_port = htons(a->port);
        memcpy(&in.sin_addr, a->bytes, 4);
        memcpy(out, &in, sizeof(in));
        *len = sizeof(in);
        return true;
    }
    if (a->network == CC_NET_IPV6 || a->network == CC_NET_CJDNS) {
        memset(&in6, 0, sizeof(in6));
        in6.sin6_family = AF_INET6;
        in6.sin6_port = htons(a->port);
        memcpy(&in6.sin6_addr, a->bytes, 16);
        memcpy(out, &in6, sizeof(in6));
        *len = sizeof(in6);
        return true;
    }
    return false;
}

bool cc_netaddr_to_v1(const struct cc_netaddr *a, uint8_t out[16])
{
    memset(out, 0, 16);
    if (a->network == CC_NET_IPV4) {
        memcpy(out, v4_mapped, 12);
        memcpy(out + 12, a->bytes, 4);
        return true;
    }
    if (a->network == CC_NET_IPV6) {
        memcpy(out, a->bytes, 16);
        return true;
    }
    return false;
}

bool cc_netaddr_from_v1(struct cc_netaddr *out, const uint8_t in[16],
                        uint16_t port)
{
    memset(out, 0, sizeof(*out));
    out->port = port;
    if (!memcmp(in, v4_mapped, 12)) {
        out->network = CC_NET_IPV4;
        out->len = 4;
        memcpy(out->bytes, in + 12, 4);
    } else {
        out->network = CC_NET_IPV6;
        out->len = 16;
        memcpy(out->bytes, in, 16);
    }
    return true;
}

bool cc_netaddr_same_host(const struct cc_netaddr *a,
                          const struct cc_netaddr *b)
{
    return a->network == b->network && a->len == b->len &&
           !memcmp(a->bytes, b->bytes, a->len);
}

bool cc_netaddr_equal(const struct cc_netaddr *a, const struct cc_netaddr *b)
{
    return a->port == b->port && cc_netaddr_same_host(a, b);
}

bool cc_netaddr_is_local(const struct cc_netaddr *a)
{
    static const uint8_t one[16] = {[15] = 1};

    if (a->network == CC_NET_IPV4)
        return a->bytes[0] == 127 || a->bytes[0] == 0;
    return a->network == CC_NET_IPV6 && !memcmp(a->bytes, one, 16);
}

/* The special-purpose address registries, RFC 6890 and its updates; but what
 * is kept back for later or for groups is as good as any to bitcoind, and so
 * it is here. */
static bool v4_special(const uint8_t *b)
{
    return b[0] == 0 || b[0] == 10 || b[0] == 127 ||
           (b[0] & b[1] & b[2] & b[3]) == 255 ||
           (b[0] == 100 && (b[1] & 0xc0) == 64) ||
           (b[0] == 169 && b[1] == 254) || (b[0] == 172 && (b[1] >> 4) == 1) ||
           (b[0] == 192 && b[1] == 168) ||
           (b[0] == 192 && b[1] == 0 && b[2] == 2) ||
           (b[0] == 198 && (b[1] & 0xfe) == 18) ||
           (b[0] == 198 && b[1] == 51 && b[2] == 100) ||
           (b[0] == 203 && b[1] == 0 && b[2] == 113);
}

static bool v6_special(const uint8_t *b)
{
    static const uint8_t zero[15];

    return (!memcmp(b, zero, 15) && b[15] <= 1) || /* ::, ::1 */
           (b[0] & 0xfe) == 0xfc ||                /* RFC 4193 */
           (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || b[0] == 0xff ||
           (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8) ||
           (b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 &&
            ((b[3] & 0xf0) == 0x10 || (b[3] & 0xf0) == 0x20));
}

void cc_netaddr_flip_cjdns(struct cc_netaddr *a)
{
    if (a->network == CC_NET_IPV6 && a->bytes[0] == 0xfc)
        a->network = CC_NET_CJDNS;
}

bool cc_netaddr_is_routable(const struct cc_netaddr *a)
{
    switch (a->network) {
    case CC_NET_IPV4:
        return !v4_special(a->bytes);
    case CC_NET_IPV6:
        return !v6_special(a->bytes);
    case CC_NET_TORV3:
    case CC_NET_I2P:
        return true;
    case CC_NET_CJDNS:
        return a->bytes[0] == 0xfc;
    default:
        return false;
    }
}

size_t cc_netaddr_group(const struct cc_netaddr *a, uint8_t out[8])
{
    out[0] = a->network;
    if (a->network == CC_NET_IPV4 || a->network == CC_NET_IPV6) {
        size_t n = a->network == CC_NET_IPV4 ? 2 : 4;

        memcpy(out + 1, a->bytes, n);
        return 1 + n;
    }
    if (a->network == CC_NET_CJDNS) { /* its first byte is always the same */
        out[1] = a->bytes[1] & 0xf0;
        return 2;
    }
    out[1] = a->bytes[0] & 0xf0;
    return 2;
}

/* --- Subnets -------------------------------------------------------------- */

static void clear_host_bits(struct cc_subnet *s)
{
    for (unsigned i = 0; i < s->base.len; i++) {
        unsigned keep = s->bits > 8 * i ? s->bits - 8 * i : 0;

        if (keep < 8)
            s->base.bytes[i] &= (uint8_t)(0xff00 >> keep);
    }
}

/* The number of leading ones of a mask; false if ones follow a zero. */
static bool mask_bits(const struct cc_netaddr *mask, uint16_t *bits)
{
    unsigned n = 0, total = 8u * mask->len;

    while (n < total && mask->bytes[n / 8] & 0x80 >> n % 8)
        n++;
    for (unsigned i = n; i < total; i++)
        if (mask->bytes[i / 8] & 0x80 >> i % 8)
            return false;
    *bits = (uint16_t)n;
    return true;
}

bool cc_subnet_parse(struct cc_subnet *out, const char *text)
{
    const char *slash = strchr(text, '/');
    struct cc_subnet s;
    struct cc_netaddr mask;
    char host[64], *stop;
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    unsigned long v;

    if (len >= sizeof(host))
        return false;
    memcpy(host, text, len);
    host[len] = '\0';
    if (parse_overlay(&s.base, host) ? slash != NULL : !parse_ip(&s.base, host))
        return false;
    s.bits = (uint16_t)(8 * s.base.len);
    if (slash) {
        if (slash[1] < '0' || slash[1] > '9')
            return false;
        v = strtoul(slash + 1, &stop, 10);
        if (!*stop) {
            if (v > 8ul * s.base.len)
                return false;
            s.bits = (uint16_t)v;
        } else if (!parse_ip(&mask, slash + 1) ||
                   mask.network != s.base.network ||
                   !mask_bits(&mask, &s.bits)) {
            return false;
        }
    }
    clear_host_bits(&s);
    *out = s;
    return true;
}

void cc_subnet_format(char out[72], const struct cc_subnet *s)
{
    char host[72];

    cc_netaddr_format(host, &s->base);
    if (s->base.network == CC_NET_IPV4 || s->base.network == CC_NET_IPV6)
        snprintf(out, 72, "%.65s/%u", host, s->bits);
    else
        memcpy(out, host, sizeof(host));
}

bool cc_subnet_has(const struct cc_subnet *s, const struct cc_netaddr *a)
{
    struct cc_subnet t;

    if (a->network != s->base.network)
        return false;
    t.base = *a;
    t.base.port = 0;
    t.bits = s->bits;
    clear_host_bits(&t);
    return !memcmp(t.base.bytes, s->base.bytes, s->base.len);
}

bool cc_subnet_equal(const struct cc_subnet *a, const struct cc_subnet *b)
{
    return a->bits == b->bits && cc_netaddr_same_host(&a->base, &b->base);
}
