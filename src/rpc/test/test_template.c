/* getblocktemplate's answer: given at once, built behind, never of an old
 * tip. */
#include "support.h"

#include "mempool/test/fixture.h"
#include "rpc/rpc.h"
#include "rpc/template.h"
#include "util/clock.h"
#include "util/mem.h"

#include <pthread.h>
#include <string.h>

static struct fixture f;
static struct cc_clock clock_;
static struct cc_waiter *waiter;
static struct cc_templates *templates;

static void open_with(int64_t quick_ms)
{
    struct cc_templates_config c = {.params = &f.params,
                                    .chain = f.chain,
                                    .mempool = f.pool,
                                    .clock = &clock_,
                                    .waiter = waiter,
                                    .quick_ms = quick_ms};

    templates = cc_templates_new(&c);
}

static int setup(void **state)
{
    (void)state;
    fixture_open(&f, CC_CHAIN_BITCOIN_REGTEST);
    fixture_mine(&f, 10);
    cc_clock_init(&clock_);
    waiter = cc_waiter_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_waiter_interrupt(waiter);
    cc_templates_free(templates);
    cc_waiter_free(waiter);
    fixture_close(&f);
    return 0;
}

static json_t *get(void)
{
    json_t *o = NULL;

    if (cc_templates_get(templates, &o, &f.err) != CC_OK)
        fail_msg("%s", f.err.text);
    return o;
}

static size_t transactions(void)
{
    json_t *o = get();
    size_t n = json_array_size(json_object_get(o, "transactions"));

    json_decref(o);
    return n;
}

static json_int_t height(void)
{
    json_t *o = get();
    json_int_t n = json_integer_value(json_object_get(o, "height"));

    json_decref(o);
    return n;
}

/* Where building is quick, nothing old is given. */
static void test_quick(void **state)
{
    struct cc_tx *tx = fixture_simple(&f, 1, 2, 1000), *two;

    (void)state;
    open_with(100000);
    assert_int_equal(transactions(), 0);
    fixture_add(&f, tx);
    assert_int_equal(transactions(), 1);
    two = fixture_tx(&f);
    fixture_spend_tx(&f, two, tx, 1);
    fixture_spend_tx(&f, two, tx, 0);
    fixture_pay(&f, two, tx->vout[0].value);
    cc_tx_finish(two);
    fixture_add(&f, two);
    {
        json_t *o = get();
        const json_t *second =
            json_array_get(json_object_get(o, "transactions"), 1);
        const json_t *depends = json_object_get(second, "depends");

        assert_int_equal(json_array_size(depends), 1);
        assert_int_equal(json_integer_value(json_array_get(depends, 0)), 1);
        json_decref(o);
    }
    fixture_mine(&f, 1);
    cc_waiter_wake(waiter);
    assert_int_equal(transactions(), 0);
    assert_int_equal(height(), 12);
}

static bool has_one(void *arg)
{
    (void)arg;
    return transactions() == 1;
}

/* Where it is not, the thread brings it. */
static void test_slow(void **state)
{
    int64_t start = cc_clock_monotonic_ms();
    size_t n;

    (void)state;
    open_with(-1);
    assert_int_equal(transactions(), 0);
    fixture_add(&f, fixture_simple(&f, 1, 1, 1000));
    n = transactions();
    if (cc_clock_monotonic_ms() - start < 500)
        assert_int_equal(n, 0); /* as it was, at once */
    cc_test_until(has_one, NULL, "the thread has built another");
    /* But never one that a block has made worthless. */
    fixture_mine(&f, 1);
    cc_waiter_wake(waiter);
    assert_int_equal(height(), 12);
    assert_int_equal(transactions(), 0);
    assert_int_equal(
        cc_chain_invalidate(f.chain, cc_chain_tip(f.chain), &f.err), CC_OK);
    cc_waiter_wake(waiter);
    assert_int_equal(height(), 11);
}

struct hold {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool held, done;
};

static void *hold_chain(void *arg)
{
    struct hold *h = arg;

    cc_chain_lock(f.chain);
    pthread_mutex_lock(&h->lock);
    h->held = true;
    pthread_cond_signal(&h->cond);
    while (!h->done)
        pthread_cond_wait(&h->cond, &h->lock);
    pthread_mutex_unlock(&h->lock);
    cc_chain_unlock(f.chain);
    return NULL;
}

/* Though somebody keeps the chain, as who connects a block does. */
static void test_at_once(void **state)
{
    struct hold h = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false,
                     false};
    pthread_t thread;

    (void)state;
    open_with(-1);
    assert_int_equal(height(), 11);
    assert_int_equal(pthread_create(&thread, NULL, hold_chain, &h), 0);
    pthread_mutex_lock(&h.lock);
    while (!h.held)
        pthread_cond_wait(&h.cond, &h.lock);
    pthread_mutex_unlock(&h.lock);
    assert_int_equal(height(), 11); /* or this waits for ever */
    pthread_mutex_lock(&h.lock);
    h.done = true;
    pthread_cond_signal(&h.cond);
    pthread_mutex_unlock(&h.lock);
    pthread_join(thread, NULL);
}

/* The time is that of the call. */
static void test_time(void **state)
{
    json_t *o;

    (void)state;
    open_with(-1);
    cc_clock_set_mock(&clock_, 2000000000);
    json_decref(get());
    cc_clock_set_mock(&clock_, 2000000777);
    o = get();
    assert_int_equal(json_integer_value(json_object_get(o, "curtime")),
                     2000000777);
    json_decref(o);
    cc_clock_set_mock(&clock_, 5); /* not before the blocks */
    o = get();
    assert_int_equal(json_integer_value(json_object_get(o, "curtime")),
                     json_integer_value(json_object_get(o, "mintime")));
    json_decref(o);
}

/* The answer to a call, as text; for free. */
static char *ask(struct cc_rpc *rpc, const char *method, const char *params)
{
    json_t *p = cc_json_parse(params, strlen(params));
    struct cc_rpc_reply reply;
    char *text;

    cc_rpc_execute(rpc, method, p, NULL, &reply);
    json_decref(p);
    text = reply.result ? cc_json_dump(reply.result, 0)
                        : cc_asprintf("%d %s", reply.code, reply.message);
    cc_rpc_reply_clear(&reply);
    return text;
}

static void assert_answer(struct cc_rpc *rpc, const char *method,
                          const char *params, const char *want)
{
    char *text = ask(rpc, method, params);

    if (!strstr(text, want))
        fail_msg("%s: %s", method, text);
    free(text);
}

/* What may take long ends with the node, before the first nonce or coin. */
static void test_ending(void **state)
{
    static const char block[] = "[\"raw(51)#8lvh9jxk\",[]]";
    struct cc_rpc_env env = {.params = &f.params,
                             .chain = f.chain,
                             .mempool = f.pool,
                             .clock = &clock_,
                             .waiter = waiter};
    struct cc_rpc *rpc = cc_rpc_new();
    char *folder = cc_test_mkdir();

    (void)state;
    env.chaindir = folder;
    open_with(-1);
    cc_rpc_register_all(rpc, false, false);
    cc_rpc_set_env(rpc, &env);
    cc_rpc_set_warmup(rpc, NULL);
    assert_answer(rpc, "generateblock", block, "hash");
    assert_answer(rpc, "gettxoutsetinfo", "[]", "\"txouts\":11,");
    assert_answer(rpc, "dumptxoutset", "[\"a\"]", "\"coins_written\":11,");
    cc_waiter_interrupt(waiter);
    assert_answer(rpc, "generateblock", block, "-1 Failed to make block.");
    assert_int_equal(cc_chain_tip(f.chain)->height, 11);
    assert_answer(rpc, "gettxoutsetinfo", "[]", "-9 Shutting down");
    assert_answer(rpc, "dumptxoutset", "[\"b\"]", "-9 Shutting down");
    cc_rpc_free(rpc);
    cc_test_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_quick, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ending, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
