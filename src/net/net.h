/*
 * net.h: the node's place among its peers.
 *
 * Brings blocks and transactions from peers to chain and mempool, and tells
 * peers of ours. Judges nothing itself; it decides only what a peer deserves
 * for a verdict.
 *
 * Threads: two of its own. The loop thread owns sockets: it accepts, connects,
 * frames, checks checksums, and never waits for anything else. The validation
 * thread owns all that is known of peers, handles their messages one peer
 * after the other, and is the one that gives blocks and transactions from
 * peers to chain and mempool. Every call below may come from any other thread
 * and takes at most as long as the message being handled; none may be made
 * while holding the chain's lock, except those marked "any lock".
 *
 * Bounds: per peer a receive and a send buffer, past which reading from it
 * pauses; so memory is at most connections times both.
 */
#ifndef CC_NET_NET_H
#define CC_NET_NET_H

#include "mempool/mempool.h"
#include "net/proto.h"

struct cc_clock;
struct cc_filterindex;
struct cc_log;
struct cc_net;

#define CC_NET_VERSION 70016

/* Strings are borrowed until cc_net_new returns, the rest until cc_net_free. */
struct cc_net_options {
    struct cc_chain *chain;
    struct cc_mempool *mempool;
    struct cc_clock *clock;
    struct cc_log *log;    /* may be NULL */
    const char *directory; /* peers.dat, banlist.json; NULL: keep nothing */
    const char *user_agent;

    bool listen;
    uint16_t port;            /* of binds that name none; and told to peers */
    const char *const *binds; /* "addr", "addr:port", "[v6]:port" */
    size_t bind_count;        /* 0: every address of this machine */
    const char *const *external_ips; /* -externalip */
    size_t external_ip_count;

    const char *const *connect; /* -connect: these and no others */
    size_t connect_count;
    bool connect_none; /* -connect=0 */
    const char *const *addnode;
    size_t addnode_count;
    const char *const *seednode;
    size_t seednode_count;
    const char *const *whitelist; /* "perm,perm@subnet" */
    size_t whitelist_count;
    const char *const *whitebind; /* "perm,perm@addr:port" */
    size_t whitebind_count;
    /* What an entry without permissions gives besides noban and mempool. */
    bool whitelist_relay, whitelist_force_relay;

    /* How others are reached (reach.h). */
    const char *const *onlynet; /* -onlynet */
    size_t onlynet_count;
    const char *proxy, *onion; /* -proxy, -onion; NULL: not given */
    const char *i2p_sam;       /* -i2psam; NULL: not given */
    bool i2p_accept;           /* -i2pacceptincoming */
    bool listen_onion;         /* -listenonion */
    const char *tor_control;   /* -torcontrol; NULL: the usual place */
    const char *tor_password;  /* -torpassword; NULL: none */
    bool proxy_plain;          /* -proxyrandomize=0 */
    bool no_dns;               /* -dns=0 */
    bool cjdns_reachable;      /* -cjdnsreachable */
    bool discover;             /* -discover */
    bool dns_seed, dns_seed_set, force_dns_seed; /* -dnsseed, -forcednsseed */
    bool fixed_seeds;                            /* -fixedseeds */

    bool capture;              /* -capturemessages */
    const char *asmap;         /* -asmap, below directory; NULL: none */
    bool check_book;           /* -checkaddrman */
    uint64_t max_upload_bytes; /* -maxuploadtarget, a day; 0: no limit */
    unsigned max_orphans;      /* -maxorphantx, 100 */
    unsigned extra_txs;        /* -blockreconstructionextratxn, 100 */

    unsigned max_connections;       /* -maxconnections, 125 */
    size_t max_receive_bytes;       /* -maxreceivebuffer x 1000 */
    size_t max_send_bytes;          /* -maxsendbuffer x 1000 */
    int64_t ban_s;                  /* -bantime, 86400 */
    int64_t connect_timeout_ms;     /* -timeout, 5000 */
    int64_t peer_timeout_s;         /* -peertimeout, 60 */
    bool blocks_only;               /* -blocksonly */
    bool addrman_test;              /* -addrmantest */
    bool bloom_filters;             /* -peerbloomfilters */
    struct cc_filterindex *filters; /* of blocks, for peers; may be NULL */
    bool reconcile;                 /* -txreconciliation */
    bool inactive;                  /* -networkactive=0 */
    bool log_ips;                   /* -logips */
};

/* The defaults named above; the caller sets the pointers and what differs. */
void cc_net_options_init(struct cc_net_options *o);

/* Reads peers.dat and banlist.json (a broken one is put aside with a line in
 * the log), adds its listener to the chain. CC_INVALID: an option is wrong,
 * the sentence says which. */
enum cc_status cc_net_new(struct cc_net **out, const struct cc_net_options *o,
                          struct cc_error *err);
/* Binds and starts the threads. CC_IO: "Unable to bind to ...". */
enum cc_status cc_net_start(struct cc_net *n, struct cc_error *err);
/* Disconnects everybody, ends the threads, writes the files. Calls made
 * afterwards answer as if there were no peers. */
void cc_net_stop(struct cc_net *n);
/* Stops too. The chain must not move any more: it would tell us. */
void cc_net_free(struct cc_net *n);

/* Run fn on the validation thread, between two messages, and wait for it. */
void cc_net_call(struct cc_net *n, void (*fn)(void *arg), void *arg);

/* --- State --------------------------------------------------------------- */

struct cc_net_counts {
    unsigned total, in, out;
};
struct cc_net_counts cc_net_counts(struct cc_net *n);
uint64_t cc_net_local_services(const struct cc_net *n);
bool cc_net_active(struct cc_net *n);
void cc_net_set_active(struct cc_net *n, bool active);
const char *cc_net_user_agent(const struct cc_net *n);
/* Median of peers' clocks minus ours, seconds (shown, never acted upon). */
int64_t cc_net_time_offset(struct cc_net *n);
/* Port of the first listening socket, 0 without: for tests that bind 0. */
uint16_t cc_net_port(struct cc_net *n);

struct cc_net_totals {
    uint64_t received, sent;
    int64_t time_ms;
    /* -maxuploadtarget: seconds, bytes, and what is left of both. */
    int64_t frame_s, left_s;
    uint64_t target, left_bytes;
    bool reached, serves_old;
};
struct cc_net_totals cc_net_totals(struct cc_net *n);

struct cc_net_local {
    char address[64];
    uint16_t port;
    int score;
};
/* *out is the caller's to free. */
size_t cc_net_local_addresses(struct cc_net *n, struct cc_net_local **out);

/* "ipv4", ..., i-th network of getnetworkinfo; false past the last. */
struct cc_net_network {
    const char *name;
    bool limited, reachable, randomize;
    char proxy[272];
};
bool cc_net_network(struct cc_net *n, unsigned i, struct cc_net_network *out);

enum cc_connection_type {
    CC_CONN_INBOUND,
    CC_CONN_OUTBOUND, /* "outbound-full-relay" */
    CC_CONN_MANUAL,
    CC_CONN_FEELER,
    CC_CONN_BLOCK_RELAY,
    CC_CONN_ADDR_FETCH,
};
const char *cc_connection_type_name(enum cc_connection_type t);

enum cc_net_permission {
    CC_PERM_BLOOM = 1,
    CC_PERM_RELAY = 2,
    CC_PERM_FORCERELAY = 4 | CC_PERM_RELAY,
    CC_PERM_DOWNLOAD = 8,
    CC_PERM_NOBAN = 16 | CC_PERM_DOWNLOAD,
    CC_PERM_MEMPOOL = 32,
    CC_PERM_ADDR = 64,
    CC_PERM_ALL = 127,
};
/* Name of permission i ("bloomfilter", "noban", ...) and its bits; NULL past
 * the last. */
const char *cc_net_permission_name(unsigned i, unsigned *bits);

/* All that getpeerinfo shows; times in unix seconds, 0: never. */
struct cc_peer_info {
    int64_t id;
    char addr[72];       /* as given, or "ip:port" */
    char addr_bind[72];  /* "" unknown */
    char addr_local[72]; /* what it says it sees; "" unknown */
    char network[24];    /* "ipv4", "ipv6", "not_publicly_routable" */
    uint32_t mapped_as;  /* 0: no -asmap, or not known */
    uint64_t services;
    bool relay_txes;
    int64_t last_send, last_recv, last_tx, last_block;
    uint64_t bytes_sent, bytes_recv;
    int64_t connected;
    int64_t time_offset;
    int64_t ping_us, ping_min_us, ping_wait_us; /* -1: none */
    uint32_t version;
    char user_agent[257]; /* sanitised */
    bool inbound;
    bool bip152_to, bip152_from;
    int32_t starting_height;
    int64_t presynced_headers, synced_headers, synced_blocks; /* -1: none */
    uint32_t inflight[16];                                    /* heights */
    size_t inflight_count;
    bool addr_relay;
    uint64_t addr_processed, addr_rate_limited;
    unsigned permissions;
    cc_amount min_fee_filter;
    uint64_t sent_per_msg[CC_MSG_COUNT], recv_per_msg[CC_MSG_COUNT];
    enum cc_connection_type type;
};
/* By rising id; *out is the caller's to free. */
size_t cc_net_peers(struct cc_net *n, struct cc_peer_info **out);

/* --- Connections --------------------------------------------------------- */

/* Keep a connection to "host[:port]". CC_LIMIT: it is in the list already
 * ("Error: Node already added"). */
enum cc_status cc_net_add_node(struct cc_net *n, const char *node,
                               struct cc_error *err);
/* CC_NOTFOUND: "Error: Node could not be removed. It has not been added
 * previously." */
enum cc_status cc_net_remove_node(struct cc_net *n, const char *node,
                                  struct cc_error *err);
/* One attempt, in the background. */
void cc_net_try_node(struct cc_net *n, const char *node);

struct cc_added_node {
    char node[256];
    bool connected, inbound;
    char address[72]; /* resolved, if connected */
};
size_t cc_net_added_nodes(struct cc_net *n, struct cc_added_node **out);

/* False: not connected. */
bool cc_net_disconnect_address(struct cc_net *n, const char *address);
bool cc_net_disconnect_id(struct cc_net *n, int64_t id);
/* For tests: open a connection of this type, "addconnection". CC_LIMIT: there
 * are enough of this type. */
enum cc_status cc_net_open(struct cc_net *n, const char *node,
                           enum cc_connection_type type, struct cc_error *err);
/* Queue a ping to each peer. */
void cc_net_ping(struct cc_net *n);

struct cc_ban {
    char subnet[72]; /* "192.168.0.6/32" */
    int64_t created, until;
};
size_t cc_net_bans(struct cc_net *n, struct cc_ban **out);
/* until: unix seconds. CC_INVALID: "Error: Invalid IP/Subnet"; CC_LIMIT:
 * "Error: IP/Subnet already banned". */
enum cc_status cc_net_ban(struct cc_net *n, const char *subnet, int64_t until,
                          struct cc_error *err);
/* CC_NOTFOUND: "Error: Unban failed. Requested address/subnet was not
 * previously manually banned." */
enum cc_status cc_net_unban(struct cc_net *n, const char *subnet,
                            struct cc_error *err);
void cc_net_clear_bans(struct cc_net *n);

struct cc_net_address {
    char address[64];
    uint16_t port;
    uint64_t services;
    int64_t time;
    char network[24];
};
/* A random choice of known addresses; count 0: all; network NULL: any. *out
 * is the caller's to free. */
size_t cc_net_known_addresses(struct cc_net *n, size_t count,
                              const char *network, struct cc_net_address **out);
/* addpeeraddress. CC_MALFORMED: not an address that could be kept; CC_LIMIT:
 * refused by the book. tried: also among those that were reached, if its
 * place there is free. */
enum cc_status cc_net_add_address(struct cc_net *n, const char *address,
                                  uint16_t port, bool tried,
                                  struct cc_error *err);
/* getrawaddrman: every place of a table that is taken; *out is the caller's to
 * free. */
struct cc_net_place {
    unsigned bucket, position;
    struct cc_net_address address, source;
};
size_t cc_net_book_places(struct cc_net *n, bool tried,
                          struct cc_net_place **out);
/* mockscheduler: what is to be done at some time is due so much sooner. */
void cc_net_forward(struct cc_net *n, int64_t seconds);
/* sendmsgtopeer: any bytes to a peer; false: there is none of that number.
 * type: at most 12 bytes. */
bool cc_net_send(struct cc_net *n, int64_t peer_id, const char *type,
                 const uint8_t *payload, size_t len);
struct cc_net_book_counts {
    size_t fresh, tried; /* "new" and "tried" */
};
/* network: "ipv4" or "ipv6". */
struct cc_net_book_counts cc_net_book_counts(struct cc_net *n,
                                             const char *network);

/* --- Relay --------------------------------------------------------------- */

/* Announce a transaction that is in the pool, and again every ten to fifteen
 * minutes until a peer asked for it. Any lock. */
void cc_net_broadcast(struct cc_net *n, const uint8_t txid[32]);
/* Announce it this once: it was in the pool before. Any lock. */
void cc_net_announce(struct cc_net *n, const uint8_t txid[32]);
/* getblockfrompeer: ask this peer for a block whose header we have. CC_INVALID
 * with Core's sentence. */
enum cc_status cc_net_fetch_block(struct cc_net *n, const uint8_t hash[32],
                                  int64_t peer_id, struct cc_error *err);

#endif
