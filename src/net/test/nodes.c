#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

static bool disk_fails(void *arg, const char *what)
{
    struct test_node *t = arg;

    (void)what;
    return atomic_load(&t->disk_fails);
}

void test_node_open(struct test_node *t, enum cc_chain_id chain,
                    const char *whitelist)
{
    const struct cc_params *params = cc_params_get(chain);
    struct cc_chain_config cc;
    struct cc_mempool_config mc;
    struct cc_net_options no;
    struct cc_log_options lo;
    struct cc_error err;
    const char *binds[] = {"127.0.0.1:0"};
    const char *white[] = {whitelist};

    memset(t, 0, sizeof(*t));
    t->dir = cc_test_mkdir();
    cc_clock_init(&t->clock);
    if (getenv("CC_TEST_LOG")) {
        memset(&lo, 0, sizeof(lo));
        lo.console = true;
        lo.time_micros = lo.timestamps = true;
        lo.categories = CC_LOG_NET | CC_LOG_MEMPOOL;
        assert_int_equal(cc_log_open(&t->log, &lo, &err), CC_OK);
    }
    memset(&cc, 0, sizeof(cc));
    cc.params = params;
    cc.directory = t->dir;
    cc.cache_bytes = 8 << 20;
    cc.now = cc_clock_now_fn;
    cc.now_arg = &t->clock;
    cc.fault.fail = disk_fails;
    cc.fault.arg = t;
    cc_error_init(&err);
    if (cc_chain_open(&t->chain, &cc, &err) != CC_OK)
        fail_msg("chain: %s", err.text);
    memset(&mc, 0, sizeof(mc));
    mc.chain = t->chain;
    mc.max_bytes = 50 << 20;
    mc.expiry_s = 3600;
    mc.min_relay_feerate = mc.incremental_feerate = 1000;
    mc.dust_feerate = 3000;
    mc.ancestor_limit = mc.descendant_limit = 25;
    mc.bytes_per_sigop = 20;
    mc.now = cc_clock_now_fn;
    mc.now_arg = &t->clock;
    t->mempool = cc_mempool_new(&mc);
    cc_net_options_init(&no);
    no.chain = t->chain;
    no.mempool = t->mempool;
    no.clock = &t->clock;
    no.log = t->log;
    no.directory = t->dir;
    no.binds = binds;
    no.bind_count = 1;
    no.whitelist = white;
    no.whitelist_count = whitelist ? 1 : 0;
    if (cc_net_new(&t->net, &no, &err) != CC_OK)
        fail_msg("net: %s", err.text);
}

void test_node_start(struct test_node *t)
{
    struct cc_error err;

    if (cc_net_start(t->net, &err) != CC_OK)
        fail_msg("start: %s", err.text);
}

void test_node_close(struct test_node *t)
{
    cc_net_free(t->net);
    cc_mempool_free(t->mempool);
    cc_chain_free(t->chain);
    cc_log_close(t->log);
    cc_test_rmdir(t->dir);
}

void test_node_mine(struct test_node *t, unsigned n, uint8_t salt)
{
    /* <salt> OP_DROP OP_TRUE */
    const uint8_t script[] = {1, (uint8_t)(0x20 + salt), 0x75, 0x51};
    struct cc_block block;
    struct cc_error err;

    cc_error_init(&err);
    cc_chain_hold(t->chain);
    while (n-- > 0) {
        uint64_t tries = 1000000;
        bool is_new;

        if (cc_generate(&block, t->mempool, cc_bytes(script, sizeof(script)),
                        NULL, 0, &tries, NULL, &err) != CC_OK ||
            cc_chain_accept_block(t->chain, &block, true, NULL, &is_new,
                                  &err) != CC_OK)
            fail_msg("mining: %s", err.text);
        if (!cc_chain_find(t->chain, block.hash) ||
            !cc_chain_contains(t->chain, cc_chain_find(t->chain, block.hash)))
            n++; /* a block that came meanwhile was there first */
        cc_block_clear(&block);
    }
    assert_int_equal(cc_chain_release(t->chain, &err), CC_OK);
}

uint32_t test_node_height(struct test_node *t)
{
    return cc_chain_tip(t->chain)->height;
}

struct link {
    struct test_node *a, *b;
    size_t ready_a, ready_b;
};

static size_t count_ready(struct test_node *t)
{
    struct cc_peer_info *p;
    size_t n = cc_net_peers(t->net, &p), ready = 0;

    for (size_t i = 0; i < n; i++)
        ready += p[i].version != 0 && p[i].ping_us >= 0;
    free(p);
    return ready;
}

static bool linked(void *arg)
{
    struct link *l = arg;

    return count_ready(l->a) > l->ready_a && count_ready(l->b) > l->ready_b;
}

void test_node_connect(struct test_node *a, struct test_node *b)
{
    struct link l = {a, b, count_ready(a), count_ready(b)};
    char node[32];

    snprintf(node, sizeof(node), "127.0.0.1:%u", cc_net_port(b->net));
    cc_net_try_node(a->net, node);
    cc_test_until(linked, &l, "two nodes shake hands");
}
