/*
 * The host's seal against a chain that is played (fake_node.h): formed, made,
 * drawn and claimed; and kept whatever the chain does, as long as its coin may
 * live.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/ec.h"
#include "crypto/mtree.h"
#include "storage/host.h"
#include "storage/host_i.h"
#include "storage/test/fake_node.h"
#include "storage/test/host_world.h"
#include "support.h"
#include "util/fs.h"
#include "util/mem.h"
#include "util/writer.h"

static bool is_sealed(void *arg)
{
    struct world *w = arg;
    json_t *j = cc_host_seal_json(w->host);
    bool sealed =
        !strcmp(json_string_value(json_object_get(j, "state")), "sealed");

    json_decref(j);
    return sealed;
}

static void wait_sealed(struct world *w)
{
    cc_test_until(is_sealed, w, "sealed");
}

/* Formed with the customer's data, sealed, drawn, claimed; after a restart
 * too. */
static void test_seal(void **state)
{
    struct world *w = *state;
    cc_amount before;
    struct cc_typed t;
    unsigned blocks = 0;

    close_host(w);
    w->config.seal_sectors = 1;
    w->config.seal_threads = 2;
    w->config.seal_wait = 1000;
    open_host(w);
    tick(w);
    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    mine(w, 5);
    assert_non_null(fake_find(&w->node, CC_KIND_SEAL, NULL, &t));
    assert_memory_equal(t.u.seal.root, w->roots, 32);
    before = fake_balance(&w->node, w->node.key);
    while (w->node.tip <= t.u.seal.seal_height)
        mine(w, 1);
    wait_sealed(w);
    for (; blocks < 60; blocks++) {
        mine(w, 1);
        assert_non_null(fake_find(&w->node, CC_KIND_SEAL, NULL, &t));
        if (t.u.seal.mark_height)
            break;
        if (blocks == 1) {
            close_host(w);
            open_host(w);
            tick(w);
        }
    }
    assert_true(t.u.seal.mark_height > 0);
    assert_true(fake_balance(&w->node, w->node.key) > before);
    assert_int_equal(w->node.refused, 0);
}

/* Its data gone: the seal is retired and the bond comes home. */
static void test_seal_lost(void **state)
{
    struct world *w = *state;
    struct cc_typed t;
    char path[128];

    close_host(w);
    w->config.seal_sectors = 1;
    w->config.seal_wait = 0;
    open_host(w);
    tick(w);
    mine(w, 2);
    assert_non_null(fake_find(&w->node, CC_KIND_SEAL, NULL, &t));
    close_host(w);
    snprintf(path, sizeof(path), "%s/seal", w->directory);
    assert_int_equal(cc_fs_remove_tree(path, NULL), CC_OK);
    w->config.seal_sectors = 0;
    open_host(w);
    tick(w);
    mine(w, 1);
    assert_null(fake_find(&w->node, CC_KIND_SEAL, NULL, &t));
}

/* --- Kept while its coin may live ---------------------------------------- */

static void with_seals(struct world *w)
{
    close_host(w);
    w->config.seal_sectors = 1;
    w->config.seal_threads = 2;
    w->config.seal_wait = 0;
    /* So hard that nothing wins, or each claim would move the coin. */
    memset(&w->node.states[w->node.tip].ticket, 0, sizeof(struct cc_u256));
    open_host(w);
    tick(w);
}

static void restart(struct world *w)
{
    close_host(w);
    open_host(w);
    tick(w);
}

/* What hostseal says. */
static void check_state(struct world *w, const char *state, int sealed)
{
    json_t *j = cc_host_seal_json(w->host);

    assert_string_equal(cc_test_string(j, "state"), state);
    if (sealed >= 0)
        assert_int_equal(cc_test_int(j, "sealed"), sealed);
    json_decref(j);
}

/* The place of its coin in the node's list. */
static size_t seal_coin(struct world *w, struct cc_seal *seal)
{
    struct cc_typed t;
    const struct fake_coin *c = fake_find(&w->node, CC_KIND_SEAL, NULL, &t);

    assert_non_null(c);
    *seal = t.u.seal;
    return (size_t)(c - w->node.coins);
}

/* A seal that is mined and made. */
static size_t sealed(struct world *w, struct cc_seal *seal)
{
    with_seals(w);
    mine(w, 2);
    seal_coin(w, seal);
    while (w->node.tip <= seal->seal_height)
        mine(w, 1);
    wait_sealed(w);
    tick(w);
    return seal_coin(w, seal);
}

/* Reorganised out and mined again: a while in the pool is not the end. */
static void test_seal_mined_again(void **state)
{
    struct world *w = *state;
    struct cc_seal seal;
    const size_t coin = sealed(w, &seal);
    size_t sent = w->node.sent;

    for (unsigned away = 1; away < CC_HOST_DEPTH; away++) {
        w->node.coins[coin].spent = true;
        mine(w, away);
        w->node.coins[coin].spent = false;
        for (unsigned i = 0; i < 2 * CC_HOST_DEPTH; i++) {
            mine(w, 1);
            check_state(w, "sealed", 1);
        }
    }
    assert_int_equal(w->node.sent, sent);
    /* Away for good: the data makes room, and another seal is formed. */
    w->node.coins[coin].spent = true;
    mine(w, CC_HOST_DEPTH + 1);
    check_state(w, "none", -1);
    mine(w, 1);
    assert_int_equal(w->node.sent, sent + 1);
    check_state(w, "forming", 0);
}

/* A node that reads its blocks anew shows a chain without the coin for long;
 * with the host started meanwhile, too. */
static void test_seal_chain_is_read_again(void **state)
{
    struct world *w = *state;
    struct cc_seal seal;
    const size_t coin = sealed(w, &seal);
    const uint32_t tip = w->node.tip;
    const uint32_t born = w->node.coins[coin].coin.height;
    size_t sent = w->node.sent;

    for (unsigned started = 0; started < 2; started++) {
        w->node.coins[coin].spent = true;
        w->node.tip = 10;
        if (started)
            restart(w);
        for (; w->node.tip < born; w->node.tip++)
            tick(w);
        w->node.coins[coin].spent = false;
        for (; w->node.tip < tip; w->node.tip++)
            tick(w);
        tick(w);
        check_state(w, "sealed", 1);
        assert_true(fake_find(&w->node, CC_KIND_SEAL, NULL,
                              &(struct cc_typed){0}) == &w->node.coins[coin]);
        assert_int_equal(w->node.sent, sent);
    }
}

/* Sent and lost: formed again when it can no longer be mined, not before. */
static void test_seal_never_mined(void **state)
{
    struct world *w = *state;
    size_t sent = w->node.sent;
    uint32_t first = w->node.tip;

    w->config.retry = 1000; /* nothing is told again */
    with_seals(w);
    assert_int_equal(w->node.sent, sent + 1);
    while (w->node.sent == sent + 1) {
        if (w->node.pool_count)
            cc_tx_clear(&w->node.pool[--w->node.pool_count]);
        for (size_t i = 0; i < w->host->sent_count; i++)
            free(w->host->sent[i].hex);
        w->host->sent_count = 0;
        if (w->node.tip == first + 4)
            restart(w);
        mine(w, 1);
        assert_true(w->node.tip < first + 50);
    }
    /* 9 blocks that might have had it, and as many as a chain goes back. */
    assert_true(w->node.tip >= first + 9 + CC_HOST_DEPTH);
    mine(w, 1);
    assert_non_null(
        fake_find(&w->node, CC_KIND_SEAL, NULL, &(struct cc_typed){0}));
}

/* The block that made the key goes away: if it comes back, so does all that
 * was sealed; if not, everything is sealed anew. */
static void test_seal_other_key(void **state)
{
    struct world *w = *state;
    struct cc_seal seal;
    uint8_t kept[32];

    sealed(w, &seal);
    memcpy(kept, w->node.hashes[seal.seal_height], 32);
    for (unsigned i = 0; i < CC_HOST_DEPTH; i++) {
        w->node.hashes[seal.seal_height][5] ^= i == 0;
        cc_map_reset(&w->host->hashes);
        mine(w, 1);
        check_state(w, "sealed", 1);
    }
    memcpy(w->node.hashes[seal.seal_height], kept, 32);
    cc_map_reset(&w->host->hashes);
    mine(w, 1);
    restart(w);
    check_state(w, "sealed", 1);
    w->node.hashes[seal.seal_height][5] ^= 1;
    cc_map_reset(&w->host->hashes);
    for (unsigned i = 0; i < CC_HOST_DEPTH; i++) {
        mine(w, 1);
        check_state(w, "sealed", 1);
    }
    mine(w, 1);
    check_state(w, "sealing", 0);
    wait_sealed(w);
}

/* Files that cannot be read now are not files that are gone: neither they nor
 * the coin are touched. */
static void test_seal_unreadable(void **state)
{
    struct world *w = *state;
    struct cc_seal seal;
    char path[128], aside[128];
    size_t sent;

    sealed(w, &seal);
    sent = w->node.sent;
    close_host(w);
    snprintf(path, sizeof(path), "%s/seal/meta", w->directory);
    snprintf(aside, sizeof(aside), "%s/aside", w->directory);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(symlink("meta", path), 0); /* ELOOP */
    open_host(w);
    for (unsigned i = 0; i < 3 * CC_HOST_DEPTH; i++) {
        mine(w, 1);
    }
    check_state(w, "unreadable", -1);
    assert_int_equal(w->node.sent, sent);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(aside, path), 0);
    restart(w);
    check_state(w, "sealed", 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_seal),
        TEST(test_seal_lost),
        TEST(test_seal_mined_again),
        TEST(test_seal_chain_is_read_again),
        TEST(test_seal_never_mined),
        TEST(test_seal_other_key),
        TEST(test_seal_unreadable),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
