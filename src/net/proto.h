/*
 * proto.h: the messages of Bitcoin's peer-to-peer protocol, version 70016,
 * and our one addition.
 *
 * Envelope: magic 4, command 12 (zero padded), length 4, checksum 4 (first
 * bytes of hash256 of the payload). Every decoder takes a whole payload and
 * judges its limits; CC_LIMIT says that a count is over the protocol's bound
 * (*count tells the number, nothing is allocated), CC_MALFORMED all else.
 * Arrays given out are malloc'd, the caller's. Encoders append the payload.
 *
 * Source: BIPs 31, 35, 111, 130, 133, 144, 152, 155, 339; Bitcoin's developer
 * reference. sendstorage: doc/protocol.md.
 */
#ifndef CC_NET_PROTO_H
#define CC_NET_PROTO_H

#include "consensus/block.h"
#include "net/netaddr.h"

#define CC_FRAME_SIZE 24
#define CC_MAX_PAYLOAD 4000000
#define CC_MAX_INV 50000
#define CC_MAX_HEADERS 2000
#define CC_MAX_ADDR 1000
#define CC_MAX_LOCATOR 101
#define CC_MAX_USER_AGENT 256
#define CC_MAX_ADDRV2_LEN 512
#define CC_STORAGE_PROTO 1 /* number in sendstorage */

enum cc_service {
    CC_SERVICE_NETWORK = 1 << 0,
    CC_SERVICE_BLOOM = 1 << 2,
    CC_SERVICE_WITNESS = 1 << 3,
    CC_SERVICE_COMPACT_FILTERS = 1 << 6,
    CC_SERVICE_NETWORK_LIMITED = 1 << 10,
    CC_SERVICE_P2P_V2 = 1 << 11,
    CC_SERVICE_STORAGE = 1 << 24, /* speaks our additions */
};
/* Name of bit i as in servicesnames; NULL if it has none. */
const char *cc_service_name(unsigned bit);

enum cc_msg_type {
    CC_MSG_VERSION,
    CC_MSG_VERACK,
    CC_MSG_ADDR,
    CC_MSG_ADDRV2,
    CC_MSG_SENDADDRV2,
    CC_MSG_INV,
    CC_MSG_GETDATA,
    CC_MSG_NOTFOUND,
    CC_MSG_GETBLOCKS,
    CC_MSG_GETHEADERS,
    CC_MSG_TX,
    CC_MSG_HEADERS,
    CC_MSG_BLOCK,
    CC_MSG_GETADDR,
    CC_MSG_MEMPOOL,
    CC_MSG_PING,
    CC_MSG_PONG,
    CC_MSG_SENDHEADERS,
    CC_MSG_FEEFILTER,
    CC_MSG_SENDCMPCT,
    CC_MSG_CMPCTBLOCK,
    CC_MSG_GETBLOCKTXN,
    CC_MSG_BLOCKTXN,
    CC_MSG_WTXIDRELAY,
    CC_MSG_SENDTXRCNCL,
    CC_MSG_FILTERLOAD,
    CC_MSG_FILTERADD,
    CC_MSG_FILTERCLEAR,
    CC_MSG_MERKLEBLOCK,
    CC_MSG_GETCFILTERS,
    CC_MSG_GETCFHEADERS,
    CC_MSG_GETCFCHECKPT,
    CC_MSG_CFILTER,
    CC_MSG_CFHEADERS,
    CC_MSG_CFCHECKPT,
    CC_MSG_SENDSTORAGE,
    CC_MSG_OTHER, /* any other command */
    CC_MSG_COUNT,
};
/* The command; "*other*" for CC_MSG_OTHER. */
const char *cc_msg_name(enum cc_msg_type type);
enum cc_msg_type cc_msg_find(const char *command);

/* --- Envelope ------------------------------------------------------------- */

struct cc_frame {
    uint32_t magic;
    char command[13]; /* NUL behind it; "" if the bytes are no command */
    char shown[13];   /* what of it can be printed, for the log */
    uint32_t length;
    uint8_t checksum[4];
};
void cc_frame_decode(struct cc_frame *f, const uint8_t in[CC_FRAME_SIZE]);
/* A whole message around payload, appended to w. command: at most 12. */
void cc_frame_write(struct cc_writer *w, uint32_t magic, const char *command,
                    const void *payload, size_t len);
bool cc_frame_checksum_ok(const struct cc_frame *f, const void *payload);

/* --- Messages ------------------------------------------------------------- */

struct cc_msg_version {
    int32_t version;
    uint64_t services;
    int64_t time;
    struct cc_netaddr you; /* as the sender sees the receiver */
    uint64_t you_services;
    uint64_t nonce;
    char user_agent[CC_MAX_USER_AGENT + 1];
    int32_t start_height;
    bool relay;
};
/* What follows `time` and the addresses may be missing (old senders), and
 * bytes behind the end are ignored (newer ones). */
enum cc_status cc_msg_version_decode(struct cc_msg_version *out,
                                     const void *data, size_t len);
void cc_msg_version_write(struct cc_writer *w, const struct cc_msg_version *m);

struct cc_addr_entry {
    uint32_t time;
    uint64_t services;
    struct cc_netaddr addr; /* network 0: of a kind we cannot use */
};
/* v2: addrv2. CC_INVALID: an address of *count bytes, more than BIP 155's
 * 512. */
enum cc_status cc_msg_addr_decode(struct cc_addr_entry **out, size_t *count,
                                  bool v2, const void *data, size_t len);
void cc_msg_addr_write(struct cc_writer *w, const struct cc_addr_entry *a,
                       size_t count, bool v2);

enum cc_inv_type {
    CC_INV_TX = 1,
    CC_INV_BLOCK = 2,
    CC_INV_FILTERED_BLOCK = 3,
    CC_INV_CMPCT_BLOCK = 4,
    CC_INV_WTX = 5, /* BIP 339 */
    CC_INV_WITNESS_FLAG = 1 << 30,
    CC_INV_WITNESS_TX = CC_INV_TX | CC_INV_WITNESS_FLAG,
    CC_INV_WITNESS_BLOCK = CC_INV_BLOCK | CC_INV_WITNESS_FLAG,
};
struct cc_inv {
    uint32_t type;
    uint8_t hash[32];
};
/* inv, getdata, notfound */
#define CC_INV_TEXT 96
/* "wtx 1234...", "witness-block 00ab...", as Bitcoin Core's log has it. */
void cc_msg_inv_format(char out[CC_INV_TEXT], const struct cc_inv *inv);
enum cc_status cc_msg_inv_decode(struct cc_inv **out, size_t *count,
                                 const void *data, size_t len);
void cc_msg_inv_write(struct cc_writer *w, const struct cc_inv *inv,
                      size_t count);

/* getheaders, getblocks */
struct cc_msg_locator {
    uint32_t version;
    uint8_t (*hashes)[32]; /* malloc'd */
    size_t count;
    uint8_t stop[32];
};
enum cc_status cc_msg_locator_decode(struct cc_msg_locator *out,
                                     const void *data, size_t len);
void cc_msg_locator_write(struct cc_writer *w, const uint8_t (*hashes)[32],
                          size_t count, const uint8_t stop[32]);
void cc_msg_locator_clear(struct cc_msg_locator *m);

enum cc_status cc_msg_headers_decode(struct cc_header **out, size_t *count,
                                     const void *data, size_t len);
void cc_msg_headers_write(struct cc_writer *w, const struct cc_header *h,
                          size_t count);

struct cc_msg_sendcmpct {
    bool announce;
    uint64_t version;
};
enum cc_status cc_msg_sendcmpct_decode(struct cc_msg_sendcmpct *out,
                                       const void *data, size_t len);
void cc_msg_sendcmpct_write(struct cc_writer *w,
                            const struct cc_msg_sendcmpct *m);

/* ping, pong, feefilter: 8 bytes; what follows them is ignored. */
enum cc_status cc_msg_u64_decode(uint64_t *out, const void *data, size_t len);

/* version 4: CC_STORAGE_PROTO; higher ones may append. */
enum cc_status cc_msg_sendstorage_decode(uint32_t *version, const void *data,
                                         size_t len);
void cc_msg_sendstorage_write(struct cc_writer *w, uint32_t version);

#endif
