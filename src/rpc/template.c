#include "rpc/template.h"

#include <pthread.h>
#include <stdlib.h>

#include "chain/vote.h"
#include "consensus/pow.h"
#include "mempool/miner.h"
#include "rpc/blockchain.h"
#include "rpc/json.h"
#include "rpc/txjson.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/map.h"
#include "util/mem.h"
#include "util/random.h"

#define STALE_MS 5000    /* as old as one may be given out */
#define PAUSE_MS 1000    /* between two that the thread builds */
#define WANTED_MS 300000 /* after a call the thread goes on so long */

struct cc_templates {
    struct cc_templates_config config;
    pthread_mutex_t building; /* taken before the lock; by one at a time */
    pthread_mutex_t lock;     /* over what follows */
    json_t *ready;            /* NULL: none yet */
    uint64_t tips;    /* how often the tip had moved before it was built */
    uint64_t changes; /* of the pool, then */
    int64_t built_ms, took_ms, asked_ms, min_time;
    pthread_t thread;
    bool running;
};

/* --- As JSON ------------------------------------------------------------- */

/* Places of a transaction's parents in the template, counted from 1. */
static json_t *depends(const struct cc_map *places, const struct cc_tx *tx)
{
    json_t *a = json_array();

    for (size_t i = 0; i < tx->vin_count; i++) {
        const uint32_t *at = cc_map_get(places, tx->vin[i].prevout.txid);
        size_t n = 0;

        while (at && n < json_array_size(a) &&
               json_integer_value(json_array_get(a, n)) < (json_int_t)*at)
            n++;
        if (at && json_integer_value(json_array_get(a, n)) != (json_int_t)*at)
            json_array_insert_new(a, n, json_integer((json_int_t)*at));
    }
    return a;
}

/* Before BIP 141 holds, costs and sizes count four times less. */
static json_t *transactions(const struct cc_template *t, int64_t scale)
{
    json_t *a = json_array(), *o;
    struct cc_map places;
    uint8_t seed[16];

    cc_random_bytes(seed, sizeof(seed));
    cc_map_init(&places, 32, sizeof(uint32_t), seed);
    for (size_t i = 1; i < t->block.tx_count; i++) {
        const struct cc_tx *tx = &t->block.tx[i];

        o = json_object();
        cc_json_set(o, "data", cc_tx_hex(tx));
        cc_json_set_hash(o, "txid", tx->txid);
        cc_json_set_hash(o, "hash", tx->wtxid);
        cc_json_set(o, "depends", depends(&places, tx));
        cc_json_set_int(o, "fee", t->fees[i]);
        cc_json_set_int(o, "sigops", t->sigop_costs[i] / scale);
        cc_json_set_int(o, "weight", (int64_t)cc_tx_weight(tx));
        json_array_append_new(a, o);
        *(uint32_t *)cc_map_put(&places, tx->txid, NULL) = (uint32_t)i;
    }
    cc_map_clear(&places);
    return a;
}

static json_t *strings(const char *const *list, size_t n)
{
    json_t *a = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, json_string(list[i]));
    return a;
}

/* What miners have voted in, and what they may vote for (BIP 9). */
static void set_votes(json_t *o, const struct cc_templates_config *config,
                      const struct cc_header *h, bool segwit)
{
    const struct cc_vote *v = &config->params->testdummy;
    struct cc_vote_status s =
        cc_vote_status(v, cc_chain_find(config->chain, h->prev));
    json_t *rules = json_array(), *open = json_object();

    json_array_append_new(rules, json_string("csv"));
    if (segwit)
        json_array_append_new(rules, json_string("!segwit"));
    if (s.state == CC_VOTE_ACTIVE)
        json_array_append_new(rules, json_string("testdummy"));
    else if (s.state == CC_VOTE_STARTED || s.state == CC_VOTE_LOCKED_IN)
        cc_json_set_int(open, "testdummy", v->bit);
    json_array_append_new(rules, json_string("taproot"));
    cc_json_set(o, "rules", rules);
    cc_json_set(o, "vbavailable", open);
}

static json_t *template_json(const struct cc_templates_config *config,
                             const struct cc_template *t, uint64_t changes)
{
    static const char *const capabilities[] = {"proposal"};
    static const char *const mutable[] = {"time", "transactions", "prevblock"};
    const struct cc_header *h = &t->block.header;
    const bool segwit = t->height >= config->params->segwit_height;
    const int64_t scale = segwit ? 1 : CC_WITNESS_SCALE;
    struct cc_u256 target = cc_compact_to_u256(h->bits, NULL, NULL);
    json_t *o = json_object();
    char *id, hash[65];
    uint8_t be[4];

    cc_json_set(o, "capabilities", strings(capabilities, 1));
    cc_json_set_int(o, "version", h->version);
    set_votes(o, config, h, segwit);
    cc_json_set_int(o, "vbrequired", 0);
    cc_json_set_hash(o, "previousblockhash", h->prev);
    cc_json_set(o, "transactions", transactions(t, scale));
    cc_json_set(o, "coinbaseaux", json_object());
    cc_json_set_int(o, "coinbasevalue", t->coinbase_value);
    cc_hex_encode_rev(hash, h->prev, 32);
    id = cc_asprintf("%s%llu", hash, (unsigned long long)changes);
    cc_json_set_str(o, "longpollid", id);
    free(id);
    cc_json_set(o, "target", cc_json_u256(&target));
    cc_json_set_int(o, "mintime", t->min_time);
    cc_json_set(o, "mutable", strings(mutable, 3));
    cc_json_set_str(o, "noncerange", "00000000ffffffff");
    cc_json_set_int(o, "sigoplimit", CC_MAX_BLOCK_SIGOPS_COST / scale);
    cc_json_set_int(o, "sizelimit", CC_MAX_BLOCK_WEIGHT / scale);
    if (segwit)
        cc_json_set_int(o, "weightlimit", CC_MAX_BLOCK_WEIGHT);
    cc_json_set_int(o, "curtime", h->time);
    cc_put_u32be(be, h->bits);
    cc_json_set(o, "bits", cc_json_hex(cc_bytes(be, 4)));
    cc_json_set_int(o, "height", t->height);
    if (t->commitment_len)
        cc_json_set(
            o, "default_witness_commitment",
            cc_json_hex(cc_bytes(t->commitment_script, t->commitment_len)));
    return o;
}

/* --- Keeping it ---------------------------------------------------------- */

/* Good enough for a call? Under our lock, and without the chain's: while a
 * block is being connected the last template is still the right one. */
static bool of_tip(const struct cc_templates *t)
{
    return t->ready && cc_waiter_count(t->config.waiter) == t->tips;
}

static bool is_fresh(const struct cc_templates *t)
{
    return of_tip(t) && cc_mempool_changes(t->config.mempool) == t->changes;
}

static bool will_do(const struct cc_templates *t)
{
    return is_fresh(t) || (of_tip(t) && t->took_ms > t->config.quick_ms &&
                           cc_clock_monotonic_ms() - t->built_ms < STALE_MS);
}

/* With the right to build. What was there stays if none can be made. */
static enum cc_status build(struct cc_templates *t, struct cc_error *err)
{
    static const uint8_t any[] = {0x51}; /* the miner's coinbase replaces it */
    const struct cc_templates_config *c = &t->config;
    int64_t start = cc_clock_monotonic_ms();
    struct cc_template made;
    uint64_t changes, tips = cc_waiter_count(c->waiter);
    json_t *json, *old;
    enum cc_status st;

    cc_chain_lock(c->chain);
    changes = cc_mempool_changes(c->mempool);
    st = cc_template_new(&made, c->mempool, cc_bytes(any, 1), err);
    cc_chain_unlock(c->chain);
    if (st != CC_OK)
        return st;
    json = template_json(c, &made, changes);
    pthread_mutex_lock(&t->lock);
    old = t->ready;
    t->ready = json;
    t->tips = tips;
    t->changes = changes;
    t->min_time = made.min_time;
    t->built_ms = cc_clock_monotonic_ms();
    t->took_ms = t->built_ms - start;
    pthread_mutex_unlock(&t->lock);
    json_decref(old);
    cc_template_clear(&made);
    return CC_OK;
}

static bool wants_another(struct cc_templates *t)
{
    bool wants;

    pthread_mutex_lock(&t->lock);
    wants = t->asked_ms && cc_clock_monotonic_ms() - t->asked_ms < WANTED_MS &&
            !is_fresh(t);
    pthread_mutex_unlock(&t->lock);
    return wants;
}

static void *run(void *arg)
{
    struct cc_templates *t = arg;
    struct cc_waiter *w = t->config.waiter;
    struct cc_error err;
    uint64_t seen;

    cc_log_name_thread("template");
    do {
        seen = cc_waiter_count(w);
        pthread_mutex_lock(&t->building);
        if (wants_another(t))
            (void)build(t, &err); /* a call will tell */
        pthread_mutex_unlock(&t->building);
    } while (cc_waiter_wait(w, seen, cc_clock_monotonic_ms() + PAUSE_MS));
    return NULL;
}

struct cc_templates *cc_templates_new(const struct cc_templates_config *config)
{
    struct cc_templates *t = cc_calloc(1, sizeof(*t));

    t->config = *config;
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->building, NULL);
    t->running = !pthread_create(&t->thread, NULL, run, t);
    return t;
}

void cc_templates_free(struct cc_templates *t)
{
    if (!t)
        return;
    if (t->running)
        pthread_join(t->thread, NULL);
    pthread_mutex_destroy(&t->building);
    pthread_mutex_destroy(&t->lock);
    json_decref(t->ready);
    free(t);
}

/* What is there, if it will do or must; the members are shared. */
static json_t *copy(struct cc_templates *t, bool must)
{
    int64_t now = cc_clock_now(t->config.clock);
    json_t *o = NULL;

    pthread_mutex_lock(&t->lock);
    t->asked_ms = cc_clock_monotonic_ms();
    if (must || will_do(t)) {
        o = json_copy(t->ready);
        cc_json_set_int(o, "curtime", now > t->min_time ? now : t->min_time);
    }
    pthread_mutex_unlock(&t->lock);
    return o;
}

enum cc_status cc_templates_get(struct cc_templates *t, json_t **out,
                                struct cc_error *err)
{
    enum cc_status st = CC_OK;
    json_t *o;

    if (!t)
        return cc_fail(err, CC_NOTFOUND, "No templates are made here");
    o = copy(t, false);

    if (!o) {
        pthread_mutex_lock(&t->building);
        o = copy(t, false); /* somebody may just have built it */
        if (!o)
            st = build(t, err);
        if (!o && st == CC_OK)
            o = copy(t, true);
        pthread_mutex_unlock(&t->building);
    }
    if (st == CC_OK)
        *out = o;
    return st;
}
