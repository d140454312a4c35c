/*
 * The host's engine against a node that is played here (fake_node.h) and
 * renters, honest and not. No thread, no socket: cc_host_tick is called for
 * each block, cc_host_serve for each request.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "crypto/mtree.h"
#include "storage/host.h"
#include "storage/host_i.h"
#include "storage/test/fake_node.h"
#include "storage/test/host_world.h"
#include "support.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/writer.h"

/* --- Lives ---------------------------------------------------------------- */

static void test_a_contract_lives(void **state)
{
    struct world *w = *state;
    cc_amount before = fake_balance(&w->node, w->node.key);
    cc_amount rent, after;
    struct cc_typed t;
    uint32_t end;

    form(w);
    assert_int_equal(w->node.pool_count, 1);
    mine(w, 1);
    rent = (cc_amount)w->terms.rent;
    assert_int_equal(coin(w).sectors, 0);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    for (unsigned n = 1; n <= 3; n++)
        store(w, n);
    assert_reply(read_leaves(w, 1, 5, 9), CC_MSG_READ_REPLY);
    check_read(w, 2, 1, 5, 9);
    assert_reply(read_leaves(w, 2, 0, 4096), CC_MSG_READ_REPLY);
    check_read(w, 3, 2, 0, 4096);
    assert_refused(read_leaves(w, 3, 0, 1), CC_REFUSE_UNKNOWN);
    assert_refused(read_leaves(w, UINT32_MAX, 0, 1), CC_REFUSE_UNKNOWN);
    /* The root goes to the chain by itself, before the first challenge. */
    mine(w, 4);
    assert_int_equal(coin(w).sectors, 3);
    assert_int_equal(coin(w).revision, w->revision);
    /* Each period is called (odds 1) and proved at once. */
    for (unsigned i = 1; i < w->terms.periods; i++) {
        end = w->terms.start + i * w->terms.period;
        while (w->node.tip < end + 2)
            mine(w, 1);
        assert_int_equal(coin(w).done, i);
    }
    assert_int_equal(coin(w).redeemed, 500000);
    while (w->node.tip <
           w->terms.start + (uint32_t)w->terms.periods * w->terms.period + 4)
        mine(w, 1);
    /* Done: ended, everything paid out. */
    assert_null(fake_find(&w->node, CC_KIND_CONTRACT, w->id, &t));
    assert_int_equal(w->node.refused, 0);
    after = fake_balance(&w->node, w->node.key);
    assert_true(after > before + w->terms.periods * rent + 500000 - 20000);
    assert_true(after < before + w->terms.periods * rent + 500000 + 20000);
    /* Its data goes when the end is deep enough. */
    assert_int_equal(cc_volume_counts(w->host->volume).used, 3);
    mine(w, CC_HOST_DEPTH + 1);
    assert_int_equal(cc_volume_counts(w->host->volume).used, 0);
    assert_int_equal(w->host->contract_count, 0);
}

/* Killed and started again at every step: nothing acknowledged is lost. */
static void test_restarts(void **state)
{
    struct world *w = *state;

#define RESTART()                                                              \
    do {                                                                       \
        close_host(w);                                                         \
        open_host(w);                                                          \
        tick(w);                                                               \
    } while (0)
    form(w);
    RESTART();
    mine(w, 1);
    RESTART();
    assert_reply(vouch(w, 400000, w->secret), CC_MSG_VOUCHER_REPLY);
    RESTART();
    assert_reply(write_sector(w, 1), CC_MSG_WRITE_REPLY);
    RESTART(); /* the sector waits for its revision all the same */
    store(w, 1);
    RESTART();
    store(w, 2);
    RESTART();
    w->m->type = CC_MSG_LATEST;
    memcpy(w->m->u.latest.contract, w->id, 32);
    assert_reply(ask(w), CC_MSG_LATEST_REPLY);
    assert_int_equal(w->reply->u.latest_reply.revision, w->revision);
    assert_int_equal(w->reply->u.latest_reply.sectors, 2);
    assert_int_equal(w->reply->u.latest_reply.voucher, 400000);
    for (unsigned i = 0; i < 20; i++) {
        mine(w, 1);
        RESTART();
    }
    assert_int_equal(coin(w).done, 1);
    assert_reply(read_leaves(w, 0, 0, 1), CC_MSG_READ_REPLY);
    check_read(w, 1, 0, 0, 1);
}

/* A node that reads its blocks anew shows a short chain without the contract:
 * that is no reason to let go of its data. */
static void test_chain_is_read_again(void **state)
{
    struct world *w = *state;
    struct cc_typed t;
    struct fake_coin *c;
    uint32_t tip;

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    mine(w, 4);
    tip = w->node.tip;
    c = (struct fake_coin *)(uintptr_t)fake_find(&w->node, CC_KIND_CONTRACT,
                                                 w->id, &t);
    assert_non_null(c);
    c->spent = true;
    for (w->node.tip = 10; w->node.tip < 10 + 2 * CC_HOST_DEPTH; w->node.tip++)
        tick(w);
    for (w->node.tip = tip - 3; w->node.tip < tip; w->node.tip++)
        tick(w);
    c->spent = false;
    tick(w);
    assert_int_equal(w->host->contract_count, 1);
    assert_int_equal(cc_volume_counts(w->host->volume).used, 1);
    assert_reply(read_leaves(w, 0, 0, 1), CC_MSG_READ_REPLY);
    check_read(w, 1, 0, 0, 1);
}

/* A sector that was trimmed away stays until a root without it is deep enough
 * that no reorganisation brings the old one back: the renter could ask for
 * it, the chain could call for it. */
static void test_deletion_waits(void **state)
{
    struct world *w = *state;
    struct cc_change c;
    uint32_t height;

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    mine(w, 4);
    assert_int_equal(coin(w).revision, 2);
    mine(w, CC_HOST_DEPTH + 1);
    memset(&c, 0, sizeof(c));
    c.kind = CC_CHANGE_TRIM;
    c.a = 1;
    assert_reply(revise(w, 3, w->roots, 1, &c, 1, w->secret),
                 CC_MSG_REVISE_REPLY);
    mine(w, 1);
    assert_int_equal(cc_volume_counts(w->host->volume).used, 2);
    while (coin(w).revision != 3)
        mine(w, 1);
    for (height = w->node.tip; w->node.tip < height + CC_HOST_DEPTH - 1;) {
        assert_int_equal(cc_volume_counts(w->host->volume).used, 2);
        mine(w, 1);
    }
    mine(w, 2);
    assert_int_equal(cc_volume_counts(w->host->volume).used, 1);
}

/* The node forgets what it was sent: it is sent again, dearer, in time. */
static void test_proof_is_repeated(void **state)
{
    struct world *w = *state;
    size_t sent;

    form(w);
    mine(w, 1);
    while (w->node.tip < w->terms.start + w->terms.period)
        mine(w, 1);
    sent = w->node.sent;
    assert_int_equal(w->node.pool_count, 1); /* the proof */
    for (unsigned i = 0; i < w->config.retry + 1; i++) {
        cc_tx_clear(&w->node.pool[0]);
        w->node.pool_count = 0;
        mine(w, 1);
        if (w->node.sent > sent)
            break;
    }
    assert_int_equal(w->node.sent, sent + 1);
    mine(w, 1);
    assert_int_equal(coin(w).done, 1);
}

/* Lines of the log with this in them. */
static unsigned count_lines(const char *path, const char *word)
{
    unsigned n = 0;
    char line[1000];
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    while (fgets(line, sizeof(line), f))
        n += strstr(line, word) != NULL;
    fclose(f);
    return n;
}

static unsigned count_events(const struct world *w, const char *kind)
{
    unsigned n = 0;

    for (uint64_t i = 0; i < w->host->event_count; i++)
        n += !strcmp(w->host->events[i].kind, kind);
    return n;
}

/* The network forgets the only transaction that waits: what did it pay? */
static cc_amount lose_transaction(struct world *w)
{
    struct cc_tx *tx = &w->node.pool[0];
    cc_amount fee = 0;

    assert_int_equal(w->node.pool_count, 1);
    for (size_t i = 0; i < w->node.coin_count; i++)
        for (size_t k = 0; k < tx->vin_count; k++)
            if (cc_outpoint_equal(&w->node.coins[i].place, &tx->vin[k].prevout))
                fee += w->node.coins[i].coin.out.value;
    for (size_t i = 0; i < tx->vout_count; i++)
        fee -= tx->vout[i].value;
    cc_tx_clear(tx);
    w->node.pool_count = 0;
    for (size_t i = 0; i < w->host->sent_count; i++)
        free(w->host->sent[i].hex);
    w->host->sent_count = 0;
    return fee;
}

/* What is never mined is made anew, dearer each time, up to half of what it
 * brings; and told of less and less. */
static void test_fees_rise(void **state)
{
    struct world *w = *state;
    struct cc_log_options o = {.console = false};
    cc_amount fee, last = 0, most;
    char path[128];

    snprintf(path, sizeof(path), "%s/log", w->directory);
    o.path = path;
    assert_int_equal(cc_log_open(&w->host->config.log, &o, NULL), CC_OK);
    w->host->config.retry = 1;
    form(w);
    mine(w, 1);
    while (coin(w).done < w->terms.periods)
        mine(w, 1);
    /* Deposit and all penalties come back; the allowance is the renter's. */
    most = w->node.params.storage.deposit +
           (cc_amount)(w->terms.penalty * w->terms.periods);
    most /= 2;
    lose_transaction(w);
    /* Refused for its fee, in each round of a block: dearer with the block. */
    w->node.broken = "sendrawtransaction";
    w->node.why = "insufficient fee";
    for (unsigned i = 0; i < 2; i++) {
        fake_mine(&w->node, 1);
        for (unsigned k = 0; k < 50; k++)
            tick(w);
    }
    assert_int_equal(count_lines(path, "END failed"), 7); /* 1, 2, 4 ... 64 */
    assert_int_equal(w->host->contracts[0]->attempts, 3);
    w->node.why = "txn-mempool-conflict: feed0fee12";
    fake_mine(&w->node, 1);
    tick(w);
    assert_int_equal(w->host->contracts[0]->attempts, 3);
    w->node.broken = w->node.why = NULL;
    for (unsigned i = 0; i < 64; i++) {
        mine(w, 1);
        fee = lose_transaction(w);
        assert_true(fee > last || (fee == last && fee == most));
        assert_true(fee <= most);
        last = fee;
    }
    assert_int_equal(last, most);
    assert_true(count_events(w, "end") <= 8);
    cc_log_close(w->host->config.log);
    w->host->config.log = NULL;
    assert_int_equal(unlink(path), 0);
}

/* --- Faults of our own ---------------------------------------------------- */

/* A flipped bit on disk is found on reading and never served. */
static void test_damage(void **state)
{
    struct world *w = *state;
    char path[128];
    FILE *f;

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    snprintf(path, sizeof(path), "%s/volume/sectors", w->directory);
    f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, 77 * CC_LEAF_SIZE, SEEK_SET), 0);
    assert_int_equal(fputc(0x55, f), 0x55);
    fclose(f);
    close_host(w);
    open_host(w);
    tick(w);
    assert_refused(read_leaves(w, 0, 0, 1), CC_REFUSE_INTERNAL);
    assert_refused(read_leaves(w, 0, 77, 78), CC_REFUSE_INTERNAL);
    assert_reply(read_leaves(w, 1, 0, 1), CC_MSG_READ_REPLY);
    w->m->type = CC_MSG_HEALTH;
    memcpy(w->m->u.health.contract, w->id, 32);
    assert_reply(ask(w), CC_MSG_HEALTH_REPLY);
    assert_int_equal(w->reply->u.health_reply.bad_sectors, 1);
    /* Written again, it is whole again. */
    assert_reply(write_sector(w, 1), CC_MSG_WRITE_REPLY);
    assert_reply(read_leaves(w, 0, 77, 78), CC_MSG_READ_REPLY);
    check_read(w, 1, 0, 77, 78);
}

/* The folder of the contracts' files is there, or not. */
static void let_save(const struct world *w, bool can)
{
    char path[128], aside[128];

    snprintf(path, sizeof(path), "%s/contracts", w->directory);
    snprintf(aside, sizeof(aside), "%s/aside", w->directory);
    assert_int_equal(can ? rename(aside, path) : rename(path, aside), 0);
}

static const struct cc_message *latest(struct world *w)
{
    w->m->type = CC_MSG_LATEST;
    memcpy(w->m->u.latest.contract, w->id, 32);
    return ask(w);
}

/* A revision that was signed and could not be written down is told to nobody,
 * nor sent to the chain: after a crash its number may be signed again, for
 * other data. */
static void test_unsaved_revision(void **state)
{
    struct world *w = *state;
    struct cc_change swap = {.kind = CC_CHANGE_SWAP, .b = 1};
    struct cc_change trim = {.kind = CC_CHANGE_TRIM, .a = 1};
    uint8_t swapped[64], root[32];

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    memcpy(swapped, w->roots + 32, 32);
    memcpy(swapped + 32, w->roots, 32);
    cc_mtree_root(root, swapped, 2);
    let_save(w, false);
    assert_refused(revise(w, 3, root, 2, &swap, 1, w->secret),
                   CC_REFUSE_INTERNAL);
    assert_refused(revise(w, 3, root, 2, &swap, 1, w->secret),
                   CC_REFUSE_INTERNAL); /* repeated */
    assert_refused(latest(w), CC_REFUSE_INTERNAL);
    assert_refused(vouch(w, 600000, w->secret), CC_REFUSE_INTERNAL);
    fake_mine(&w->node, 5);
    tick(w);
    assert_int_equal(w->node.pool_count, 0);
    /* Killed now: the number is free, for whatever the renter asks. */
    close_host(w);
    let_save(w, true);
    open_host(w);
    tick(w);
    assert_reply(latest(w), CC_MSG_LATEST_REPLY);
    assert_int_equal(w->reply->u.latest_reply.revision, 2);
    assert_reply(revise(w, 3, w->roots, 1, &trim, 1, w->secret),
                 CC_MSG_REVISE_REPLY);
    /* Not killed, but mended: it counts, and stays. */
    let_save(w, false);
    memset(root, 0, 32);
    assert_refused(revise(w, 4, root, 0, &trim, 1, w->secret),
                   CC_REFUSE_INTERNAL);
    let_save(w, true);
    assert_reply(latest(w), CC_MSG_LATEST_REPLY);
    assert_int_equal(w->reply->u.latest_reply.revision, 4);
    close_host(w);
    open_host(w);
    tick(w);
    assert_reply(latest(w), CC_MSG_LATEST_REPLY);
    assert_int_equal(w->reply->u.latest_reply.revision, 4);
}

/* --- Killed --------------------------------------------------------------- */

#define KILLS 30

/* What was told about one revision. */
struct told {
    uint32_t number;
    uint8_t root[32], sig[64];
};

/* The two orders of two sectors, in turn or not: each is a revision that
 * follows from any. */
static bool revise_order(struct world *w, uint32_t number, bool turned,
                         bool was_turned)
{
    struct cc_change swap = {.kind = CC_CHANGE_SWAP, .b = 1};
    uint8_t list[64], root[32];

    memcpy(list, w->roots + (turned ? 32 : 0), 32);
    memcpy(list + 32, w->roots + (turned ? 0 : 32), 32);
    cc_mtree_root(root, list, 2);
    revise(w, number, root, 2, &swap, turned != was_turned, w->secret);
    return w->reply->type == CC_MSG_REVISE_REPLY;
}

static bool is_turned(struct world *w, const uint8_t root[32])
{
    uint8_t straight[32];

    cc_mtree_root(straight, w->roots, 2);
    return memcmp(root, straight, 32) != 0;
}

/* A host that signs one revision after the other, until it is killed. */
static void sign_until_killed(struct world *w, struct cc_test_random *random,
                              int out)
{
    struct cc_msg_latest_reply l;
    struct told t;

    open_host(w);
    tick(w);
    latest(w);
    l = w->reply->u.latest_reply;
    for (;;) {
        bool turned = cc_test_random(random) % 2 != 0;

        if (!revise_order(w, l.revision + 1, turned, is_turned(w, l.root)))
            _exit(1);
        l.revision++;
        t.number = l.revision;
        memcpy(t.root, w->m->u.revise.root, 32);
        memcpy(l.root, t.root, 32);
        memcpy(t.sig, w->reply->u.revise_reply.signature, 64);
        if (write(out, &t, sizeof(t)) != sizeof(t))
            _exit(2);
    }
}

/* kill -9 at any instant: what was told is there, and no number is ever signed
 * for two lists. */
static void test_killed_while_signing(void **state)
{
    struct world *w = *state;
    struct cc_test_random random;
    struct told t = {0};
    unsigned total = 0;

    cc_test_random_init(&random, 20261123);
    w->config.lists_max = 1000000;
    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    for (unsigned k = 0; k < KILLS; k++) {
        unsigned wanted = (unsigned)(cc_test_random(&random) % 4), got = 0;
        unsigned us = (unsigned)(cc_test_random(&random) % 5000);
        const struct cc_msg_latest_reply *l = &w->reply->u.latest_reply;
        int pipes[2], status;
        pid_t child;

        close_host(w);
        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (child == 0)
            sign_until_killed(w, &random, pipes[1]);
        close(pipes[1]);
        while (got < wanted && read(pipes[0], &t, sizeof(t)) == sizeof(t))
            got++;
        usleep(us);
        kill(child, SIGKILL);
        while (read(pipes[0], &t, sizeof(t)) == sizeof(t))
            got++;
        close(pipes[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        cc_test_random(&random);
        total += got;
        open_host(w);
        tick(w);
        assert_true(WIFSIGNALED(status));
        assert_reply(latest(w), CC_MSG_LATEST_REPLY);
        if (got) {
            assert_true(l->revision == t.number || l->revision == t.number + 1);
            if (l->revision == t.number) {
                assert_memory_equal(l->root, t.root, 32);
                assert_memory_equal(l->host_signature, t.sig, 64);
            }
            /* The other order under a number that was told. */
            assert_false(revise_order(w, t.number, !is_turned(w, t.root),
                                      is_turned(w, l->root)));
            assert_refused(w->reply, CC_REFUSE_REVISION);
        }
    }
    cc_test_ran("kills of a signing host", KILLS);
    cc_test_ran("revisions told", total);
    assert_true(total > KILLS);
}

/* The only contract's file. */
static void contract_file(const struct world *w, char path[200])
{
    char hex[65];

    cc_hex_encode(hex, w->id, 32);
    snprintf(path, 200, "%s/contracts/%s.dat", w->directory, hex);
}

/* Whatever byte of a contract's file changes, wherever it is cut: the host
 * says which file, starts nothing, and touches nothing else. */
static void test_damaged_contract_file(void **state)
{
    struct world *w = *state;
    struct cc_host_contract *c;
    struct cc_host *none = NULL;
    struct cc_error err;
    char path[200];
    uint8_t *data;
    size_t len;

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    close_host(w);
    contract_file(w, path);
    assert_int_equal(cc_fs_read(path, 100000, &data, &len, NULL), CC_OK);
    for (size_t i = 0; i < 2 * len; i++) {
        if (i < len)
            data[i] ^= (uint8_t)(1 << i % 8);
        cc_error_init(&err);
        assert_int_equal(
            cc_host_contract_decode(&c, data, i < len ? len : i - len, &err),
            CC_CORRUPT);
        assert_true(err.text[0]);
        if (i % 97 == 0) { /* through the whole start, now and then */
            assert_int_equal(
                cc_fs_write(path, data, i < len ? len : i - len, 0600, NULL),
                CC_OK);
            cc_error_init(&err);
            assert_int_equal(cc_host_new(&none, &w->config, &err), CC_CORRUPT);
            assert_non_null(strstr(err.text, path));
            assert_null(none);
        }
        if (i < len)
            data[i] ^= (uint8_t)(1 << i % 8);
    }
    /* With a hash that fits, what it says is looked at. */
    for (size_t i = 0; i < len - 32; i++) {
        struct cc_writer w2;

        data[i] ^= (uint8_t)(1 << i % 8);
        cc_sha256_once(data + len - 32, data, len - 32);
        if (cc_host_contract_decode(&c, data, len, NULL) == CC_OK) {
            cc_writer_init_heap(&w2);
            cc_host_contract_encode(&w2, c);
            assert_int_equal(w2.len, len);
            assert_memory_equal(w2.data, data, len);
            cc_writer_clear(&w2);
            cc_host_contract_free(c);
        }
        data[i] ^= (uint8_t)(1 << i % 8);
    }
    cc_sha256_once(data + len - 32, data, len - 32);
    assert_int_equal(cc_fs_write(path, data, len, 0600, NULL), CC_OK);
    free(data);
    open_host(w);
    tick(w);
    assert_reply(read_leaves(w, 1, 0, 1), CC_MSG_READ_REPLY);
    check_read(w, 2, 1, 0, 1);
}

static void test_node_away(void **state)
{
    struct world *w = *state;
    struct cc_error err;

    form(w);
    mine(w, 1);
    w->node.down = true;
    assert_int_equal(cc_host_tick(w->host, &err), CC_IO);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1); /* customers do not notice */
    w->node.down = false;
    mine(w, 20);
    assert_int_equal(coin(w).done, 1);
}

static void test_full_volume(void **state)
{
    struct world *w = *state;

    close_host(w);
    w->config.sectors = 8;
    open_host(w);
    tick(w);
    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 900000, w->secret), CC_MSG_VOUCHER_REPLY);
    for (unsigned n = 1; n <= 8; n++)
        assert_reply(write_sector(w, n), CC_MSG_WRITE_REPLY);
    assert_refused(write_sector(w, 9), CC_REFUSE_FULL);
    assert_reply(write_sector(w, 3), CC_MSG_WRITE_REPLY); /* is there */
    assert_false(settings(w).accepting);
}

/* Sectors do not take the last of the disk: what is stored can be paid for and
 * read, and revised away. */
static void test_full_disk(void **state)
{
    struct world *w = *state;
    struct cc_change c = {.kind = CC_CHANGE_TRIM, .a = 1};

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 500000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    cc_volume_set_reserve(w->host->volume, UINT64_MAX / 2);
    assert_refused(write_sector(w, 3), CC_REFUSE_FULL);
    assert_int_equal(cc_volume_counts(w->host->volume).used, 2);
    assert_reply(vouch(w, 600000, w->secret), CC_MSG_VOUCHER_REPLY);
    assert_reply(read_leaves(w, 1, 0, 1), CC_MSG_READ_REPLY);
    assert_reply(revise(w, 3, w->roots, 1, &c, 1, w->secret),
                 CC_MSG_REVISE_REPLY);
    /* A slot that is free again has its room on the disk. */
    while (cc_volume_counts(w->host->volume).used == 2)
        mine(w, 1);
    assert_reply(write_sector(w, 4), CC_MSG_WRITE_REPLY);
    assert_refused(write_sector(w, 5), CC_REFUSE_FULL);
}

/* A contract for few sectors does not fill the volume with what nobody revises
 * in. */
static void test_waiting_sectors(void **state)
{
    struct world *w = *state;
    const unsigned most = 8 + 4;
    const void *root;
    void *waits;
    size_t at = 0;

    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 900000, w->secret), CC_MSG_VOUCHER_REPLY);
    for (unsigned n = 1; n <= most; n++)
        assert_reply(write_sector(w, n), CC_MSG_WRITE_REPLY);
    assert_refused(write_sector(w, most + 1), CC_REFUSE_FULL);
    assert_int_equal(cc_volume_counts(w->host->volume).used, most);
    assert_reply(write_sector(w, 3), CC_MSG_WRITE_REPLY); /* waits already */
    store(w, 1); /* it waits no more: room for another */
    assert_reply(write_sector(w, most + 1), CC_MSG_WRITE_REPLY);
    assert_refused(write_sector(w, most + 2), CC_REFUSE_FULL);
    /* After an hour they go, and make room. */
    while (cc_map_next(&w->host->written, &at, &root, &waits))
        ((struct cc_host_written *)waits)->since -= 3700;
    assert_reply(write_sector(w, most + 2), CC_MSG_WRITE_REPLY);
    assert_int_equal(cc_volume_counts(w->host->volume).used, 2);
}

/* Revisions are for nothing, so what they make us keep is bounded. */
static void test_many_revisions(void **state)
{
    struct world *w = *state;
    struct cc_change swap = {.kind = CC_CHANGE_SWAP, .a = 0, .b = 1};
    uint8_t lists[2][64], root[32];
    uint32_t n = 2;

    w->host->config.lists_max = 20;
    form(w);
    mine(w, 1);
    assert_reply(vouch(w, 900000, w->secret), CC_MSG_VOUCHER_REPLY);
    store(w, 1);
    store(w, 2);
    memcpy(lists[0], w->roots, 64);
    memcpy(lists[1], w->roots + 32, 32);
    memcpy(lists[1] + 32, w->roots, 32);
    do { /* a list of two more with each: 20 and twice 8 of them in all */
        cc_mtree_root(root, lists[(n + 1) % 2], 2);
        revise(w, ++n, root, 2, &swap, 1, w->secret);
    } while (w->reply->type == CC_MSG_REVISE_REPLY && n < 100);
    assert_refused(w->reply, CC_REFUSE_REVISION);
    assert_int_equal(n, 2 + (20 + 16) / 2);
    /* Once the chain has the latest, there is room again. */
    mine(w, 4 + CC_HOST_DEPTH);
    assert_int_equal(coin(w).revision, n - 1);
    assert_reply(revise(w, n, root, 2, &swap, 1, w->secret),
                 CC_MSG_REVISE_REPLY);
}

/* --- RPC ------------------------------------------------------------------ */

static json_t *rpc(struct world *w, const char *method, const char *params)
{
    json_t *p = json_loads(params, 0, NULL), *out;
    struct cc_error err;
    int code = 0;

    cc_error_init(&err);
    out = cc_host_rpc(w->host, method, p, &code, &err);
    json_decref(p);
    if (!out)
        assert_true(code < 0 && err.text[0]);
    return out;
}

static void test_rpc(void **state)
{
    struct world *w = *state;
    json_t *j;

    form(w);
    mine(w, 1);
    j = rpc(w, "hostinfo", "[]");
    assert_true(json_is_true(json_object_get(j, "registered")));
    assert_int_equal(cc_test_int(j, "onchain"), 1);
    json_decref(j);
    j = rpc(w, "hostcontracts", "[]");
    assert_int_equal(json_array_size(j), 1);
    assert_string_equal(cc_test_string(json_array_get(j, 0), "state"),
                        "active");
    json_decref(j);
    j = rpc(w, "hostsectors", "[]");
    assert_int_equal(cc_test_int(j, "promised"), 8);
    json_decref(j);
    j = rpc(w, "hostseal", "[]");
    assert_string_equal(cc_test_string(j, "state"), "none");
    json_decref(j);
    j = rpc(w, "hostevents", "[]");
    assert_true(json_array_size(j) >= 3);
    json_decref(j);
    j = rpc(w, "hostevents", "[1000000]");
    assert_int_equal(json_array_size(j), 0);
    json_decref(j);
    j = rpc(w, "hostsettings", "[{\"price_read\": 7, \"accepting\": false}]");
    assert_int_equal(cc_test_int(j, "price_read"), 7);
    json_decref(j);
    assert_false(settings(w).accepting);
    assert_int_equal(settings(w).price_read, 7);
    assert_null(rpc(w, "hostsettings", "[{\"price_read\": 8, \"foo\": 1}]"));
    assert_int_equal(settings(w).price_read, 7); /* all or nothing */
    assert_null(rpc(w, "hostsettings", "[{\"odds_max\": 65}]"));
    assert_null(rpc(w, "hostsettings", "[3]"));
    assert_null(rpc(w, "hostevents", "[\"x\"]"));
    assert_null(rpc(w, "nothing", "[]"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_contract_lives),
        TEST(test_restarts),
        TEST(test_chain_is_read_again),
        TEST(test_deletion_waits),
        TEST(test_proof_is_repeated),
        TEST(test_fees_rise),
        TEST(test_damaged_contract_file),
        TEST(test_unsaved_revision),
        TEST(test_killed_while_signing),
        TEST(test_damage),
        TEST(test_node_away),
        TEST(test_full_volume),
        TEST(test_full_disk),
        TEST(test_waiting_sectors),
        TEST(test_many_revisions),
        TEST(test_rpc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
