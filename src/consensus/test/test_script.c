/* Script as bytes: walking, numbers, pushes, recognising, sigops, text. */
#include <stdio.h>
#include <stdlib.h>

#include "script_text.h"

#define KEY33 "0x21 0x02" H32 " "
#define KEY65 "0x41 0x04" H32 H32 " "
#define H20 "1111111111111111111111111111111111111111"
#define H32 H20 "222222222222222222222222"

/* A script written in words, until the next four have been asked for. */
static struct cc_bytes script(const char *text)
{
    static uint8_t ring[4][12000];
    static unsigned next;
    struct cc_writer w;

    cc_writer_init(&w, ring[next++ % 4], sizeof(ring[0]));
    script_parse(&w, text);
    assert_false(w.failed);
    return cc_bytes(w.data, w.len);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(cc_opcode_name(0x00), "0");
    assert_string_equal(cc_opcode_name(0x4b), "OP_UNKNOWN");
    assert_string_equal(cc_opcode_name(0x4c), "OP_PUSHDATA1");
    assert_string_equal(cc_opcode_name(0x4f), "-1");
    assert_string_equal(cc_opcode_name(0x50), "OP_RESERVED");
    assert_string_equal(cc_opcode_name(0x51), "1");
    assert_string_equal(cc_opcode_name(0x60), "16");
    assert_string_equal(cc_opcode_name(0x61), "OP_NOP");
    assert_string_equal(cc_opcode_name(CC_OP_CHECKSIG), "OP_CHECKSIG");
    assert_int_equal(CC_OP_CHECKSIG, 0xac);
    assert_string_equal(cc_opcode_name(0xb1), "OP_CHECKLOCKTIMEVERIFY");
    assert_string_equal(cc_opcode_name(0xb2), "OP_CHECKSEQUENCEVERIFY");
    assert_string_equal(cc_opcode_name(0xb9), "OP_NOP10");
    assert_string_equal(cc_opcode_name(0xba), "OP_CHECKSIGADD");
    assert_string_equal(cc_opcode_name(0xbb), "OP_UNKNOWN");
    assert_string_equal(cc_opcode_name(0xfe), "OP_UNKNOWN");
    assert_string_equal(cc_opcode_name(0xff), "OP_INVALIDOPCODE");
    assert_string_equal(cc_script_error_string(CC_SCRIPT_ERR_NULLFAIL),
                        "Signature must be zero for failed CHECK(MULTI)SIG "
                        "operation");
    assert_string_equal(cc_script_error_name(CC_SCRIPT_ERR_NULLFAIL),
                        "NULLFAIL");
}

/* Steps over s; returns how many operations, and where it stopped. */
static size_t steps(struct cc_bytes s, size_t *pos)
{
    struct cc_bytes push;
    size_t n = 0;
    uint8_t op;

    for (*pos = 0; cc_script_next(s, pos, &op, &push);)
        n++;
    return n;
}

static void test_walk(void **state)
{
    static const struct {
        const char *text;
        size_t steps, stop; /* stop: where a cut push begins; 0: at the end */
    } rows[] = {
        {"", 0, 0},
        {"0x00", 1, 0},
        {"0x01", 0, 0},
        {"NOP 0x02 0x11", 1, 1},
        {"NOP 0x02 0x1122", 2, 0},
        {"NOP 0x4c", 1, 1},
        {"NOP 0x4c 0x02 0x11", 1, 1},
        {"NOP 0x4c 0x02 0x1122", 2, 0},
        {"NOP 0x4d 0x01", 1, 1},
        {"NOP 0x4d 0x0200 0x11", 1, 1},
        {"NOP 0x4d 0x0200 0x1122", 2, 0},
        {"NOP 0x4e 0x010000", 1, 1},
        {"NOP 0x4e 0x02000000 0x11", 1, 1},
        {"NOP 0x4e 0x02000000 0x1122", 2, 0},
        {"NOP 0x4e 0xffffffff 0x1122", 1, 1},
    };
    struct cc_bytes s, push;
    size_t pos = 0;
    uint8_t op;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        s = script(rows[i].text);
        assert_int_equal(steps(s, &pos), rows[i].steps);
        if (rows[i].stop || !strcmp(rows[i].text, "0x01"))
            assert_int_equal(pos, rows[i].stop);
        else
            assert_int_equal(pos, s.len);
    }
    s = script("0x4d 0x0300 0xaabbcc 1");
    pos = 0;
    assert_true(cc_script_next(s, &pos, &op, &push));
    assert_int_equal(op, CC_OP_PUSHDATA2);
    assert_int_equal(push.len, 3);
    assert_int_equal(push.data[2], 0xcc);
    assert_true(cc_script_next(s, &pos, &op, &push));
    assert_int_equal(op, CC_OP_1);
    assert_int_equal(push.len, 0);
    assert_false(cc_script_next(s, &pos, &op, &push));
}

static void test_push_only(void **state)
{
    (void)state;
    assert_true(cc_script_is_push_only(script("")));
    assert_true(cc_script_is_push_only(script("0 1 16 -1 0x50 'abc'")));
    assert_false(cc_script_is_push_only(script("1 NOP")));
    assert_false(cc_script_is_push_only(script("1 0x02 0x11")));
}

static void test_numbers(void **state)
{
    static const struct {
        int64_t n;
        const char *hex;
    } rows[] = {
        {0, ""},
        {1, "01"},
        {-1, "81"},
        {127, "7f"},
        {128, "8000"},
        {-128, "8080"},
        {255, "ff00"},
        {-255, "ff80"},
        {256, "0001"},
        {0x7fffffff, "ffffff7f"},
        {-0x7fffffff, "ffffffff"},
        {0x80000000, "0000008000"},
        {INT64_MAX, "ffffffffffffff7f"},
        {-INT64_MAX, "ffffffffffffffff"},
    };
    static const char *const padded[] = {"00", "80", "0100", "0180", "7f00"};
    uint8_t b[9];
    int64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t len = cc_script_num_encode(b, rows[i].n);

        assert_string_equal(cc_test_hex(b, len), rows[i].hex);
        assert_true(cc_script_num(&n, cc_bytes(b, len), true, 8));
        assert_int_equal(n, rows[i].n);
        assert_true(cc_script_num(&n, cc_bytes(b, len), true, len));
        if (len)
            assert_false(cc_script_num(&n, cc_bytes(b, len), true, len - 1));
    }
    for (size_t i = 0; i < sizeof(padded) / sizeof(*padded); i++) {
        size_t len = strlen(padded[i]) / 2;

        cc_test_unhex_into(b, len, padded[i]);
        assert_false(cc_script_num(&n, cc_bytes(b, len), true, 4));
        assert_true(cc_script_num(&n, cc_bytes(b, len), false, 4));
    }
    memset(b, 1, sizeof(b));
    assert_false(cc_script_num(&n, cc_bytes(b, 9), false, 9));
}

/* The shortest push of len bytes, all of them fill; its first byte. */
static uint8_t check_push(size_t len, uint8_t fill, size_t head)
{
    uint8_t *data = malloc(len + 1), op;
    struct cc_bytes push;
    struct cc_writer w;
    size_t pos = 0;

    memset(data, fill, len + 1);
    cc_writer_init_heap(&w);
    cc_script_push(&w, data, len);
    assert_true(cc_script_next(cc_bytes(w.data, w.len), &pos, &op, &push));
    assert_int_equal(pos, w.len);
    if (head) {
        assert_int_equal(w.len, head + len);
        assert_int_equal(push.len, len);
        if (len)
            assert_memory_equal(push.data, data, len);
    }
    assert_true(op > CC_OP_PUSHDATA4 || cc_script_push_is_minimal(op, push));
    for (unsigned other = 0; head && other <= CC_OP_PUSHDATA4; other++)
        assert_int_equal(cc_script_push_is_minimal((uint8_t)other, push),
                         other == op);
    cc_writer_clear(&w);
    free(data);
    return op;
}

static void test_pushes(void **state)
{
    struct cc_writer w;
    uint8_t b[16];

    (void)state;
    assert_int_equal(check_push(0, 0, 1), CC_OP_0);
    assert_int_equal(check_push(1, 0, 1), 1);
    assert_int_equal(check_push(1, 17, 1), 1);
    assert_int_equal(check_push(1, 0x80, 1), 1);
    assert_int_equal(check_push(2, 1, 1), 2);
    assert_int_equal(check_push(75, 7, 1), 75);
    assert_int_equal(check_push(76, 7, 2), CC_OP_PUSHDATA1);
    assert_int_equal(check_push(255, 7, 2), CC_OP_PUSHDATA1);
    assert_int_equal(check_push(256, 7, 3), CC_OP_PUSHDATA2);
    assert_int_equal(check_push(65535, 7, 3), CC_OP_PUSHDATA2);
    assert_int_equal(check_push(65536, 7, 5), CC_OP_PUSHDATA4);
    /* One byte that has an opcode of its own. */
    assert_int_equal(check_push(1, 1, 0), CC_OP_1);
    assert_int_equal(check_push(1, 16, 0), CC_OP_16);
    assert_int_equal(check_push(1, 0x81, 0), CC_OP_1NEGATE);
    for (unsigned i = 1; i <= 17; i++) {
        b[0] = i == 17 ? 0x81 : (uint8_t)i;
        assert_false(cc_script_push_is_minimal(1, cc_bytes(b, 1)));
    }

    cc_writer_init(&w, b, sizeof(b));
    cc_script_push_int(&w, 0);
    cc_script_push_int(&w, 16);
    cc_script_push_int(&w, -1);
    cc_script_push_int(&w, 17);
    cc_script_push_int(&w, 500);
    cc_script_push_plain(&w, "\x05", 1);
    assert_string_equal(cc_test_hex(b, w.len), "00604f011102f4010105");
}

/* --- Recognising ------------------------------------------------------- */

static void solved(const char *text, enum cc_script_type want, size_t count)
{
    struct cc_bytes sols[22];
    size_t n;
    enum cc_script_type t = cc_script_solve(script(text), false, sols, &n);

    if (t != want || n != count)
        fail_msg("%s: %s with %zu", text, cc_script_type_name(t), n);
}

static void test_solver(void **state)
{
    (void)state;
    solved("", CC_SCRIPT_NONSTANDARD, 0);
    solved(KEY33 "CHECKSIG", CC_SCRIPT_PUBKEY, 1);
    solved(KEY65 "CHECKSIG", CC_SCRIPT_PUBKEY, 1);
    solved("0x21 0x03" H32 " CHECKSIG", CC_SCRIPT_PUBKEY, 1);
    solved("0x21 0x04" H32 " CHECKSIG", CC_SCRIPT_NONSTANDARD, 0);
    solved("0x41 0x02" H32 H32 " CHECKSIG", CC_SCRIPT_NONSTANDARD, 0);
    solved("0x41 0x06" H32 H32 " CHECKSIG", CC_SCRIPT_PUBKEY, 1);
    solved("0x41 0x07" H32 H32 " CHECKSIG", CC_SCRIPT_PUBKEY, 1);
    solved(KEY33 "CHECKSIGVERIFY", CC_SCRIPT_NONSTANDARD, 0);
    solved(KEY33 "CHECKSIG NOP", CC_SCRIPT_NONSTANDARD, 0);
    solved("DUP HASH160 0x14 0x" H20 " EQUALVERIFY CHECKSIG",
           CC_SCRIPT_PUBKEYHASH, 1);
    solved("DUP HASH256 0x14 0x" H20 " EQUALVERIFY CHECKSIG",
           CC_SCRIPT_NONSTANDARD, 0);
    solved("DUP HASH160 0x14 0x" H20 " EQUAL CHECKSIG", CC_SCRIPT_NONSTANDARD,
           0);
    solved("HASH160 0x14 0x" H20 " EQUAL", CC_SCRIPT_SCRIPTHASH, 1);
    solved("HASH160 0x4c 0x14 0x" H20 " EQUAL", CC_SCRIPT_NONSTANDARD, 0);
    solved("RETURN", CC_SCRIPT_NULL_DATA, 0);
    solved("RETURN 'text' 1", CC_SCRIPT_NULL_DATA, 0);
    solved("RETURN NOP", CC_SCRIPT_NONSTANDARD, 0);
    solved("RETURN 0x02 0x11", CC_SCRIPT_NONSTANDARD, 0);
}

static void test_solver_witness(void **state)
{
    struct cc_bytes sols[22], program, s;
    int version;
    size_t n;

    (void)state;
    solved("0 0x14 0x" H20, CC_SCRIPT_WITNESS_V0_KEYHASH, 1);
    solved("0 0x20 0x" H32, CC_SCRIPT_WITNESS_V0_SCRIPTHASH, 1);
    solved("0 0x15 0x" H20 "11", CC_SCRIPT_NONSTANDARD, 0);
    solved("1 0x20 0x" H32, CC_SCRIPT_WITNESS_V1_TAPROOT, 1);
    solved("1 0x14 0x" H20, CC_SCRIPT_WITNESS_UNKNOWN, 2);
    solved("2 0x20 0x" H32, CC_SCRIPT_WITNESS_UNKNOWN, 2);
    solved("-1 0x20 0x" H32, CC_SCRIPT_NONSTANDARD, 0);
    solved("0x50 0x20 0x" H32, CC_SCRIPT_NONSTANDARD, 0);
    solved("NOP 0x20 0x" H32, CC_SCRIPT_NONSTANDARD, 0);
    assert_int_equal(cc_script_solve(script("16 0x02 0xabcd"), false, sols, &n),
                     CC_SCRIPT_WITNESS_UNKNOWN);
    assert_int_equal(sols[0].data[0], 16);
    assert_int_equal(sols[1].len, 2);

    s = script("0 0x14 0x" H20);
    cc_script_solve(s, false, sols, &n);
    assert_true(cc_bytes_equal(sols[0], cc_bytes(s.data + 2, 20)));
    s = script("HASH160 0x14 0x" H20 " EQUAL");
    memset(sols, 0, sizeof(sols));
    cc_script_solve(s, false, sols, &n);
    assert_true(cc_bytes_equal(sols[0], cc_bytes(s.data + 2, 20)));
    s = script("DUP HASH160 0x14 0x" H20 " EQUALVERIFY CHECKSIG");
    cc_script_solve(s, false, sols, &n);
    assert_true(cc_bytes_equal(sols[0], cc_bytes(s.data + 3, 20)));
    s = script(KEY33 "CHECKSIG");
    cc_script_solve(s, false, sols, &n);
    assert_true(cc_bytes_equal(sols[0], cc_bytes(s.data + 1, 33)));

    /* Programs have 2 to 40 bytes. */
    s = script("1 0x01 0xaa");
    assert_false(cc_script_is_witness(s, &version, &program));
    s = script("1 0x28 0x" H20 H20);
    assert_true(cc_script_is_witness(s, &version, &program));
    assert_int_equal(version, 1);
    assert_int_equal(program.len, 40);
    s = script("1 0x29 0x" H20 H20 "11");
    assert_false(cc_script_is_witness(s, &version, &program));
    s = script("1 0x14 0x" H20 " NOP");
    assert_false(cc_script_is_witness(s, &version, &program));

    /* OP_STORAGE only where it is active. */
    s = script("0xbb 0x02 0x0101");
    assert_int_equal(cc_script_solve(s, true, sols, &n), CC_SCRIPT_STORAGE);
    assert_int_equal(cc_script_solve(s, false, sols, &n),
                     CC_SCRIPT_NONSTANDARD);
    s = script("1 0x20 0x" H32);
    assert_int_equal(cc_script_solve(s, true, sols, &n),
                     CC_SCRIPT_WITNESS_V1_TAPROOT);
}

/* m, keys times a key, n, the rest. */
static void multisig(const char *m, size_t keys, const char *n,
                     const char *rest, enum cc_script_type want)
{
    char text[4096];
    size_t len = (size_t)snprintf(text, sizeof(text), "%s ", m);

    for (size_t i = 0; i < keys; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, KEY33);
    snprintf(text + len, sizeof(text) - len, "%s %s", n, rest);
    solved(text, want, want == CC_SCRIPT_MULTISIG ? keys + 2 : 0);
}

/* n of n: both numbers are among the solutions. */
static void test_solver_numbers(void **state)
{
    struct cc_bytes sols[22];
    char text[2000];
    size_t count;

    (void)state;
    for (size_t n = 1; n <= CC_MAX_PUBKEYS_PER_MULTISIG; n++) {
        size_t len = (size_t)sprintf(text, "%zu ", n);

        for (size_t i = 0; i < n; i++)
            len += (size_t)sprintf(text + len, KEY33);
        sprintf(text + len, "%zu CHECKMULTISIG", n);
        assert_int_equal(cc_script_solve(script(text), false, sols, &count),
                         CC_SCRIPT_MULTISIG);
        assert_int_equal(count, n + 2);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(sols[i * (n + 1)].len, 1);
            assert_int_equal(sols[i * (n + 1)].data[0], n);
        }
    }
}

static void test_solver_multisig(void **state)
{
    struct cc_bytes sols[22], s;
    size_t n;

    (void)state;
    multisig("1", 1, "1", "CHECKMULTISIG", CC_SCRIPT_MULTISIG);
    multisig("2", 3, "3", "CHECKMULTISIG", CC_SCRIPT_MULTISIG);
    multisig("16", 16, "16", "CHECKMULTISIG", CC_SCRIPT_MULTISIG);
    multisig("17", 20, "20", "CHECKMULTISIG", CC_SCRIPT_MULTISIG);
    multisig("0x4c 0x01 0x11", 20, "20", "CHECKMULTISIG",
             CC_SCRIPT_NONSTANDARD); /* not the shortest push of 17 */
    multisig("0x02 0x1100", 20, "20", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("0x01 0x02", 3, "3", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("1", 21, "21", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("1", 45, "45", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("0", 1, "1", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("2", 1, "1", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("1", 2, "1", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("1", 1, "2", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("1", 0, "0", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("1", 1, "1", "CHECKMULTISIGVERIFY", CC_SCRIPT_NONSTANDARD);
    multisig("1", 1, "1", "NOP CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);
    multisig("1", 1, "", "CHECKMULTISIG", CC_SCRIPT_NONSTANDARD);

    s = script("1 " KEY33 KEY65 "2 CHECKMULTISIG");
    assert_int_equal(cc_script_solve(s, false, sols, &n), CC_SCRIPT_MULTISIG);
    assert_int_equal(n, 4);
    assert_int_equal(sols[0].data[0], 1);
    assert_int_equal(sols[1].len, 33);
    assert_int_equal(sols[2].len, 65);
    assert_int_equal(sols[3].data[0], 2);
}

static void test_type_names(void **state)
{
    static const char *const names[] = {
        "nonstandard",
        "pubkey",
        "pubkeyhash",
        "scripthash",
        "multisig",
        "nulldata",
        "witness_v0_keyhash",
        "witness_v0_scripthash",
        "witness_v1_taproot",
        "witness_unknown",
        "storage",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        assert_string_equal(cc_script_type_name((enum cc_script_type)i),
                            names[i]);
}

static void test_unspendable(void **state)
{
    static uint8_t big[CC_MAX_SCRIPT_SIZE + 1];

    (void)state;
    assert_true(cc_script_is_unspendable(script("RETURN 1")));
    assert_false(cc_script_is_unspendable(script("1 RETURN")));
    assert_false(cc_script_is_unspendable(script("")));
    assert_false(cc_script_is_unspendable(cc_bytes(big, sizeof(big) - 1)));
    assert_true(cc_script_is_unspendable(cc_bytes(big, sizeof(big))));
}

/* --- Sigops ------------------------------------------------------------ */

static void test_sigops(void **state)
{
    struct cc_bytes s;

    (void)state;
    s = script("CHECKSIG CHECKSIGVERIFY 0xba");
    assert_int_equal(cc_script_sigops(s, false), 2);
    s = script("3 CHECKMULTISIG 16 CHECKMULTISIGVERIFY");
    assert_int_equal(cc_script_sigops(s, false), 40);
    assert_int_equal(cc_script_sigops(s, true), 19);
    s = script("1 CHECKMULTISIG");
    assert_int_equal(cc_script_sigops(s, true), 1);
    s = script("CHECKMULTISIG 0 CHECKMULTISIG 0x01 0x02 CHECKMULTISIG");
    assert_int_equal(cc_script_sigops(s, true), 60);
    /* Whatever follows a push that is cut short does not count. */
    s = script("CHECKSIG 0x4c 0x05 CHECKSIG");
    assert_int_equal(cc_script_sigops(s, true), 1);
    /* Nor what is pushed. */
    s = script("0x02 0xacac");
    assert_int_equal(cc_script_sigops(s, true), 0);
}

/* Cost of one input that spends script with script_sig and witness item. */
static int64_t cost(const char *script_sig, const char *spent,
                    const char *witness, uint32_t flags)
{
    struct cc_bytes item = witness ? script(witness) : cc_bytes(NULL, 0);
    struct pair p;

    pair_init(&p, script(script_sig), script(spent), &item, witness ? 1 : 0, 0);
    return cc_tx_sigop_cost(&p.tx, &p.coin, flags);
}

static void test_sigop_cost(void **state)
{
    const uint32_t both = CC_VERIFY_P2SH | CC_VERIFY_WITNESS;
    const char *p2sh = "HASH160 0x14 0x" H20 " EQUAL";
    const char *p2wsh = "0 0x20 0x" H32;
    struct pair p;

    (void)state;
    /* What is spent counts where it stands, in its own transaction. */
    assert_int_equal(cost("", "CHECKSIG", NULL, both), 0);
    assert_int_equal(cost("CHECKSIG", "1", NULL, both), 4);
    assert_int_equal(cost("2 CHECKMULTISIG", "1", NULL, both), 80);
    /* P2SH: accurate, times four. */
    assert_int_equal(cost("1 0x02 0x53ae", p2sh, NULL, both), 12);
    assert_int_equal(cost("", p2sh, NULL, both), 0);
    assert_int_equal(cost("16 0x02 0x53ae", p2sh, NULL, both), 12);
    assert_int_equal(cost("1 0x02 0x53ae", p2sh, NULL, 0), 0);
    assert_int_equal(cost("NOP 0x02 0x53ae", p2sh, NULL, both), 0);
    assert_int_equal(cost("0x02 0x53ae NOP", p2sh, NULL, both), 0);
    assert_int_equal(cost("0x02 0x53ae 0x02 0x11", p2sh, NULL, both), 0);
    assert_int_equal(cost("0x02 0x53ae 1", p2sh, NULL, both), 0);
    /* Witness: times one. */
    assert_int_equal(cost("", "0 0x14 0x" H20, NULL, both), 1);
    assert_int_equal(cost("", "0 0x14 0x" H20, NULL, CC_VERIFY_P2SH), 0);
    assert_int_equal(cost("", p2wsh, "3 CHECKMULTISIG CHECKSIG", both), 4);
    assert_int_equal(cost("", p2wsh, "CHECKMULTISIG", both), 20);
    assert_int_equal(cost("", p2wsh, NULL, both), 0);
    assert_int_equal(cost("", "0 0x02 0x0102", "CHECKSIG", both), 0);
    assert_int_equal(cost("", "1 0x20 0x" H32, "CHECKSIG", both), 0);
    /* Both. */
    assert_int_equal(cost("0x16 0x0014" H20, p2sh, NULL, both), 1);
    assert_int_equal(cost("0x22 0x0020" H32, p2sh, "2 CHECKMULTISIG", both), 2);
    assert_int_equal(cost("0x22 0x0020" H32, p2sh, "2 CHECKMULTISIG", 0), 0);
    assert_int_equal(cost("NOP 0x16 0x0014" H20, p2sh, NULL, both), 0);

    /* Outputs count, not accurately; a coinbase spends nothing. */
    pair_init(&p, script("CHECKSIG"), script("0 0x14 0x" H20), NULL, 0, 0);
    p.out.script = script("2 CHECKMULTISIG");
    assert_int_equal(cc_tx_legacy_sigops(&p.tx), 21);
    assert_int_equal(cc_tx_sigop_cost(&p.tx, &p.coin, both), 85);
    memset(p.in.prevout.txid, 0, 32);
    p.in.prevout.index = UINT32_MAX;
    assert_int_equal(cc_tx_sigop_cost(&p.tx, NULL, both), 84);
}

/* --- Text -------------------------------------------------------------- */

static void shown(const char *text, bool sighash, const char *want)
{
    char out[4096];
    struct cc_writer w;

    cc_writer_init(&w, out, sizeof(out) - 1);
    cc_script_asm(&w, script(text), sighash);
    out[w.len] = 0;
    assert_string_equal(out, want);
}

#define SIG                                                                    \
    "304402203f16c6f40162ab686621ef3000b04e75418a0c0cb2d8aebeac894ae360ac1e78" \
    "0220ddc15ecdfc3507ac48e1681a33eb60996631bf6bf5bc0a0682c4db743ce7ca2b"
#define STRICT                                                                 \
    "304402203f16c6f40162ab686621ef3000b04e75418a0c0cb2d8aebeac894ae360ac1e78" \
    "02205dc15ecdfc3507ac48e1681a33eb60996631bf6bf5bc0a0682c4db743ce7ca2b"

static void test_asm(void **state)
{
    (void)state;
    shown("", false, "");
    shown("DUP HASH160 0x14 0x" H20 " EQUALVERIFY CHECKSIG", false,
          "OP_DUP OP_HASH160 " H20 " OP_EQUALVERIFY OP_CHECKSIG");
    shown("0 1 16 -1 0x50", false, "0 1 16 -1 OP_RESERVED");
    /* Up to four bytes are shown as a number. */
    shown("0x01 0x05 0x04 0xffffffff 0x05 0x0102030405", false,
          "5 -2147483647 0102030405");
    shown("0x02 0x0100", false, "1");
    shown("1 0x02 0x11", false, "1 [error]");
    shown("0xbb 0xff", false, "OP_UNKNOWN OP_INVALIDOPCODE");
    /* The hash type of what looks like a signature. */
    shown("0x47 0x" STRICT "01", true, STRICT "[ALL]");
    shown("0x47 0x" STRICT "02", true, STRICT "[NONE]");
    shown("0x47 0x" STRICT "03", true, STRICT "[SINGLE]");
    shown("0x47 0x" STRICT "81", true, STRICT "[ALL|ANYONECANPAY]");
    shown("0x47 0x" STRICT "82", true, STRICT "[NONE|ANYONECANPAY]");
    shown("0x47 0x" STRICT "83", true, STRICT "[SINGLE|ANYONECANPAY]");
    shown("0x47 0x" STRICT "04", true, STRICT "04");
    shown("0x47 0x" STRICT "01", false, STRICT "01");
    shown("0x47 0x" SIG "01", true, SIG "01"); /* S is negative */
    shown("RETURN 0x47 0x" STRICT "01", true, "OP_RETURN " STRICT "01");
}

/* BIP 66, byte by byte: what each place may not be. */
static void test_strict_der(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } faults[] = {
        {0, 0x31},             /* no sequence */
        {1, 0x43},             /* length too small, too large */
        {1, 0x45},  {2, 0x03}, /* R is no integer */
        {3, 0x00},             /* R empty; other lengths lose their place */
        {3, 0x1f},  {3, 0x21},  {3, 0xff},  {4, 0xbf},  /* R negative */
        {36, 0x03},                                     /* S is no integer */
        {37, 0x00}, {37, 0x1f}, {37, 0x21}, {38, 0xdd}, /* S negative */
    };
    uint8_t sig[80];

    (void)state;
    cc_test_unhex_into(sig, 71, STRICT "01");
    assert_true(cc_sig_is_strict_der(cc_bytes(sig, 71)));
    assert_false(cc_sig_is_strict_der(cc_bytes(sig, 70)));
    assert_false(cc_sig_is_strict_der(cc_bytes(sig, 72)));
    for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        uint8_t saved = sig[faults[i].at];

        sig[faults[i].at] = faults[i].value;
        assert_false(cc_sig_is_strict_der(cc_bytes(sig, 71)));
        sig[faults[i].at] = saved;
    }
    /* Padding: a zero byte only to keep the next from being a sign. */
    for (size_t at = 4; at <= 38; at += 34) {
        cc_test_unhex_into(sig, 71, STRICT "01");
        sig[at] = 0;
        sig[at + 1] = 0x7f;
        assert_false(cc_sig_is_strict_der(cc_bytes(sig, 71)));
        sig[at + 1] = 0x80;
        assert_true(cc_sig_is_strict_der(cc_bytes(sig, 71)));
    }
    /* The shortest, with one byte each; one zero byte is a number. */
    cc_test_unhex_into(sig, 9, "300602010102010101");
    assert_true(cc_sig_is_strict_der(cc_bytes(sig, 9)));
    sig[4] = sig[7] = 0;
    assert_true(cc_sig_is_strict_der(cc_bytes(sig, 9)));
    cc_test_unhex_into(sig, 8, "3005020002010101");
    assert_false(cc_sig_is_strict_der(cc_bytes(sig, 8)));
    cc_test_unhex_into(sig, 9, "300602000202010101");
    assert_false(cc_sig_is_strict_der(cc_bytes(sig, 9)));
    cc_test_unhex_into(sig, 9, "300602020101020001");
    assert_false(cc_sig_is_strict_der(cc_bytes(sig, 9)));
    /* The longest is 73: two integers of 33. */
    memset(sig, 0x01, sizeof(sig));
    sig[0] = 0x30;
    sig[2] = sig[37] = 2;
    sig[3] = sig[38] = 33;
    sig[1] = 70;
    assert_true(cc_sig_is_strict_der(cc_bytes(sig, 73)));
    sig[1] = 71;
    sig[38] = 34;
    assert_false(cc_sig_is_strict_der(cc_bytes(sig, 74)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_push_only),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_pushes),
        cmocka_unit_test(test_solver),
        cmocka_unit_test(test_solver_witness),
        cmocka_unit_test(test_solver_numbers),
        cmocka_unit_test(test_solver_multisig),
        cmocka_unit_test(test_type_names),
        cmocka_unit_test(test_unspendable),
        cmocka_unit_test(test_sigops),
        cmocka_unit_test(test_sigop_cost),
        cmocka_unit_test(test_asm),
        cmocka_unit_test(test_strict_der),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
