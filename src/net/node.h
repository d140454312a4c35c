/*
 * node.h: what the files of the peer logic share: struct cc_net and struct
 * cc_peer. Private to src/net.
 *
 * Everything in both belongs to the validation thread, except what struct
 * cc_net keeps under its lock. The chain's lock may be taken on that thread at
 * any time; n->lock is a leaf: nothing is called while it is held.
 *
 * net.c life, the thread    news.c what chain and pool tell it
 * peer.c handshake, ping, misbehaviour, dispatch
 * connect.c whom to connect    listen.c where we are reached
 * headers.c headers    sync.c block download    cmpct.c compact blocks
 * serve.c getdata, announcing blocks
 * relay.c transactions that come    announce.c telling of them
 * filter.c bloom filters    reconcile.c BIP 330
 * latest.c the last block's transactions
 * seek.c seeds, extra peers    gossip.c addresses    info*.c answers for RPC
 */
#ifndef CC_NET_NODE_H
#define CC_NET_NODE_H

#include <pthread.h>
#include <stdatomic.h>

#include "net/addrbook.h"
#include "net/addrfile.h"
#include "net/asmap.h"
#include "net/banlist.h"
#include "net/bloom.h"
#include "net/conn.h"
#include "net/incoming.h"
#include "net/net.h"
#include "net/orphans.h"
#include "net/presync.h"
#include "net/reach.h"
#include "net/recent.h"
#include "net/timedata.h"
#include "net/tor.h"
#include "net/txrequest.h"
#include "util/map.h"
#include "util/random.h"

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define MAX_IN_FLIGHT 16     /* blocks asked of one peer at a time */
#define DOWNLOAD_WINDOW 1024 /* blocks ahead of the first missing */
#define MAX_ANNOUNCE 8       /* blocks announced by headers at once */
#define MAX_OUTBOUND_FULL 8
#define MAX_OUTBOUND_BLOCKS 2
#define MAX_OUTBOUND 11 /* slots of max_connections kept for us to use */
#define DISCOURAGE_SCORE 100
#define CC_CMPCT_VERSION 2
#define MAX_ANNOUNCERS 3 /* peers that send compact blocks unasked */
#define MAX_PARALLEL 3   /* peers that are asked to complete one block */

struct cc_flight { /* a block asked for */
    uint8_t hash[32];
    struct cc_index *index;
};

struct cc_known_tx { /* to be announced */
    uint8_t txid[32], wtxid[32];
};

struct cc_tx_queue {
    struct cc_known_tx *items;
    size_t count, cap;
};

struct cc_latest { /* the last block's transactions: latest.c */
    uint8_t hash[32];
    struct cc_known_tx *ids;
    size_t count;
    struct cc_map places; /* txid or wtxid -> uint32_t; filled when needed */
    struct cc_block block;
    bool read;
};

enum cc_reconcile { /* BIP 330 */
                    CC_RECONCILE_NO,
                    CC_RECONCILE_OFFERED,
                    CC_RECONCILE_AGREED,
};

struct cc_peer {
    struct cc_net *net;
    struct cc_conn *conn;
    int64_t id;
    enum cc_connection_type type;
    unsigned permissions;
    struct cc_netaddr addr; /* network 0: a name behind a proxy */
    bool onion;             /* came through our onion service */
    char name[256];         /* as it was asked for, or ip:port */
    int64_t connected_s, connected_mono_us;
    bool dropping; /* to be taken away after this round */

    /* handshake */
    uint64_t nonce; /* ours */
    bool got_version, sent_version, ready;
    uint32_t version;
    uint64_t services;
    char user_agent[CC_MAX_USER_AGENT + 1];
    bool relay_txs, wtxid_relay, want_addrv2;
    bool may_relay_txs; /* relays, or will when it sends a filter */
    int32_t starting_height;
    int64_t time_offset;
    struct cc_netaddr addr_local;
    uint32_t storage_version; /* 0: did not signal */
    enum cc_reconcile reconcile;
    int score;
    bool discourage;

    /* ping */
    uint64_t ping_nonce; /* 0: none on its way */
    int64_t ping_sent_us, ping_us, ping_min_us;
    bool ping_queued;

    /* addresses */
    bool addr_relay, getaddr_sent, getaddr_answered;
    double addr_tokens;
    int64_t addr_tokens_us, next_addr_us, next_local_us;
    uint64_t addr_processed, addr_limited;
    struct cc_addr_entry *addr_queue;
    size_t addr_queue_count, addr_queue_cap;
    struct cc_recent known_addrs;

    /* blocks */
    struct cc_index *best_known, *last_common, *best_header_sent;
    uint8_t unknown_best[32]; /* announced, header not here yet; or zero */
    bool sync_started, prefer_headers, sent_sendheaders;
    bool inv_started_sync;
    unsigned unconnecting;
    int64_t getheaders_us, headers_timeout_us, stalling_us, downloading_us;
    int64_t chain_timeout_s; /* outbound with too little work */
    struct cc_index *chain_work_header;
    bool chain_asked, chain_protected;
    struct cc_flight flight[MAX_IN_FLIGHT];
    size_t flight_count;
    unsigned judging; /* blocks it sent that wait to be judged */
    struct cc_presync *presync;
    uint8_t (*announce)[32]; /* blocks to announce, oldest first */
    size_t announce_count, announce_cap;
    uint8_t (*block_inv)[32]; /* to announce by inv */
    size_t block_inv_count, block_inv_cap;
    uint8_t continuation[32]; /* getblocks goes on when this is fetched */
    struct cc_inv *getdata;
    size_t getdata_pos, getdata_count;
    int64_t last_block_s, last_tx_s;
    int64_t last_announce_s; /* of a block with more work than our tip */

    /* compact blocks */
    bool provides_cmpct, we_chose, chose_us;
    struct cc_partial *partial; /* its missing transactions are asked for */

    /* transactions */
    struct cc_tx_queue tx_queue, tx_now; /* at the peer's moment; at once */
    struct cc_recent known_txs;
    int64_t next_inv_us;
    uint64_t last_inv_sequence;
    bool send_mempool;
    struct cc_bloom *bloom; /* or NULL: all */
    cc_amount fee_filter, fee_filter_sent;
    int64_t next_fee_filter_us;
};

struct cc_task { /* something to run on the validation thread */
    struct cc_task *next;
    void (*fn)(void *arg);
    void *arg;
    bool wait, done; /* somebody waits: the task is on its stack */
};

struct cc_source { /* who sent a block that is being judged */
    int64_t peer;
    bool punish;
};

#define MANUAL_FIRST_US (1 * SECOND_US) /* before the second try */

struct cc_manual { /* -addnode, -connect */
    char node[256];
    bool fixed; /* -connect */
    int64_t next_try_us, pause_us;
    bool pending;
};

struct cc_whitelist {
    struct cc_subnet subnet;
    unsigned permissions;
};

/* What all who come over one network to one of our addresses are told. */
#define GETADDR_ANSWERS 32
struct cc_getaddr_answer {
    uint64_t way; /* keyed hash of network and address; 0: none */
    int64_t until_us;
    struct cc_addr_entry *entries;
    size_t count;
};

struct cc_net {
    struct cc_net_options o; /* strings are the node's own below */
    const struct cc_params *params;
    struct cc_chain *chain;
    struct cc_mempool *mempool;
    struct cc_clock *clock;
    struct cc_log *log;
    char *user_agent, *peers_path, *bans_path, *anchors_path, *capture;
    char *i2p_path;                 /* of our key there, or NULL */
    struct cc_tor *tor;             /* the loop's thread */
    char *onion_path;               /* of the key of our onion service */
    struct cc_netaddr onion_target; /* where Tor hands on what comes there */
    bool tor_asks;                  /* where Tor's proxy is */
    bool i2p_known; /* our address there is among the local ones */
    uint64_t services;
    struct cc_reach reach;
    struct cc_asmap *asmap; /* NULL: none */
    struct cc_loop *loop;
    struct cc_hub *hub;
    struct cc_listener **listeners;
    struct cc_hub_bind **binds;
    size_t listener_count;
    struct cc_whitelist *whitelist;
    size_t whitelist_count;
    struct cc_net_local *locals;
    size_t local_count, local_cap;
    char **seednodes;
    size_t seednode_count;

    pthread_t thread;
    bool running;
    pthread_mutex_t call_lock; /* calls while no thread runs */
    pthread_mutex_t lock;      /* of these */
    pthread_cond_t wake, done;
    bool woken, stop;
    struct cc_task *tasks, **tasks_last;
    atomic_bool active;
    atomic_uint count_in, count_out;
    atomic_int time_offset;
    atomic_uint blocks_came; /* connected since the last tip was told */

    /* the validation thread's */
    struct cc_peer **peers; /* by rising id */
    size_t peer_count, peer_cap;
    size_t turn; /* who is served first */
    struct cc_addrbook *book;
    struct cc_banlist *bans;
    struct cc_netaddr onion; /* our service; network 0: none */
    struct cc_manual *manual;
    size_t manual_count, manual_cap;
    size_t connecting; /* attempts on their way */
    struct attempt *attempts;
    int64_t next_health_us, next_dump_us, next_outbound_us, next_feeler_us;
    uint64_t group_key; /* of the order of groups when one must go */
    struct cc_book_entry anchors[CC_ANCHORS_MAX];
    size_t anchor_count;
    size_t next_seed;
    struct cc_timedata timedata;

    /* seek.c */
    const char **seeds; /* names of the chain's parameters, shuffled */
    size_t seed_count, seeds_asked, seeds_now, seeds_open, seeds_found;
    int64_t seeds_at_us, seeds_look_us;
    bool fixed_wanted; /* the seeds that are addresses are not in yet */
    int64_t started_s; /* as the node's clock has it */
    int64_t next_check_us, next_stale_us, next_extra_us;
    bool try_extra, caught_up;

    struct cc_incoming_queue *incoming;
    struct cc_map flight; /* block hash -> int64_t peer, or BLOCK_IS_HERE */
    struct cc_peer *announcers[MAX_ANNOUNCERS]; /* oldest first */
    size_t announcer_count;
    /* Not in the pool, but maybe in the next block; under the chain's lock. */
    struct cc_tx *extra;
    size_t extra_count, extra_next;
    struct cc_map sources; /* block hash -> struct cc_source */
    unsigned sync_started, protected_count;
    int64_t last_tip_us;
    struct cc_index *tip; /* as last told */
    uint8_t last_inv_block[32];
    int64_t stall_timeout_us, io_pause_us;

    struct cc_txreq *txreq;
    struct cc_orphans *orphans;
    struct cc_recent rejects, confirmed;
    struct cc_latest latest;
    int64_t next_rebroadcast_us, next_inbound_inv_us;

    struct cc_getaddr_answer getaddr[GETADDR_ANSWERS];
};

/* net.c */
void cc_net_post(struct cc_net *n, void (*fn)(void *arg), void *arg);
int64_t cc_net_now_us(const struct cc_net *n); /* mockable */
int64_t cc_net_now_s(const struct cc_net *n);
uint64_t cc_net_random(void *unused);
/* A time span of exponential distribution with this mean. */
int64_t cc_net_poisson_us(int64_t mean_us);
struct cc_peer *cc_net_peer(struct cc_net *n, int64_t id);
/* Is -maxuploadtarget used up? old: also what the rest of the day may need for
 * new blocks is kept back. */
bool cc_net_upload_reached(struct cc_net *n, bool old);

/* news.c */
/* Makes the queue of blocks to judge, too. */
void cc_news_listen(struct cc_net *n);

/* peer.c */
struct cc_peer *cc_peer_add(struct cc_net *n, struct cc_conn *conn);
/* Frees; the caller takes it out of the list. */
void cc_peer_free(struct cc_peer *p);
void cc_peer_send(struct cc_peer *p, enum cc_msg_type type,
                  struct cc_writer *payload); /* clears payload */
void cc_peer_send_empty(struct cc_peer *p, enum cc_msg_type type);
void cc_peer_handle(struct cc_peer *p, struct cc_conn_message *m);
/* All that time brings: pings, announcements, requests. */
void cc_peer_tick(struct cc_peer *p, int64_t now_us);
/* A payload that does not decode; by: for what fault. */
void cc_peer_malformed(struct cc_peer *p, const struct cc_conn_message *m);
void cc_peer_malformed_by(struct cc_peer *p, const struct cc_conn_message *m,
                          const char *fault);
void cc_peer_misbehaving(struct cc_peer *p, int by, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Of a score: true if the peer goes. */
bool cc_peer_take_consequence(struct cc_peer *p);
void cc_peer_drop(struct cc_peer *p);
bool cc_peer_is_outbound(const struct cc_peer *p);
/* Outbound and expected to serve us: chosen by us, not by hand. */
bool cc_peer_may_punish(const struct cc_peer *p);
bool cc_peer_has(const struct cc_peer *p, unsigned permission);
bool cc_peer_takes_txs(const struct cc_peer *p);
/* What we offer it. */
uint64_t cc_peer_services(const struct cc_peer *p);
/* A block or transaction of this peer got this verdict. */
void cc_peer_judge_block(struct cc_peer *p, const struct cc_error *err,
                         const char *what);
void cc_peer_judge_tx(struct cc_peer *p, const struct cc_error *err);

/* headers.c */
/* Ask for what is beyond our best header. */
void cc_headers_ask(struct cc_peer *p);
void cc_headers_on_message(struct cc_peer *p, const struct cc_conn_message *m);
/* An inv named a block that we do not know. */
void cc_headers_on_inv(struct cc_peer *p, const uint8_t last[32]);
void cc_headers_tick(struct cc_peer *p, int64_t now_us);
/* What a chain must show before its headers are kept: not much less work than
 * ours. */
struct cc_u256 cc_headers_threshold(struct cc_net *n);

/* sync.c */
/* The peer has this block. */
void cc_sync_update_best(struct cc_peer *p, const uint8_t hash[32]);
/* It was the first to tell of this block. */
void cc_sync_announced(struct cc_peer *p, const struct cc_index *fresh);
/* A block it announced before we knew the header may be known by now. */
void cc_sync_resolve_unknown(struct cc_peer *p);
bool cc_sync_serves_blocks(const struct cc_peer *p);
/* Of those we chose, so that catching up is left to them if there are any. */
bool cc_sync_is_preferred(const struct cc_peer *p);
unsigned cc_sync_count_preferred(const struct cc_net *n);
/* Far behind: may it be p that gives us headers and blocks? */
bool cc_sync_catches_up_with(const struct cc_peer *p);
/* New blocks near the tip are fetched from who told of them first. */
void cc_sync_direct_fetch(struct cc_peer *p, struct cc_index *last);
void cc_sync_on_block(struct cc_peer *p, struct cc_conn_message *m);
void cc_sync_tick(struct cc_peer *p, int64_t now_us);
void cc_sync_peer_gone(struct cc_peer *p);
/* A block was connected: downloads go well. */
void cc_sync_block_came(struct cc_net *n);
/* A block was judged, now or later than it came. */
void cc_sync_judged(struct cc_net *n, const uint8_t hash[32], enum cc_status st,
                    const struct cc_error *err);
/* Neither known nor asked for. */
bool cc_sync_wants(struct cc_net *n, const uint8_t hash[32]);
/* Judge a block that came from p; clears it. asked: it was; punish: p must have
 * known whether it is good. False: its body does not fit its header. */
/* May the next message of this peer be handled now? Not while a block it sent
 * before is judged, unless it is another block, and there is room. */
bool cc_sync_ready(struct cc_peer *p);
/* The verdict on a block from the queue; takes b, a struct cc_incoming. */
void cc_sync_task_judged(void *b);
/* The coming verdicts on this block are of what this peer sent. */
void cc_sync_set_source(struct cc_net *n, const uint8_t hash[32], int64_t peer,
                        bool punish);
bool cc_sync_process(struct cc_peer *p, struct cc_block *block, bool asked,
                     bool punish);
/* Of whom a block was asked; -1: of nobody. */
int64_t cc_sync_asked(const struct cc_net *n, const uint8_t hash[32]);
/* Count it as asked of p, if there is room, without asking. */
void cc_sync_expect(struct cc_peer *p, struct cc_index *block);
/* Ask p for it whole; it stays or becomes p's. */
void cc_sync_ask_full(struct cc_peer *p, const uint8_t hash[32]);
/* Are we about where the net is? */
bool cc_sync_near_tip(struct cc_net *n);
/* What a peer we choose should offer, given what it does: all blocks, or its
 * last ones where we need no more. */
uint64_t cc_sync_desired(struct cc_net *n, uint64_t services);
/* This block of this peer, though another was asked for it. */
void cc_sync_fetch(struct cc_peer *p, struct cc_index *block);

/* cmpct.c */
void cc_cmpct_on_sendcmpct(struct cc_peer *p, const struct cc_conn_message *m);
void cc_cmpct_on_cmpctblock(struct cc_peer *p, const struct cc_conn_message *m);
void cc_cmpct_on_getblocktxn(struct cc_peer *p,
                             const struct cc_conn_message *m);
void cc_cmpct_on_blocktxn(struct cc_peer *p, const struct cc_conn_message *m);
/* Send sendcmpct. */
void cc_cmpct_say(struct cc_peer *p, bool announce);
/* Send this block as a compact one; false: it cannot be read. */
bool cc_cmpct_send(struct cc_peer *p, struct cc_index *i);
/* It gave us a good block first: it may announce by compact blocks. */
void cc_cmpct_gave_block(struct cc_peer *p);
void cc_cmpct_peer_gone(struct cc_peer *p);
/* A transaction that our pool does not take, or has replaced: a miner's may
 * have it. */
void cc_cmpct_keep(struct cc_net *n, const struct cc_tx *tx);

/* serve.c */
/* The whole block with witness, now. */
void cc_serve_full(struct cc_peer *p, const uint8_t hash[32]);
/* May a peer know of this block? Under the chain's lock. */
bool cc_serve_allowed(struct cc_net *n, struct cc_index *i);
void cc_serve_on_getheaders(struct cc_peer *p, const struct cc_conn_message *m);
void cc_serve_on_getblocks(struct cc_peer *p, const struct cc_conn_message *m);
void cc_serve_on_getdata(struct cc_peer *p, const struct cc_conn_message *m);
/* Answer some of the getdata that waits. */
void cc_serve_getdata(struct cc_peer *p);
void cc_serve_new_tip(struct cc_net *n, struct cc_index *tip);
void cc_serve_tick(struct cc_peer *p);
/* getcfilters, getcfheaders, getcfcheckpt */
void cc_cfilters_on_message(struct cc_peer *p, const struct cc_conn_message *m);

/* reconcile.c */
void cc_reconcile_offer(struct cc_peer *p); /* before our verack */
void cc_reconcile_on_message(struct cc_peer *p,
                             const struct cc_conn_message *m);
void cc_reconcile_settle(struct cc_peer *p); /* at its verack */
void cc_reconcile_gone(struct cc_peer *p);

/* relay.c */
/* Do we take no transactions, or none of this peer? */
bool cc_relay_refuses(const struct cc_peer *p);
void cc_relay_on_inv_tx(struct cc_peer *p, const struct cc_inv *inv);
void cc_relay_on_tx(struct cc_peer *p, const struct cc_conn_message *m);
void cc_relay_on_notfound(struct cc_peer *p, const struct cc_conn_message *m);
bool cc_relay_orphans(struct cc_peer *p); /* one; true: there are more */
void cc_relay_tick(struct cc_peer *p, int64_t now_us);
/* ids: count times txid, wtxid; spent: what they spend. */
void cc_relay_block(struct cc_net *n, const struct cc_known_tx *ids,
                    size_t count, const struct cc_outpoint *spent,
                    size_t spent_count);

/* announce.c */
/* Tell all peers of this one. Under the chain's lock. */
void cc_announce_tx(struct cc_net *n, const struct cc_mempool_entry *e);
/* Tell all peers of what is in the pool; from any thread. */
void cc_announce_later(struct cc_net *n, const uint8_t txid[32]);
/* Serve a transaction; false: notfound. */
bool cc_announce_serve(struct cc_peer *p, const struct cc_inv *inv);
void cc_announce_on_feefilter(struct cc_peer *p,
                              const struct cc_conn_message *m);
void cc_announce_tick(struct cc_peer *p, int64_t now_us);
void cc_announce_net_tick(struct cc_net *n, int64_t now_us);

/* filter.c */
bool cc_filter_offered(const struct cc_peer *p);
void cc_filter_on_message(struct cc_peer *p, const struct cc_conn_message *m);
void cc_filter_on_mempool(struct cc_peer *p);
/* p->bloom is there. Takes raw. */
void cc_filter_send_block(struct cc_peer *p, uint8_t *raw, size_t len);

/* latest.c */
void cc_latest_init(struct cc_latest *l);
void cc_latest_clear(struct cc_latest *l);
/* A block was connected. ids: malloc'd, taken. */
void cc_latest_set(struct cc_latest *l, const uint8_t hash[32],
                   struct cc_known_tx *ids, size_t count);
/* A transaction of it, by txid or wtxid; borrowed until the next block. */
const struct cc_tx *cc_latest_find(struct cc_net *n, const uint8_t id[32]);

/* gossip.c */
void cc_gossip_setup(struct cc_peer *p);
void cc_gossip_on_addr(struct cc_peer *p, const struct cc_conn_message *m);
void cc_gossip_on_getaddr(struct cc_peer *p);
void cc_gossip_tick(struct cc_peer *p, int64_t now_us);

/* onion.c */
void cc_onion_start(struct cc_net *n);
void cc_onion_stop(struct cc_net *n); /* after the loop */

/* seek.c */
void cc_seek_init(struct cc_net *n);
void cc_seek_start(struct cc_net *n);
void cc_seek_tick(struct cc_net *n, int64_t now_us);
/* All places are taken: should one more be opened, and of which type? */
bool cc_seek_extra(struct cc_net *n, enum cc_connection_type *type);

/* connect.c */
void cc_connect_tick(struct cc_net *n);
/* A connection that there was has ended. */
void cc_connect_lost(struct cc_peer *p);
/* A connection came or failed. */
void cc_connect_arrived(struct cc_net *n, struct cc_conn *conn);
void cc_connect_open(struct cc_net *n, const char *node,
                     enum cc_connection_type type);
/* Is such an attempt on its way? */
bool cc_connect_pending(const struct cc_net *n, const char *node);
/* May another of this type be opened? */
bool cc_connect_has_room(const struct cc_net *n, enum cc_connection_type t);

/* listen.c */
enum cc_status cc_listen_options(struct cc_net *n,
                                 const struct cc_net_options *o,
                                 struct cc_error *err);
enum cc_status cc_listen_start(struct cc_net *n, const struct cc_net_options *o,
                               struct cc_error *err);
void cc_listen_clear(struct cc_net *n);
/* An address of ours that is certain; it is no more. */
void cc_listen_tell_local(struct cc_net *n, const struct cc_netaddr *a);
void cc_listen_forget_local(struct cc_net *n, const struct cc_netaddr *a);

#endif
