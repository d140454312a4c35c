/*
 * Whole nodes in one process over loopback sockets: they sync, follow the
 * chain with most work, and pass blocks and transactions on.
 */
#include "nodes.h"

#include <stdio.h>
#include <stdlib.h>

#include "consensus/typed.h"
#include "crypto/ec.h"
#include "util/mem.h"

struct pair {
    struct test_node *a, *b;
};

static bool same_tip(void *arg)
{
    struct pair *p = arg;

    return !memcmp(cc_chain_tip(p->a->chain)->hash,
                   cc_chain_tip(p->b->chain)->hash, 32);
}

static void wait_same(struct test_node *a, struct test_node *b,
                      const char *what)
{
    struct pair p = {a, b};

    cc_test_until(same_tip, &p, what);
}

struct peers {
    struct test_node *t;
    unsigned want;
};

static bool has_peers(void *arg)
{
    struct peers *p = arg;

    return cc_net_counts(p->t->net).total == p->want;
}

static void wait_peers(struct test_node *t, unsigned want)
{
    struct peers p = {t, want};

    cc_test_until(has_peers, &p, "number of peers");
}

/* The one peer of t. */
static struct cc_peer_info only_peer(struct test_node *t)
{
    struct cc_peer_info *p, one;

    assert_int_equal(cc_net_peers(t->net, &p), 1);
    one = p[0];
    free(p);
    return one;
}

/* Three nodes in a row, 1,000 blocks from one end to the other, then a fork of
 * 20 blocks that the longer side wins. */
static void sync_and_fork(enum cc_chain_id chain)
{
    struct test_node n[3];

    for (int i = 0; i < 3; i++)
        test_node_open(&n[i], chain, NULL);
    test_node_mine(&n[0], 1000, 1);
    for (int i = 0; i < 3; i++)
        test_node_start(&n[i]);
    test_node_connect(&n[1], &n[0]);
    test_node_connect(&n[2], &n[1]);
    wait_same(&n[0], &n[2], "1,000 blocks at the far end");
    assert_int_equal(test_node_height(&n[2]), 1000);
    wait_same(&n[0], &n[1], "1,000 blocks in the middle");

    cc_net_set_active(n[1].net, false);
    wait_peers(&n[0], 0);
    wait_peers(&n[2], 0);
    test_node_mine(&n[0], 20, 2);
    test_node_mine(&n[2], 21, 3);
    assert_int_equal(test_node_height(&n[0]), 1020);
    cc_net_set_active(n[1].net, true);
    test_node_connect(&n[1], &n[0]);
    test_node_connect(&n[2], &n[1]);
    wait_same(&n[0], &n[2], "both ends agree after the fork");
    assert_int_equal(test_node_height(&n[0]), 1021);
    for (int i = 0; i < 3; i++)
        test_node_close(&n[i]);
}

static void test_sync_regtest(void **state)
{
    (void)state;
    sync_and_fork(CC_CHAIN_REGTEST);
}

static void test_sync_bitcoin_regtest(void **state)
{
    (void)state;
    sync_and_fork(CC_CHAIN_BITCOIN_REGTEST);
}

/* A new block travels by announcement, without a new handshake. */
static void test_announce(void **state)
{
    struct test_node a, b;

    (void)state;
    test_node_open(&a, CC_CHAIN_BITCOIN_REGTEST, NULL);
    test_node_open(&b, CC_CHAIN_BITCOIN_REGTEST, NULL);
    test_node_start(&a);
    test_node_start(&b);
    test_node_mine(&a, 1, 1);
    test_node_connect(&a, &b);
    wait_same(&a, &b, "the first block");
    for (int i = 0; i < 20; i++) {
        test_node_mine(i % 2 ? &a : &b, 1, 2);
        wait_same(&a, &b, "an announced block");
    }
    test_node_mine(&a, 30, 3); /* more than one announcement holds */
    wait_same(&a, &b, "thirty blocks at once");
    assert_int_equal(test_node_height(&b), 51);
    test_node_close(&a);
    test_node_close(&b);
}

/* --- Transactions --------------------------------------------------------- */

/* Spend the coinbase of the block at height into OP_TRUE outputs. */
static void make_tx(struct test_node *t, uint32_t height, cc_amount fee,
                    struct cc_tx *out)
{
    /* P2WSH of OP_TRUE would need a witness; a bare 51 is enough here: the
     * pool takes non-standard scripts in these tests. */
    static const uint8_t script[] = {0x51};
    struct cc_block block;
    struct cc_writer w;
    struct cc_error err;

    assert_int_equal(cc_chain_read_block(
                         t->chain, cc_chain_at(t->chain, height), &block, &err),
                     CC_OK);
    cc_writer_init_heap(&w);
    cc_write_u32le(&w, 2);
    cc_write_compact(&w, 1);
    cc_write_bytes(&w, block.tx[0].txid, 32);
    cc_write_u32le(&w, 0);
    cc_write_var(&w, "", 0);
    cc_write_u32le(&w, 0xffffffff);
    cc_write_compact(&w, 3); /* enough bytes to be relayed */
    for (int i = 0; i < 3; i++) {
        cc_write_u64le(&w, (uint64_t)((block.tx[0].vout[0].value - fee) / 3));
        cc_write_var(&w, script, sizeof(script));
    }
    cc_write_u32le(&w, 0);
    assert_int_equal(cc_tx_decode(out, w.data, w.len, true), CC_OK);
    cc_writer_clear(&w);
    cc_block_clear(&block);
}

struct has_tx {
    struct test_node *t;
    const uint8_t *txid;
};

static bool has_tx(void *arg)
{
    struct has_tx *h = arg;

    return cc_mempool_find(h->t->mempool, h->txid) != NULL;
}

static void test_relay_tx(void **state)
{
    struct test_node n[3];
    struct cc_mempool_accept acc;
    struct cc_error err;
    struct cc_tx tx;
    struct has_tx far;

    (void)state;
    for (int i = 0; i < 3; i++) {
        test_node_open(&n[i], CC_CHAIN_BITCOIN_REGTEST, "noban@127.0.0.1");
        test_node_start(&n[i]);
    }
    test_node_mine(&n[0], 101, 1);
    test_node_connect(&n[0], &n[1]);
    test_node_connect(&n[1], &n[2]);
    wait_same(&n[0], &n[2], "blocks");
    make_tx(&n[0], 1, 10000, &tx);
    cc_error_init(&err);
    if (cc_mempool_add(n[0].mempool, &tx, false, &acc, &err) != CC_OK)
        fail_msg("pool: %s", err.text);
    cc_net_broadcast(n[0].net, tx.txid);
    far.t = &n[2];
    far.txid = tx.txid;
    cc_test_until(has_tx, &far, "a transaction at the far end");
    cc_tx_clear(&tx);
    for (int i = 0; i < 3; i++)
        test_node_close(&n[i]);
}

/* An identity, from an output of money that anybody may spend. */
static void make_identity(struct test_node *t, const struct cc_tx *money,
                          struct cc_tx *out)
{
    static const uint8_t secret[32] = {[31] = 1}, aux[32], script[] = {0x51};
    const struct cc_params *params = cc_chain_params(t->chain);
    struct cc_typed typed = {.kind = CC_KIND_IDENTITY, .forming = true};
    struct cc_outpoint o = {.index = 0};
    struct cc_ec *ec = cc_ec_new();
    cc_amount bond = params->storage.bond_min;
    uint8_t msg[32], sig[64];
    struct cc_writer w, s;

    memcpy(o.txid, money->txid, 32);
    assert_true(cc_ec_xonly(ec, typed.u.identity.key, secret));
    cc_typed_form_message(msg, &typed, &o, 0, bond, params);
    assert_true(cc_schnorr_sign(ec, sig, secret, msg, 32, aux));
    cc_ec_free(ec);
    typed.sigs = cc_bytes(sig, sizeof(sig));
    cc_writer_init_heap(&s);
    cc_typed_write(&s, &typed);
    cc_writer_init_heap(&w);
    cc_write_u32le(&w, 2);
    cc_write_compact(&w, 1);
    cc_write_bytes(&w, o.txid, 32);
    cc_write_u32le(&w, o.index);
    cc_write_var(&w, "", 0);
    cc_write_u32le(&w, 0xffffffff);
    cc_write_compact(&w, 2);
    cc_write_u64le(&w, (uint64_t)bond);
    cc_write_var(&w, s.data, s.len);
    cc_write_u64le(&w, (uint64_t)(money->vout[0].value - bond - 10000));
    cc_write_var(&w, script, sizeof(script));
    cc_write_u32le(&w, 0);
    assert_int_equal(cc_tx_decode(out, w.data, w.len, true), CC_OK);
    cc_writer_clear(&w);
    cc_writer_clear(&s);
}

static void add_to_pool(struct test_node *t, const struct cc_tx *tx)
{
    struct cc_mempool_accept acc;
    struct cc_error err;

    cc_error_init(&err);
    if (cc_mempool_add(t->mempool, tx, false, &acc, &err) != CC_OK)
        fail_msg("pool: %s", err.text);
    cc_net_broadcast(t->net, tx->txid);
}

/* All clocks stand still, so that after at most one more the moment to tell of
 * transactions never comes: those of storage do not wait for it, and take along
 * what they spend. Nobody waits for a peer to ask rather: the second node has
 * chosen none, the others chose who tells them. */
static void test_storage_at_once(void **state)
{
    struct test_node n[4];
    struct cc_tx money[4], identity[3];
    struct has_tx far = {&n[3], NULL};
    int64_t now = cc_clock_now(NULL);

    (void)state;
    for (int i = 0; i < 4; i++) {
        test_node_open(&n[i], CC_CHAIN_REGTEST, NULL);
        test_node_start(&n[i]);
    }
    test_node_mine(&n[0], 110, 1);
    test_node_connect(&n[0], &n[1]);
    test_node_connect(&n[2], &n[1]);
    test_node_connect(&n[3], &n[2]);
    wait_same(&n[0], &n[3], "blocks");
    for (uint32_t i = 0; i < 4; i++)
        make_tx(&n[0], i + 1, 10000, &money[i]);
    for (int i = 0; i < 2; i++)
        add_to_pool(&n[0], &money[i]);
    test_node_mine(&n[0], 1, 1);
    wait_same(&n[0], &n[3], "money");
    for (int i = 0; i < 4; i++)
        cc_clock_set_mock(&n[i].clock, now + 60);
    for (int i = 0; i < 3; i++) {
        make_identity(&n[0], &money[i], &identity[i]);
        if (i == 1)
            add_to_pool(&n[0], &money[3]); /* of nobody's concern */
        if (i == 2)
            add_to_pool(&n[0], &money[2]); /* spent unconfirmed */
        add_to_pool(&n[0], &identity[i]);
        far.txid = identity[i].txid;
        cc_test_until(has_tx, &far, "an identity at the far end");
    }
    for (int i = 1; i < 4; i++) {
        assert_non_null(cc_mempool_find(n[i].mempool, money[2].txid));
        assert_null(cc_mempool_find(n[i].mempool, money[3].txid));
    }
    for (int i = 0; i < 4; i++) {
        cc_tx_clear(&money[i]);
        if (i < 3)
            cc_tx_clear(&identity[i]);
        test_node_close(&n[i]);
    }
}

/* Once a peer has given a block, it announces by compact blocks, and a block
 * of transactions that are known travels without them. */
static void test_compact_blocks(void **state)
{
    struct test_node a, b;
    struct cc_peer_info p;
    struct cc_mempool_accept acc;
    struct cc_error err;
    struct cc_tx tx[2];
    struct has_tx far = {&b, tx[0].txid};

    (void)state;
    test_node_open(&a, CC_CHAIN_BITCOIN_REGTEST, "noban@127.0.0.1");
    test_node_open(&b, CC_CHAIN_BITCOIN_REGTEST, "noban@127.0.0.1");
    test_node_start(&a);
    test_node_start(&b);
    test_node_mine(&a, 102, 1);
    test_node_connect(&a, &b);
    wait_same(&a, &b, "blocks");
    test_node_mine(&a, 1, 1);
    wait_same(&a, &b, "one more");
    do {
        p = only_peer(&a);
    } while (!p.bip152_from);
    assert_true(only_peer(&b).bip152_to);
    for (uint32_t i = 0; i < 2; i++) {
        make_tx(&a, i + 1, 10000, &tx[i]);
        assert_int_equal(cc_mempool_add(a.mempool, &tx[i], false, &acc, &err),
                         CC_OK);
    }
    cc_net_broadcast(a.net, tx[0].txid); /* the other one is missing at b */
    cc_test_until(has_tx, &far, "one transaction");
    test_node_mine(&a, 1, 1);
    wait_same(&a, &b, "a compact block");
    p = only_peer(&b);
    assert_true(p.recv_per_msg[CC_MSG_CMPCTBLOCK] > 0);
    assert_true(p.sent_per_msg[CC_MSG_GETBLOCKTXN] > 0);
    assert_true(p.recv_per_msg[CC_MSG_BLOCKTXN] > 0);
    for (int i = 0; i < 2; i++)
        cc_tx_clear(&tx[i]);
    test_node_close(&a);
    test_node_close(&b);
}

/* --- Connections ---------------------------------------------------------- */

static void test_added_node_returns(void **state)
{
    struct test_node a, b;
    struct cc_added_node *added;
    struct cc_error err;
    char node[32], short_form[32];

    (void)state;
    test_node_open(&a, CC_CHAIN_REGTEST, NULL);
    test_node_open(&b, CC_CHAIN_REGTEST, NULL);
    test_node_start(&a);
    test_node_start(&b);
    snprintf(node, sizeof(node), "127.0.0.1:%u", cc_net_port(b.net));
    assert_int_equal(cc_net_add_node(a.net, node, &err), CC_OK);
    assert_int_equal(cc_net_add_node(a.net, node, &err), CC_LIMIT);
    assert_string_equal(err.text, "Error: Node already added");
    snprintf(short_form, sizeof(short_form), "127.1:%u", cc_net_port(b.net));
    assert_int_equal(cc_net_add_node(a.net, short_form, &err), CC_LIMIT);
    wait_peers(&a, 1);
    assert_int_equal(cc_net_added_nodes(a.net, &added), 1);
    assert_true(added[0].connected && !added[0].inbound);
    free(added);
    cc_net_set_active(b.net, false); /* it goes and refuses */
    wait_peers(&a, 0);
    cc_net_set_active(b.net, true);
    wait_peers(&a, 1); /* it is tried again */
    assert_int_equal(cc_net_remove_node(a.net, node, &err), CC_OK);
    assert_int_equal(cc_net_remove_node(a.net, node, &err), CC_NOTFOUND);
    test_node_close(&a);
    test_node_close(&b);
}

static void test_self_connection(void **state)
{
    struct test_node a;
    struct cc_net_totals t;
    char node[32];

    (void)state;
    test_node_open(&a, CC_CHAIN_REGTEST, NULL);
    test_node_start(&a);
    snprintf(node, sizeof(node), "127.0.0.1:%u", cc_net_port(a.net));
    cc_net_try_node(a.net, node);
    do {
        t = cc_net_totals(a.net);
    } while (t.received < 24 + 85); /* its own version came in */
    wait_peers(&a, 0);
    test_node_close(&a);
}

static bool chain_failed(void *arg)
{
    struct test_node *t = arg;

    return cc_chain_failed(t->chain, NULL);
}

/* A full disk of ours is nobody's fault. */
static void test_disk_full(void **state)
{
    struct test_node a, b;
    int64_t id;

    (void)state;
    test_node_open(&a, CC_CHAIN_REGTEST, NULL);
    test_node_open(&b, CC_CHAIN_REGTEST, NULL);
    test_node_start(&a);
    test_node_start(&b);
    test_node_mine(&a, 1, 1);
    test_node_connect(&b, &a);
    wait_same(&a, &b, "the first block");
    id = only_peer(&b).id;
    atomic_store(&b.disk_fails, true);
    test_node_mine(&a, 3, 1);
    cc_test_until(chain_failed, &b, "b cannot write");
    /* Its peer is there still, and answers. */
    cc_net_ping(b.net);
    while (only_peer(&b).ping_wait_us >= 0)
        ;
    assert_int_equal(only_peer(&b).id, id);
    assert_int_equal(test_node_height(&b), 1);
    test_node_close(&a);
    test_node_close(&b);
}

/* Where storage is active, peers tell each other so; elsewhere nobody hears of
 * it. */
static void storage_signal(enum cc_chain_id chain, bool active)
{
    struct test_node a, b;
    struct cc_peer_info p;

    test_node_open(&a, chain, NULL);
    test_node_open(&b, chain, NULL);
    test_node_start(&a);
    test_node_start(&b);
    test_node_connect(&a, &b);
    p = only_peer(&a);
    assert_int_equal((p.services & CC_SERVICE_STORAGE) != 0, active);
    assert_int_equal(p.recv_per_msg[CC_MSG_SENDSTORAGE], active ? 28 : 0);
    assert_int_equal(p.sent_per_msg[CC_MSG_SENDSTORAGE], active ? 28 : 0);
    test_node_close(&a);
    test_node_close(&b);
}

static void test_storage_signal(void **state)
{
    (void)state;
    storage_signal(CC_CHAIN_REGTEST, true);
    storage_signal(CC_CHAIN_BITCOIN_REGTEST, false);
}

/* Calls keep their meaning when the net has stopped. */
static void test_after_stop(void **state)
{
    struct cc_peer_info *p;
    struct test_node a;

    (void)state;
    test_node_open(&a, CC_CHAIN_REGTEST, NULL);
    test_node_start(&a);
    cc_net_stop(a.net);
    assert_int_equal(cc_net_peers(a.net, &p), 0);
    free(p);
    assert_false(cc_net_disconnect_id(a.net, 0));
    test_node_mine(&a, 1, 1); /* the chain may still tell */
    test_node_close(&a);
}

static void test_ban(void **state)
{
    struct test_node a, b;
    struct cc_ban *bans;
    struct cc_error err;

    (void)state;
    test_node_open(&a, CC_CHAIN_REGTEST, NULL);
    test_node_open(&b, CC_CHAIN_REGTEST, NULL);
    test_node_start(&a);
    test_node_start(&b);
    test_node_connect(&b, &a);
    assert_int_equal(cc_net_ban(a.net, "127.0.0.1", INT64_C(1) << 40, &err),
                     CC_OK);
    wait_peers(&a, 0);
    wait_peers(&b, 0);
    assert_int_equal(cc_net_ban(a.net, "127.0.0.1", INT64_C(1) << 40, &err),
                     CC_LIMIT);
    assert_int_equal(cc_net_ban(a.net, "127.0.0.1/33", 0, &err), CC_INVALID);
    assert_int_equal(cc_net_bans(a.net, &bans), 1);
    assert_string_equal(bans[0].subnet, "127.0.0.1/32");
    free(bans);
    assert_int_equal(cc_net_unban(a.net, "127.0.0.2", &err), CC_NOTFOUND);
    cc_net_clear_bans(a.net);
    test_node_connect(&b, &a);
    test_node_close(&a);
    test_node_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_announce),
        cmocka_unit_test(test_sync_regtest),
        cmocka_unit_test(test_sync_bitcoin_regtest),
        cmocka_unit_test(test_relay_tx),
        cmocka_unit_test(test_storage_at_once),
        cmocka_unit_test(test_compact_blocks),
        cmocka_unit_test(test_added_node_returns),
        cmocka_unit_test(test_self_connection),
        cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_storage_signal),
        cmocka_unit_test(test_after_stop),
        cmocka_unit_test(test_ban),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
