#include "chain/coins.h"

#include "chain/test/world.h"
#include "util/mem.h"

static const char *const families[] = {"coins", "typed"};

static struct cc_db *open_db(const char *dir)
{
    struct cc_db_config config = {.path = dir,
                                  .families = families,
                                  .family_count = 2,
                                  .cache_bytes = 1 << 20};
    struct cc_db *db;

    assert_int_equal(cc_db_open(&db, &config, NULL), CC_OK);
    return db;
}

static struct cc_outpoint outpoint(unsigned n, uint32_t index)
{
    struct cc_outpoint o = {{0}, index};

    cc_put_u32be(o.txid, n * 2654435761u);
    return o;
}

static struct cc_coin coin_of(cc_amount value, uint32_t height, bool coinbase,
                              const void *script, size_t len)
{
    struct cc_coin c = {{value, cc_bytes(script, len)}, height, coinbase};

    return c;
}

static void flush(struct cc_db *db, struct cc_coins *c)
{
    struct cc_db_batch *b = cc_db_batch_new();
    struct cc_map garbage;

    cc_coins_flush(c, b);
    assert_int_equal(cc_db_write(db, b, false, NULL), CC_OK);
    while (!cc_coins_flushed(c, 2, &garbage))
        assert_int_equal(garbage.count, 0);
    cc_coins_drop(&garbage);
    assert_false(cc_coins_dirty(c));
    cc_db_batch_free(b);
}

/* --- Bytes -------------------------------------------------------------- */

static void test_keys(void **state)
{
    static const uint32_t indexes[] = {
        0, 1, 0xfc, 0xfd, 0x100, 0xffff, 0x10000, 0x1000000, UINT32_MAX};
    uint8_t last[CC_COIN_KEY_MAX] = {0}, key[CC_COIN_KEY_MAX];
    struct cc_outpoint o = outpoint(1, 0), back;
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        o.index = indexes[i];
        len = cc_coin_key(key, &o);
        assert_true(cc_coin_key_read(&back, cc_bytes(key, len)));
        assert_true(cc_outpoint_equal(&o, &back));
        assert_false(cc_coin_key_read(&back, cc_bytes(key, len - 1)));
        if (i) /* in order of the number */
            assert_true(memcmp(last, key, 37) < 0);
        memset(last, 0, sizeof(last));
        memcpy(last, key, len);
    }
    /* one form only */
    memcpy(key + 32, "\xfd\x00\x05", 3);
    assert_false(cc_coin_key_read(&back, cc_bytes(key, 35)));
}

/* Bitcoin Core's forms, from its compressor and coins tests. */
static void test_values(void **state)
{
    static const struct {
        const char *hex;
        cc_amount value;
        uint32_t height;
        bool coinbase;
        const char *script;
    } rows[] = {
        {"97f23c835800816115944e077fe7c803cfa57f29b36bf87c1d35", 60000000000,
         203998, false, "76a914816115944e077fe7c803cfa57f29b36bf87c1d3588ac"},
        {"8ddf77bbd123008c988f1a4a4de2161e0f50aac7f17e7f9555caa4", 110397,
         120891, true, "76a9148c988f1a4a4de2161e0f50aac7f17e7f9555caa488ac"},
        {"000006", 0, 0, false, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len, script_len;
        uint8_t *data = cc_test_unhex(rows[i].hex, &len);
        uint8_t *script = cc_test_unhex(rows[i].script, &script_len);
        struct cc_arena arena;
        struct cc_reader r;
        struct cc_writer w;
        struct cc_coin c;

        cc_arena_init(&arena);
        cc_reader_init(&r, data, len);
        cc_coin_read(&r, &c, &arena);
        assert_true(cc_reader_done(&r));
        assert_int_equal(c.height, rows[i].height);
        assert_int_equal(c.coinbase, rows[i].coinbase);
        assert_int_equal(c.out.value, rows[i].value);
        assert_true(cc_bytes_equal(c.out.script, cc_bytes(script, script_len)));
        cc_writer_init_heap(&w);
        cc_coin_write(&w, &c);
        assert_true(
            cc_bytes_equal(cc_bytes(w.data, w.len), cc_bytes(data, len)));
        cc_writer_clear(&w);
        cc_arena_clear(&arena);
        free(script);
        free(data);
    }
}

static const char *const scripts[] = {
    "",
    "51",
    "76a914816115944e077fe7c803cfa57f29b36bf87c1d3588ac", /* key hash */
    "76a914816115944e077fe7c803cfa57f29b36bf87c1d3588ad", /* nearly */
    "a914816115944e077fe7c803cfa57f29b36bf87c1d3587",     /* script hash */
    "0014816115944e077fe7c803cfa57f29b36bf87c1d35",       /* witness */
    "2102816115944e077fe7c803cfa57f29b36bf87c1d3581611500"
    "44e077fe7c803cfaac", /* key */
    "2104816115944e077fe7c803cfa57f29b36bf87c1d3581611500"
    "44e077fe7c803cfaac", /* no such key */
    "5120816115944e077fe7c803cfa57f29b36bf87c1d3581611500"
    "44e077fe7c803cfa", /* taproot */
};

static void round_trip(const struct cc_coin *c, bool undo)
{
    struct cc_arena arena;
    struct cc_reader r;
    struct cc_writer w;
    struct cc_coin back;

    cc_writer_init_heap(&w);
    if (undo)
        cc_coin_write_undo(&w, c);
    else
        cc_coin_write(&w, c);
    for (size_t cut = 0; cut <= w.len; cut++) {
        cc_arena_init(&arena);
        cc_reader_init(&r, w.data, cut);
        if (undo)
            cc_coin_read_undo(&r, &back, &arena);
        else
            cc_coin_read(&r, &back, &arena);
        assert_int_equal(cc_reader_done(&r), cut == w.len);
        if (cut == w.len) {
            assert_int_equal(back.out.value, c->out.value);
            assert_int_equal(back.height, c->height);
            assert_int_equal(back.coinbase, c->coinbase);
            assert_true(cc_bytes_equal(back.out.script, c->out.script));
        }
        cc_arena_clear(&arena);
    }
    cc_writer_clear(&w);
}

static void test_round_trips(void **state)
{
    static const cc_amount values[] = {0,
                                       1,
                                       9,
                                       10,
                                       546,
                                       1000000000,
                                       2500000000,
                                       4999999999,
                                       123456789012345,
                                       INT64_C(8399999999999999),
                                       INT64_C(8400000000000000)};

    (void)state;
    for (size_t s = 0; s < sizeof(scripts) / sizeof(scripts[0]); s++) {
        size_t len;
        uint8_t *script = cc_test_unhex(scripts[s], &len);

        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            struct cc_coin c =
                coin_of(values[v], v % 2 ? UINT32_MAX : 0, s % 2, script, len);

            round_trip(&c, false);
            round_trip(&c, true);
        }
        free(script);
    }
}

static bool decodes(const char *hex)
{
    size_t len;
    uint8_t *data = cc_test_unhex(hex, &len);
    struct cc_arena arena;
    struct cc_reader r;
    struct cc_coin c;
    bool ok;

    cc_arena_init(&arena);
    cc_reader_init(&r, data, len);
    cc_coin_read(&r, &c, &arena);
    ok = cc_reader_done(&r);
    cc_arena_clear(&arena);
    free(data);
    return ok;
}

static void test_bad_values(void **state)
{
    (void)state;
    assert_true(decodes("000006"));
    assert_false(decodes("0000"));
    assert_false(decodes("00000600"));                       /* more behind */
    assert_false(decodes("000007"));                         /* script cut */
    assert_false(decodes("ffffffffffffffffffffffff7f0006")); /* no number */
    assert_false(decodes("a0808080000006"));           /* height > 32 bits */
    assert_false(decodes("0080fefefefefefefefe7f06")); /* no amount */
    assert_false(decodes(
        "0000048100000000000000000000000000000000000000000000000000000000"
        "000000")); /* a form that we do not write */
}

/* --- The set ------------------------------------------------------------ */

/* Random adds, spends, reads, flushes and reopenings against an array. */
static void test_model(void **state)
{
    enum { N = 300 };
    struct {
        bool there;
        cc_amount value;
        uint32_t height;
    } model[N] = {{0}};
    char *dir = cc_test_mkdir();
    struct cc_test_random random;
    struct cc_db *db = open_db(dir);
    struct cc_coins *c = cc_coins_new(db, 0, 1, false, 8192);

    (void)state;
    cc_test_random_init(&random, 5);
    for (unsigned n = 0; n < 60000; n++) {
        unsigned i = (unsigned)(cc_test_random(&random) % N);
        unsigned what = (unsigned)(cc_test_random(&random) % 1000);
        struct cc_outpoint o = outpoint(i / 3, i % 3);
        const struct cc_outpoint *po = &o;
        struct cc_coin coin;
        enum cc_status st;

        if (what < 2) {
            flush(db, c);
            cc_coins_free(c);
            c = cc_coins_new(db, 0, 1, false, 8192);
        } else if (what < 12) {
            flush(db, c);
        } else if (what < 500) {
            st = cc_coins_get(c, &o, &coin, NULL);
            assert_int_equal(st, model[i].there ? CC_OK : CC_NOTFOUND);
            if (st == CC_OK) {
                assert_int_equal(coin.out.value, model[i].value);
                assert_int_equal(coin.height, model[i].height);
            }
        } else if (model[i].there) {
            assert_int_equal(cc_coins_fetch(c, &po, 1, NULL, NULL), CC_OK);
            cc_coins_spend(c, &o);
            model[i].there = false;
        } else {
            model[i].there = true;
            model[i].value = (cc_amount)(cc_test_random(&random) % 1000000);
            model[i].height = n;
            coin = coin_of(model[i].value, n, false, "\x51", 1);
            cc_coins_add(c, &o, &coin);
        }
    }
    /* the database alone tells the same */
    flush(db, c);
    for (unsigned i = 0; i < N; i++) {
        struct cc_outpoint o = outpoint(i / 3, i % 3);
        uint8_t key[CC_COIN_KEY_MAX];
        struct cc_db_value value;
        enum cc_status st =
            cc_db_get(db, 0, cc_bytes(key, cc_coin_key(key, &o)), &value, NULL);

        assert_int_equal(st, model[i].there ? CC_OK : CC_NOTFOUND);
        if (st == CC_OK)
            cc_db_value_clear(&value);
    }
    cc_coins_free(c);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

/* Made and spent between two flushes: the batch knows nothing of it. */
static void test_fresh(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir);
    struct cc_coins *c = cc_coins_new(db, 0, 1, false, 1 << 20);
    struct cc_db_batch *b = cc_db_batch_new();
    struct cc_outpoint o = outpoint(1, 0);
    struct cc_coin coin = coin_of(5, 1, false, "\x51", 1), got;

    (void)state;
    cc_coins_add(c, &o, &coin);
    assert_true(cc_coins_dirty(c));
    cc_coins_spend(c, &o);
    assert_false(cc_coins_dirty(c));
    assert_int_equal(cc_coins_memory(c), 0);
    cc_coins_flush(c, b);
    assert_int_equal(cc_db_batch_count(b), 0);
    assert_int_equal(cc_coins_get(c, &o, &got, NULL), CC_NOTFOUND);
    /* written, spent, made anew with other contents: the last one counts */
    cc_coins_add(c, &o, &coin);
    flush(db, c);
    cc_coins_spend(c, &o);
    assert_int_equal(cc_coins_get(c, &o, &got, NULL), CC_NOTFOUND);
    coin.height = 2;
    cc_coins_add(c, &o, &coin);
    cc_coins_spend(c, &o);
    flush(db, c);
    assert_int_equal(cc_coins_memory(c), 0);
    assert_int_equal(cc_coins_get(c, &o, &got, NULL), CC_NOTFOUND);
    cc_db_batch_free(b);
    cc_coins_free(c);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

static void test_fetch(void **state)
{
    enum { N = 1000 };
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir);
    struct cc_coins *c = cc_coins_new(db, 0, 1, false, 1 << 20);
    static struct cc_outpoint o[N];
    static struct cc_coin got[N];
    const struct cc_outpoint *want[N];

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        struct cc_coin coin = coin_of(i, i, false, "\x51", 1);

        o[i] = outpoint(i, i % 5 * 100);
        want[i] = &o[i / 2 * 2]; /* each asked for twice */
        if (i % 4)
            cc_coins_add(c, &o[i], &coin);
    }
    flush(db, c);
    cc_coins_free(c);
    c = cc_coins_new(db, 0, 1, false, 1 << 20);
    for (int known = 0; known < 2; known++) { /* from the store, the cache */
        assert_int_equal(cc_coins_fetch(c, want, N, got, NULL), CC_OK);
        for (unsigned i = 0; i < N; i++)
            assert_int_equal(got[i].out.value,
                             i / 2 * 2 % 4 ? (int)(i / 2 * 2) : -1);
        want[0] = want[1] = &o[2];
        assert_int_equal(cc_coins_fetch(c, want, 2, got, NULL), CC_OK);
        assert_int_equal(got[1].out.value, 2);
        want[0] = want[1] = &o[0];
    }
    assert_false(cc_coins_dirty(c));
    cc_coins_spend(c, &o[2]);
    want[0] = &o[2];
    assert_int_equal(cc_coins_fetch(c, want, 1, got, NULL), CC_OK);
    assert_int_equal(got[0].out.value, -1);
    cc_coins_free(c);
    c = cc_coins_new(db, 0, 1, false, 1 << 20);
    for (unsigned i = 0; i < N; i++)
        want[i] = &o[i];
    assert_int_equal(cc_coins_fetch(c, want, N, NULL, NULL), CC_OK);
    for (unsigned i = 0; i < N; i++) {
        struct cc_coin coin;
        enum cc_status st = cc_coins_get(c, &o[i], &coin, NULL);

        assert_int_equal(st, i % 4 ? CC_OK : CC_NOTFOUND);
        if (st == CC_OK)
            assert_int_equal(coin.out.value, i);
    }
    cc_coins_free(c);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

static void test_damaged_value(void **state)
{
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir);
    struct cc_coins *c = cc_coins_new(db, 0, 1, false, 1 << 20);
    struct cc_db_batch *b = cc_db_batch_new();
    struct cc_outpoint o = outpoint(3, 7);
    const struct cc_outpoint *po = &o;
    uint8_t key[CC_COIN_KEY_MAX];
    struct cc_coin coin;
    struct cc_error err;

    (void)state;
    cc_db_batch_put(b, db, 0, cc_bytes(key, cc_coin_key(key, &o)),
                    cc_bytes("\x80", 1));
    assert_int_equal(cc_db_write(db, b, false, NULL), CC_OK);
    assert_int_equal(cc_coins_get(c, &o, &coin, &err), CC_CORRUPT);
    assert_non_null(strstr(err.text, ":7 does not decode"));
    assert_int_equal(cc_coins_fetch(c, &po, 1, NULL, &err), CC_CORRUPT);
    cc_db_batch_free(b);
    cc_coins_free(c);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

/* --- Lists of storage coins --------------------------------------------- */

struct heard {
    unsigned count;
    struct cc_outpoint first;
};

static bool hear(void *arg, const struct cc_outpoint *o,
                 const struct cc_coin *coin)
{
    struct heard *h = arg;

    assert_int_equal(coin->out.script.data[0], 0xbb);
    if (!h->count++)
        h->first = *o;
    return true;
}

static unsigned by_name(struct cc_coins *c, enum cc_kind kind,
                        const uint8_t *id, struct heard *h)
{
    memset(h, 0, sizeof(*h));
    assert_int_equal(cc_coins_each_name(c, kind, id, NULL, hear, h, NULL),
                     CC_OK);
    return h->count;
}

static unsigned by_key(struct cc_coins *c, const uint8_t key[32])
{
    struct heard h = {0};

    assert_int_equal(cc_coins_each_key(c, key, NULL, hear, &h, NULL), CC_OK);
    return h.count;
}

static size_t write_typed(uint8_t *out, size_t room, const struct cc_typed *t)
{
    struct cc_writer w;

    cc_writer_init(&w, out, room);
    cc_typed_write(&w, t);
    assert_false(w.failed);
    return w.len;
}

static void test_lists(void **state)
{
    static const uint8_t record[1] = {0};
    char *dir = cc_test_mkdir();
    struct cc_db *db = open_db(dir);
    struct cc_coins *c = cc_coins_new(db, 0, 1, true, 1 << 20);
    struct cc_outpoint oi = outpoint(1, 0), oi2 = outpoint(2, 0),
                       oc = outpoint(3, 0);
    struct cc_typed identity = {.kind = CC_KIND_IDENTITY};
    struct cc_typed contract = {.kind = CC_KIND_CONTRACT};
    uint8_t script[CC_MAX_SCRIPT_SIZE];
    struct cc_coin coin;
    struct heard h;

    (void)state;
    memset(identity.u.identity.key, 1, 32);
    identity.u.identity.record = cc_bytes(record, 0);
    memset(contract.u.contract.id, 9, 32);
    memset(contract.u.contract.renter_key, 1, 32);
    memset(contract.u.contract.host_key, 2, 32);
    coin = coin_of(5, 10, false, script,
                   write_typed(script, sizeof(script), &identity));
    cc_coins_add(c, &oi, &coin);
    identity.u.identity.sequence = 300;
    coin = coin_of(5, 11, false, script,
                   write_typed(script, sizeof(script), &identity));
    cc_coins_add(c, &oi2, &coin);
    coin = coin_of(5, 11, false, script,
                   write_typed(script, sizeof(script), &contract));
    cc_coins_add(c, &oc, &coin);
    assert_int_equal(by_name(c, CC_KIND_NONE, NULL, &h), 0); /* not flushed */
    flush(db, c);

    assert_int_equal(by_name(c, CC_KIND_NONE, NULL, &h), 3);
    assert_int_equal(by_name(c, CC_KIND_IDENTITY, NULL, &h), 2);
    assert_int_equal(by_name(c, CC_KIND_IDENTITY, identity.u.identity.key, &h),
                     2);
    assert_true(cc_outpoint_equal(&h.first, &oi2)); /* highest sequence */
    assert_int_equal(by_name(c, CC_KIND_CONTRACT, contract.u.contract.id, &h),
                     1);
    assert_int_equal(by_name(c, CC_KIND_CONTRACT, identity.u.identity.key, &h),
                     0);
    assert_int_equal(by_key(c, identity.u.identity.key), 3);
    assert_int_equal(by_key(c, contract.u.contract.host_key), 1);
    assert_int_equal(by_key(c, contract.u.contract.id), 0);

    /* spent: gone from every list; a restart in between changes nothing */
    cc_coins_free(c);
    c = cc_coins_new(db, 0, 1, true, 1 << 20);
    assert_int_equal(cc_coins_get(c, &oc, &coin, NULL), CC_OK);
    cc_coins_spend(c, &oc);
    assert_int_equal(cc_coins_get(c, &oi2, &coin, NULL), CC_OK);
    cc_coins_spend(c, &oi2);
    flush(db, c);
    assert_int_equal(by_name(c, CC_KIND_NONE, NULL, &h), 1);
    assert_true(cc_outpoint_equal(&h.first, &oi));
    assert_int_equal(by_key(c, contract.u.contract.host_key), 0);
    assert_int_equal(by_key(c, identity.u.identity.key), 1);
    cc_coins_free(c);
    cc_db_close(db);
    cc_test_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_fresh),
        cmocka_unit_test(test_fetch),
        cmocka_unit_test(test_damaged_value),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
