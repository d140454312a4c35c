#include "storage/message.h"

#include "crypto/mtree.h"
#include "support.h"
#include "util/writer.h"

#include <stdlib.h>

#define ID "0000000000000000000000000000000000000000000000000000000000000000"

static struct cc_test_random rnd;
static uint8_t pool[CC_SECTOR_SIZE + 65536];

static size_t below(size_t n) { return (size_t)(cc_test_random(&rnd) % n); }

static void fill(void *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)p)[i] = (uint8_t)cc_test_random(&rnd);
}

static struct cc_bytes slice(size_t max)
{
    return cc_bytes(pool + below(64), below(max + 1));
}

static struct cc_bytes nodes(size_t max)
{
    return cc_bytes(pool, 32 * below(max + 1));
}

static void make_changes(struct cc_msg_revise *m, struct cc_writer *w)
{
    m->change_count = below(20);
    for (size_t i = 0; i < m->change_count; i++) {
        struct cc_change c;

        fill(&c, sizeof(c));
        c.kind = (enum cc_change_kind)(1 + below(3));
        cc_change_write(w, &c);
    }
    m->changes = cc_bytes(w->data, w->len);
}

static void make_offer(struct cc_msg_form_offer *m)
{
    m->input_count = below(CC_FORM_INPUTS_MAX + 1);
    m->output_count = below(CC_FORM_OUTPUTS_MAX + 1);
    for (int i = 0; i < CC_FORM_INPUTS_MAX; i++)
        m->inputs[i].script = slice(300);
    for (int i = 0; i < CC_FORM_OUTPUTS_MAX; i++)
        m->outputs[i].script = slice(300);
}

/* A message of this type with random, well-formed content. */
static void make(struct cc_message *m, enum cc_message_type type,
                 struct cc_writer *changes)
{
    memset(m, 0, sizeof(*m));
    m->type = type;
    if (type == CC_MSG_SETTINGS_REPLY) {
        fill(&m->u, sizeof(m->u.settings_reply));
        m->u.settings_reply.accepting = below(2) != 0;
        m->u.settings_reply.name = slice(CC_MESSAGE_TEXT_MAX);
    } else if (type == CC_MSG_FORM_OFFER) {
        make_offer(&m->u.form_offer);
    } else if (type == CC_MSG_FORM_REQUEST) {
        fill(&m->u, sizeof(m->u.form_request));
    } else if (type == CC_MSG_FORM_SIGN) {
        m->u.form_sign.tx = slice(CC_FORM_TX_MAX);
    } else if (type == CC_MSG_FORM_DONE) {
        m->u.form_done.tx = slice(CC_FORM_TX_MAX);
    } else if (type == CC_MSG_WRITE) {
        m->u.write.data = cc_bytes(pool, CC_SECTOR_SIZE);
    } else if (type == CC_MSG_REVISE) {
        fill(&m->u, sizeof(m->u.revise));
        make_changes(&m->u.revise, changes);
    } else if (type == CC_MSG_READ) {
        m->u.read.offset = (uint32_t)(1024 * below(4096));
        m->u.read.length =
            (uint32_t)(1024 * (1 + below(4096 - m->u.read.offset / 1024)));
    } else if (type == CC_MSG_READ_REPLY) {
        m->u.read_reply.data = cc_bytes(pool, 1024 * (1 + below(4096)));
        m->u.read_reply.range = nodes(CC_PROOF_NODES_MAX);
        m->u.read_reply.path = nodes(CC_PROOF_NODES_MAX);
    } else if (type == CC_MSG_ROOTS) {
        m->u.roots.count = (uint32_t)below(CC_ROOTS_MAX + 1);
    } else if (type == CC_MSG_ROOTS_REPLY) {
        m->u.roots_reply.roots = nodes(CC_ROOTS_MAX);
    } else if (type == CC_MSG_LATEST_REPLY) {
        fill(&m->u, sizeof(m->u.latest_reply));
        m->u.latest_reply.sealed_off = below(2) != 0;
    } else if (type == CC_MSG_ERROR) {
        m->u.error.text = slice(CC_MESSAGE_TEXT_MAX);
    } else {
        fill(&m->u, 100);
    }
}

static void round_trip(enum cc_message_type type)
{
    struct cc_writer changes, w, again;
    struct cc_message m, back;

    cc_writer_init_heap(&changes);
    cc_writer_init_heap(&w);
    cc_writer_init_heap(&again);
    make(&m, type, &changes);
    cc_message_encode(&w, &m);
    assert_true(w.len <= cc_message_limit(type));
    back.type = type;
    assert_int_equal(cc_message_decode(&back, w.data, w.len), CC_OK);
    cc_message_encode(&again, &back);
    assert_int_equal(again.len, w.len);
    if (w.len)
        assert_memory_equal(again.data, w.data, w.len);
    for (int cut = 0; cut < 20 && w.len; cut++)
        assert_int_equal(cc_message_decode(&back, w.data, below(w.len)),
                         CC_MALFORMED);
    cc_write_u8(&w, 0);
    assert_int_equal(cc_message_decode(&back, w.data, w.len), CC_MALFORMED);
    cc_writer_clear(&changes);
    cc_writer_clear(&w);
    cc_writer_clear(&again);
}

/* Random bytes: no crash, and what decodes encodes back. */
static void random_bytes(enum cc_message_type type)
{
    size_t len = below(400), at = below(60000);
    struct cc_message m;
    struct cc_writer w;

    m.type = type;
    if (cc_message_decode(&m, pool + at, len) != CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_message_encode(&w, &m);
    assert_int_equal(w.len, len);
    if (len)
        assert_memory_equal(w.data, pool + at, len);
    cc_writer_clear(&w);
}

static void test_round_trips(void **state)
{
    size_t ran = 0;

    (void)state;
    cc_test_random_init(&rnd, 21);
    fill(pool, sizeof(pool));
    for (unsigned t = 0; t <= 255; t++) {
        if (!cc_message_limit(t))
            continue;
        assert_non_null(cc_message_name(t));
        for (int i = 0; i < 20; i++, ran++)
            round_trip((enum cc_message_type)t);
        for (int i = 0; i < 300; i++)
            random_bytes((enum cc_message_type)t);
    }
    assert_int_equal(ran, 21 * 20);
    cc_test_ran("messages", ran);
}

static void test_malformed(void **state)
{
    static const struct {
        unsigned type;
        const char *hex;
        enum cc_status st;
    } rows[] = {
        {0, "", CC_NOTFOUND},
        {77, "", CC_NOTFOUND},
        {256, "", CC_NOTFOUND},
        {CC_MSG_SETTINGS, "", CC_OK},
        /* whole leaves, at least one, inside the sector */
        {CC_MSG_READ,
         ID "00000000"
            "00000000"
            "00040000",
         CC_OK},
        {CC_MSG_READ,
         ID "00000000"
            "00000000"
            "00004000",
         CC_OK},
        {CC_MSG_READ,
         ID "00000000"
            "00000000"
            "01040000",
         CC_MALFORMED},
        {CC_MSG_READ,
         ID "00000000"
            "01000000"
            "00040000",
         CC_MALFORMED},
        {CC_MSG_READ,
         ID "00000000"
            "00000000"
            "00000000",
         CC_MALFORMED},
        {CC_MSG_READ,
         ID "00000000"
            "00040000"
            "00004000",
         CC_MALFORMED},
        {CC_MSG_READ,
         ID "00000000"
            "00fcffff"
            "00080000",
         CC_MALFORMED},
        /* not more than an answer holds */
        {CC_MSG_ROOTS,
         ID "00000000"
            "00800000",
         CC_OK},
        {CC_MSG_ROOTS,
         ID "00000000"
            "01800000",
         CC_MALFORMED},
        /* nodes are 32 bytes */
        {CC_MSG_ROOTS_REPLY, "0000000000", CC_OK},
        {CC_MSG_ROOTS_REPLY, "0000000001ff", CC_MALFORMED},
        /* more than there is; a length that is not the shortest */
        {CC_MSG_ERROR, "0100feffffffff", CC_MALFORMED},
        {CC_MSG_ERROR, "0100fd010041", CC_MALFORMED},
        {CC_MSG_ERROR, "01000141", CC_OK},
    };
    static uint8_t big[70000];
    struct cc_message m;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len;
        uint8_t *data = cc_test_unhex(rows[i].hex, &len);

        m.type = (enum cc_message_type)rows[i].type;
        if (cc_message_decode(&m, data, len) != rows[i].st)
            fail_msg("row %zu", i);
        free(data);
    }
    assert_null(cc_message_name(0));
    assert_null(cc_message_name(300));
    m.type = CC_MSG_READ; /* above the type's own limit */
    assert_int_equal(cc_message_decode(&m, big, sizeof(big)), CC_MALFORMED);
}

/* Fields whose byte has one right value or a bound. */
static void test_strict_fields(void **state)
{
    struct cc_writer changes, w;
    struct cc_message m, back;

    (void)state;
    cc_writer_init_heap(&changes);
    cc_writer_init_heap(&w);
    make(&m, CC_MSG_SETTINGS_REPLY, &changes);
    cc_message_encode(&w, &m);
    w.data[40] = 2; /* accepting */
    back.type = m.type;
    assert_int_equal(cc_message_decode(&back, w.data, w.len), CC_MALFORMED);
    cc_writer_clear(&w);

    cc_writer_init_heap(&w);
    back.type = CC_MSG_FORM_OFFER;
    cc_write_bytes(&w, pool, 64);
    cc_write_compact(&w, CC_FORM_INPUTS_MAX + 1);
    for (int i = 0; i <= CC_FORM_INPUTS_MAX; i++)
        cc_write_bytes(&w, (uint8_t[49]){0}, 49);
    cc_write_compact(&w, 0);
    assert_int_equal(cc_message_decode(&back, w.data, w.len), CC_MALFORMED);
    w.data[64] = CC_FORM_INPUTS_MAX;
    assert_int_equal(cc_message_decode(&back, w.data, w.len - 49), CC_OK);
    cc_writer_clear(&w);

    cc_writer_init_heap(&w);
    make(&m, CC_MSG_REVISE, &changes);
    m.u.revise.change_count = 1;
    m.u.revise.changes = cc_bytes("\3\1\0\0\0", 5);
    cc_message_encode(&w, &m);
    back.type = m.type;
    assert_int_equal(cc_message_decode(&back, w.data, w.len), CC_OK);
    w.data[w.len - 5] = 4; /* no such change */
    assert_int_equal(cc_message_decode(&back, w.data, w.len), CC_MALFORMED);
    cc_writer_clear(&w);
    cc_writer_clear(&changes);
}

static bool is_written(void *arg, const uint8_t root[32])
{
    return root[0] == *(const uint8_t *)arg;
}

struct list {
    uint8_t *roots;
    size_t count, cap;
};

static enum cc_status apply(struct list *l, struct cc_msg_revise *m,
                            const struct cc_change *c, size_t n)
{
    uint8_t buf[33 * 8], allowed = 9;
    struct cc_writer w;

    cc_writer_init(&w, buf, sizeof(buf));
    for (size_t i = 0; i < n; i++)
        cc_change_write(&w, &c[i]);
    m->change_count = n;
    m->changes = cc_bytes(buf, w.len);
    return cc_changes_apply(&l->roots, &l->count, &l->cap, m, is_written,
                            &allowed, NULL);
}

static void test_changes(void **state)
{
    static const struct cc_change append[3] = {
        {CC_CHANGE_APPEND, {9, 1}, 0, 0},
        {CC_CHANGE_APPEND, {9, 2}, 0, 0},
        {CC_CHANGE_APPEND, {9, 3}, 0, 0}};
    static const struct cc_change swap_trim[2] = {{CC_CHANGE_SWAP, {0}, 0, 2},
                                                  {CC_CHANGE_TRIM, {0}, 1, 0}};
    /* not written; not there, twice; more than there are */
    static const struct cc_change bad[4] = {{CC_CHANGE_APPEND, {8}, 0, 0},
                                            {CC_CHANGE_SWAP, {0}, 0, 2},
                                            {CC_CHANGE_SWAP, {0}, 2, 0},
                                            {CC_CHANGE_TRIM, {0}, 3, 0}};
    static const struct cc_change swap = {CC_CHANGE_SWAP, {0}, 1, 0};
    static const struct cc_change all = {CC_CHANGE_TRIM, {0}, 2, 0};
    uint8_t want[3][32];
    struct list l = {NULL, 0, 0};
    struct cc_msg_revise m;

    (void)state;
    memset(&m, 0, sizeof(m));
    for (int i = 0; i < 3; i++)
        memcpy(want[i], append[i].root, 32);
    m.sectors = 3;
    cc_mtree_root(m.root, want[0], 3);
    assert_int_equal(apply(&l, &m, append, 3), CC_OK);
    assert_int_equal(l.count, 3);
    assert_memory_equal(l.roots, want, 96);
    /* Swap first and last, drop the last: the first is gone. */
    memcpy(want[0], append[2].root, 32);
    m.sectors = 2;
    cc_mtree_root(m.root, want[0], 2);
    assert_int_equal(apply(&l, &m, swap_trim, 2), CC_OK);
    assert_memory_equal(l.roots, want, 64);
    /* Swapped and swapped back, seen in between. */
    memcpy(want[2], want[0], 32);
    memcpy(want[0], want[1], 32);
    memcpy(want[1], want[2], 32);
    cc_mtree_root(m.root, want[0], 2);
    assert_int_equal(apply(&l, &m, &swap, 1), CC_OK);
    assert_memory_equal(l.roots, want, 64);
    /* A root that does not follow, and a count that does not. */
    m.root[0] ^= 1;
    assert_int_equal(apply(&l, &m, NULL, 0), CC_INVALID);
    m.root[0] ^= 1;
    m.sectors = 3;
    assert_int_equal(apply(&l, &m, NULL, 0), CC_INVALID);
    m.sectors = 2;
    assert_int_equal(apply(&l, &m, NULL, 0), CC_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(apply(&l, &m, &bad[i], 1), CC_INVALID);
    /* Down to nothing: the root is zero. */
    m.sectors = 0;
    memset(m.root, 0, 32);
    assert_int_equal(apply(&l, &m, &all, 1), CC_OK);
    assert_int_equal(l.count, 0);
    free(l.roots);
}

static void test_rent(void **state)
{
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    struct cc_msg_settings_reply s;
    uint64_t rent;

    (void)state;
    memset(&s, 0, sizeof(s));
    s.price_storage = 1;
    assert_true(cc_settings_rent(&rent, &s, 1, 1, p));
    assert_int_equal(rent, 1); /* rounded up */
    s.price_storage = CC_USAT;
    assert_true(cc_settings_rent(&rent, &s, 100, 12, p));
    assert_int_equal(rent, 1200);
    s.price_storage = UINT64_MAX;
    assert_false(cc_settings_rent(&rent, &s, UINT32_MAX, UINT32_MAX, p));
    s.price_storage = (uint64_t)p->max_money;
    assert_true(cc_settings_rent(&rent, &s, 1000, 1000, p));
    assert_int_equal(rent, p->max_money);
    assert_false(cc_settings_rent(&rent, &s, 1000, 1001, p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),   cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_strict_fields), cmocka_unit_test(test_changes),
        cmocka_unit_test(test_rent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
