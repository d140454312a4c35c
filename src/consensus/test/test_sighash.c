/* What signatures sign: sighash.json (Core), the examples of BIP 143 and the
 * wallet vectors of BIP 341. */
#include <stdio.h>
#include <stdlib.h>

#include "consensus/tap_midstate.h"
#include "crypto/ec.h"
#include "script_text.h"

static struct cc_bytes unhex(const char *hex)
{
    size_t len;
    uint8_t *raw = cc_test_unhex(hex, &len);

    return cc_bytes(raw, len);
}

static void bytes_free(struct cc_bytes b) { free((void *)b.data); }

static void tx_from_hex(struct cc_tx *tx, const char *hex)
{
    struct cc_bytes raw = unhex(hex);

    assert_int_equal(cc_tx_decode(tx, raw.data, raw.len, true), CC_OK);
    bytes_free(raw);
}

static void test_midstates(void **state)
{
    static const char *const tags[] = {
        [TAP_LEAF] = "TapLeaf",
        [TAP_BRANCH] = "TapBranch",
        [TAP_TWEAK] = "TapTweak",
        [TAP_SIGHASH] = "TapSighash",
    };

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct cc_sha256 a, b;

        tap_midstate_init(&a, (enum tap_tag)i);
        cc_sha256_init_tag(&b, tags[i]);
        assert_int_equal(a.count, b.count);
        assert_memory_equal(a.state, b.state, sizeof(a.state));
    }
}

/* --- sighash.json ------------------------------------------------------ */

static void test_legacy(void **state)
{
    json_t *root = cc_test_load_json("sighash.json"), *v;
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(root, i, v)
    {
        struct cc_bytes code;
        uint8_t want[32], got[32];
        struct cc_tx tx;

        if (json_array_size(v) < 5)
            continue; /* a comment */
        tx_from_hex(&tx, json_string_value(json_array_get(v, 0)));
        code = unhex(json_string_value(json_array_get(v, 1)));
        cc_test_unhex_into(want, 32, json_string_value(json_array_get(v, 4)));
        cc_sighash_legacy(
            got, &tx, (size_t)json_integer_value(json_array_get(v, 2)), code,
            (uint32_t)json_integer_value(json_array_get(v, 3)));
        for (size_t j = 0; j < 32; j++)
            assert_int_equal(got[j], want[31 - j]);
        bytes_free(code);
        cc_tx_clear(&tx);
        ran++;
    }
    json_decref(root);
    cc_test_ran("sighash.json", ran);
    assert_int_equal(ran, 500);
}

/* Where the original client signed the number one. */
static void test_legacy_one(void **state)
{
    static const uint8_t one[32] = {1};
    uint8_t h[32];
    struct cc_txin in[2] = {0};
    struct cc_txout out = {0};
    struct cc_tx tx = {
        .vin = in, .vin_count = 2, .vout = &out, .vout_count = 1};

    (void)state;
    cc_sighash_legacy(h, &tx, 0, cc_bytes(NULL, 0), CC_SIGHASH_SINGLE);
    assert_memory_not_equal(h, one, 32);
    cc_sighash_legacy(h, &tx, 1, cc_bytes(NULL, 0), CC_SIGHASH_SINGLE);
    assert_memory_equal(h, one, 32);
    cc_sighash_legacy(h, &tx, 2, cc_bytes(NULL, 0), CC_SIGHASH_ALL);
    assert_memory_equal(h, one, 32);
}

/* --- BIP 143 ----------------------------------------------------------- */

/* The text as it goes: what it said last of each kind. */
struct bip143 {
    struct cc_tx tx; /* unsigned */
    bool have_tx;
    struct cc_bytes preimage;
    struct cc_coin coins[8];
    size_t coin_count;
    size_t hashes, spends;
};

/* The run of hex digits at the start of s, malloc'd. */
static char *hex_run(const char *s)
{
    size_t n;

    s += strspn(s, " \t");
    n = strspn(s, "0123456789abcdef");
    return strndup(s, n);
}

static cc_amount decimal(const char *s)
{
    char *end;
    cc_amount v = strtoll(s, &end, 10) * CC_COIN, unit = CC_COIN;

    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++)
            v += (*end - '0') * (unit /= 10);
    return v;
}

static void bip143_reset(struct bip143 *b)
{
    if (b->have_tx)
        cc_tx_clear(&b->tx);
    b->have_tx = false;
    for (size_t i = 0; i < b->coin_count; i++)
        bytes_free(b->coins[i].out.script);
    b->coin_count = 0;
}

/* Take the preimage apart, hash it again from the transaction. */
static void bip143_hash(struct bip143 *b, const char *want_hex)
{
    struct cc_sighash s;
    struct cc_outpoint o;
    struct cc_bytes code;
    struct cc_reader r;
    uint8_t want[32], got[32];
    cc_amount value;
    uint32_t type;
    char *hex = hex_run(want_hex);
    size_t i = 0;

    cc_test_unhex_into(want, 32, hex);
    free(hex);
    cc_reader_init(&r, b->preimage.data, b->preimage.len);
    cc_read_slice(&r, 4 + 32 + 32);
    cc_read_bytes(&r, o.txid, 32);
    o.index = cc_read_u32le(&r);
    code = cc_read_var(&r);
    value = (cc_amount)cc_read_u64le(&r);
    cc_read_slice(&r, 4 + 32 + 4);
    type = cc_read_u32le(&r);
    assert_true(cc_reader_done(&r));
    while (i < b->tx.vin_count && !cc_outpoint_equal(&b->tx.vin[i].prevout, &o))
        i++;
    assert_true(i < b->tx.vin_count);
    cc_sighash_init(&s, &b->tx, NULL);
    cc_sighash_v0(got, &s, i, code, type, value);
    assert_memory_equal(got, want, 32);
    b->hashes++;
}

/* The signed transaction spends the coins that the text gave. */
static void bip143_spend(struct bip143 *b, const char *tx_hex)
{
    struct cc_sighash s;
    enum cc_script_error e;
    char *hex = hex_run(tx_hex);
    struct cc_tx tx;

    tx_from_hex(&tx, hex);
    free(hex);
    assert_int_equal(b->coin_count, tx.vin_count);
    cc_sighash_init(&s, &tx, b->coins);
    for (size_t i = 0; i < tx.vin_count; i++) {
        bool ok =
            cc_script_verify(&s, i, b->coins[i].out.script,
                             b->coins[i].out.value, CC_VERIFY_MANDATORY, &e);

        if (!ok)
            fail_msg("input %zu: %s", i, cc_script_error_string(e));
    }
    cc_tx_clear(&tx);
    b->spends++;
}

/* What follows the mark in line, or the next line if nothing does. */
static const char *behind(const char *line, const char *mark, const char *next)
{
    const char *p = strstr(line, mark);

    if (!p)
        return NULL;
    p += strlen(mark);
    return p[strspn(p, " ")] ? p : next;
}

static void bip143_tx(struct bip143 *b, const char *text)
{
    char *hex = hex_run(text);

    bip143_reset(b);
    tx_from_hex(&b->tx, hex);
    free(hex);
    b->have_tx = true;
}

static void bip143_coin(struct bip143 *b, const char *line)
{
    struct cc_coin *coin = &b->coins[b->coin_count++];
    char *hex = hex_run(strchr(line, ':') + 1);

    assert_in_range(b->coin_count, 1, 8);
    coin->out.script = unhex(hex);
    coin->out.value = decimal(strstr(line, "value:") + 6);
    free(hex);
}

static void bip143_line(struct bip143 *b, const char *line, const char *next)
{
    const char *p;

    if ((p = behind(line, "unsigned transaction:", next)) ||
        (p = behind(line, "</code> examples:", next))) {
        bip143_tx(b, p);
    } else if (strstr(line, "scriptPubKey") && strstr(line, "value:")) {
        bip143_coin(b, line);
    } else if ((p = strstr(line, "preimage"))) {
        char *hex = hex_run(strchr(p, ':') + 1);

        bytes_free(b->preimage);
        b->preimage = unhex(hex);
        free(hex);
    } else if ((p = behind(line, "sigHash:", next)) ||
               (p = behind(line, "sighash:", next))) {
        bip143_hash(b, p);
    } else if ((p = behind(line, "signed transaction is:", next))) {
        bip143_spend(b, p);
    } else if ((p = behind(line, "input-output pairs are swapped:", next))) {
        struct cc_coin first = b->coins[0];

        b->coins[0] = b->coins[1];
        b->coins[1] = first;
        bip143_spend(b, p);
    }
}

static void test_bip143(void **state)
{
    char *text = cc_test_load("bip143_vectors.mediawiki", NULL), *next;
    struct bip143 b = {0};

    (void)state;
    if (!text)
        skip();
    for (char *line = text; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = 0;
        bip143_line(&b, line, next);
    }
    bip143_reset(&b);
    bytes_free(b.preimage);
    free(text);
    cc_test_ran("bip143: signature hashes", b.hashes);
    cc_test_ran("bip143: signed transactions", b.spends);
    assert_int_equal(b.hashes, 14);
    assert_int_equal(b.spends, 7);
}

/* --- BIP 341 ----------------------------------------------------------- */

static struct {
    uint8_t leaf[16][32];
    size_t count;
} leaves;

/* Hash of a script tree: a leaf, or a pair of trees. */
static void tree_hash(uint8_t out[32], const json_t *tree)
{
    uint8_t a[32], b[32];

    if (json_is_array(tree)) {
        tree_hash(a, json_array_get(tree, 0));
        tree_hash(b, json_array_get(tree, 1));
        cc_tap_root(out, a, b, 1);
    } else {
        struct cc_bytes script = unhex(cc_test_string(tree, "script"));

        cc_tapleaf_hash(out, (uint8_t)cc_test_int(tree, "leafVersion"), script);
        memcpy(leaves.leaf[leaves.count++], out, 32);
        bytes_free(script);
    }
}

static void check_hex(const json_t *o, const char *key, const void *got,
                      size_t len)
{
    if (strcmp(cc_test_string(o, key), cc_test_hex(got, len)) != 0)
        fail_msg("%s: %s", key, cc_test_hex(got, len));
}

/* Each control block leads from its leaf to the output key. */
static void check_controls(const json_t *controls, const uint8_t output[32])
{
    const json_t *v;
    size_t i;

    json_array_foreach(controls, i, v)
    {
        struct cc_bytes c = unhex(json_string_value(v));
        uint8_t root[32], tweak[32];

        cc_tap_root(root, leaves.leaf[i], c.data + 33, (c.len - 33) / 32);
        cc_taptweak_hash(tweak, c.data + 1, root);
        assert_true(
            cc_ec_tweak_check(output, c.data[0] & 1, c.data + 1, tweak));
        bytes_free(c);
    }
}

static void check_output(const json_t *v)
{
    const json_t *given = json_object_get(v, "given"), *leaf_hashes;
    const json_t *mid = json_object_get(v, "intermediary"), *h;
    const json_t *want = json_object_get(v, "expected");
    const json_t *tree = json_object_get(given, "scriptTree");
    uint8_t internal[32], root[32], tweak[32], output[32], script[34];
    bool odd;
    size_t i;

    leaves.count = 0;
    cc_test_unhex_into(internal, 32, cc_test_string(given, "internalPubkey"));
    if (!json_is_null(tree)) {
        tree_hash(root, tree);
        check_hex(mid, "merkleRoot", root, 32);
    }
    leaf_hashes = json_object_get(mid, "leafHashes");
    assert_int_equal(json_array_size(leaf_hashes), leaves.count);
    json_array_foreach(leaf_hashes, i, h) assert_string_equal(
        json_string_value(h), cc_test_hex(leaves.leaf[i], 32));
    cc_taptweak_hash(tweak, internal, json_is_null(tree) ? NULL : root);
    check_hex(mid, "tweak", tweak, 32);
    assert_true(cc_ec_xonly_tweak(output, &odd, internal, tweak));
    check_hex(mid, "tweakedPubkey", output, 32);
    script[0] = CC_OP_1;
    script[1] = 32;
    memcpy(script + 2, output, 32);
    check_hex(want, "scriptPubKey", script, 34);
    check_controls(json_object_get(want, "scriptPathControlBlocks"), output);
}

/* SigMsg and hash of one input, as the wallet would make them. */
static void check_message(const struct cc_sighash *s, const json_t *v)
{
    const json_t *given = json_object_get(v, "given");
    const json_t *mid = json_object_get(v, "intermediary");
    size_t index = (size_t)cc_test_int(given, "txinIndex");
    uint8_t type = (uint8_t)cc_test_int(given, "hashType"), h[32];
    struct cc_taproot_ctx ctx = {.tapscript = false};
    struct cc_writer w;

    cc_writer_init_heap(&w);
    cc_sighash_v1_msg(&w, s, index, type, 0);
    check_hex(mid, "sigMsg", w.data, w.len);
    cc_writer_clear(&w);
    assert_true(cc_sighash_v1(h, s, index, type, &ctx));
    check_hex(mid, "sigHash", h, 32);
}

static void check_spend(const json_t *v)
{
    const json_t *given = json_object_get(v, "given"), *in, *utxo;
    const json_t *mid = json_object_get(v, "intermediary");
    struct cc_coin coins[16] = {0};
    struct cc_sighash s;
    struct cc_tx tx;
    size_t i;

    json_array_foreach(json_object_get(given, "utxosSpent"), i, utxo)
    {
        coins[i].out.script = unhex(cc_test_string(utxo, "scriptPubKey"));
        coins[i].out.value = cc_test_int(utxo, "amountSats");
    }
    tx_from_hex(&tx, cc_test_string(given, "rawUnsignedTx"));
    cc_sighash_init(&s, &tx, coins);
    check_hex(mid, "hashAmounts", s.amounts, 32);
    check_hex(mid, "hashOutputs", s.outputs, 32);
    check_hex(mid, "hashPrevouts", s.prevouts, 32);
    check_hex(mid, "hashScriptPubkeys", s.scripts, 32);
    check_hex(mid, "hashSequences", s.sequences, 32);
    json_array_foreach(json_object_get(v, "inputSpending"), i, in)
        check_message(&s, in);
    cc_tx_clear(&tx);

    tx_from_hex(
        &tx, cc_test_string(json_object_get(v, "auxiliary"), "fullySignedTx"));
    cc_sighash_init(&s, &tx, coins);
    for (i = 0; i < tx.vin_count; i++)
        assert_true(cc_script_verify(&s, i, coins[i].out.script,
                                     coins[i].out.value, CC_VERIFY_STANDARD,
                                     NULL));
    cc_test_ran("bip341: inputs of the signed transaction", tx.vin_count);
    cc_tx_clear(&tx);
    for (i = 0; i < 16; i++)
        bytes_free(coins[i].out.script);
}

static void test_bip341(void **state)
{
    json_t *root = cc_test_load_json("bip341_wallet_vectors.json"), *v;
    size_t i, outputs = 0, messages = 0;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(json_object_get(root, "scriptPubKey"), i, v)
    {
        check_output(v);
        outputs++;
    }
    json_array_foreach(json_object_get(root, "keyPathSpending"), i, v)
    {
        check_spend(v);
        messages += json_array_size(json_object_get(v, "inputSpending"));
    }
    json_decref(root);
    cc_test_ran("bip341: outputs", outputs);
    cc_test_ran("bip341: signature messages", messages);
    assert_int_equal(outputs, 7);
    assert_int_equal(messages, 7);
}

/* A branch has one hash, whichever side is written first; the last byte may be
 * all that orders them. */
static void test_branch_order(void **state)
{
    uint8_t low[32] = {1}, high[32] = {1, [31] = 1}, a[32], b[32];

    (void)state;
    cc_tap_root(a, low, high, 1);
    cc_tap_root(b, high, low, 1);
    assert_memory_equal(a, b, 32);
}

/* Hash types of BIP 341 that do not exist, and SINGLE without its output. */
static void test_v1_types(void **state)
{
    struct cc_txin in[2] = {0};
    struct cc_txout out = {0};
    struct cc_coin coins[2] = {0};
    struct cc_tx tx = {
        .vin = in, .vin_count = 2, .vout = &out, .vout_count = 1};
    struct cc_taproot_ctx ctx = {.tapscript = false};
    uint8_t long_script[300] = {0}, a[32], b[32];
    struct cc_sighash s;

    (void)state;
    cc_sighash_init(&s, &tx, coins);
    for (unsigned type = 0; type < 256; type++) {
        bool exists = (type & 0x7f) <= 3 && type != 0x80;
        bool single = (type & 0x7f) == 3;

        assert_int_equal(cc_sighash_v1(a, &s, 0, (uint8_t)type, &ctx), exists);
        assert_int_equal(cc_sighash_v1(a, &s, 1, (uint8_t)type, &ctx),
                         exists && !single);
    }
    /* Any spent script fits, however long. */
    assert_true(cc_sighash_v1(a, &s, 0, 0x81, &ctx));
    coins[0].out.script = cc_bytes(long_script, sizeof(long_script));
    assert_true(cc_sighash_v1(b, &s, 0, 0x81, &ctx));
    assert_memory_not_equal(a, b, 32);
    long_script[299] = 1;
    assert_true(cc_sighash_v1(a, &s, 0, 0x81, &ctx));
    assert_memory_not_equal(a, b, 32);
    /* Without the coins there is nothing to sign. */
    cc_sighash_init(&s, &tx, NULL);
    assert_false(cc_sighash_v1(a, &s, 0, 0, &ctx));
}

/* What annex and tapscript add to SigMsg (BIP 341, BIP 342), put together by
 * hand: two bits of the spend type; the annex's hash, before that of SINGLE's
 * output; leaf hash, key version and place of the last OP_CODESEPARATOR. */
static void test_v1_extension(void **state)
{
    static const uint8_t types[] = {0x00, 0x01, 0x02, 0x83};
    uint8_t annex[32] = {0xaa}, extra[37] = {0xbb}, msg[400], a[32], b[32];
    struct cc_txin in = {.sequence = 5};
    struct cc_txout out = {.value = 6};
    struct cc_coin coin = {.out = {.value = 7}};
    struct cc_tx tx = {
        .vin = &in, .vin_count = 1, .vout = &out, .vout_count = 1};
    struct cc_sighash s;
    struct cc_writer w;

    (void)state;
    cc_sighash_init(&s, &tx, &coin);
    cc_put_u32le(extra + 33, 0x01020304);
    for (unsigned i = 0; i < 4 * sizeof(types); i++) {
        const uint8_t type = types[i / 4];
        const bool tapscript = i & 1, annexed = i & 2;
        struct cc_taproot_ctx ctx = {.tapscript = tapscript,
                                     .codesep_pos = 0x01020304};
        size_t tail = type == 0x83 ? 32 : 0;

        memcpy(ctx.leaf_hash, extra, 32);
        ctx.annex_hash = annexed ? annex : NULL;
        cc_writer_init(&w, msg, sizeof(msg));
        cc_sighash_v1_msg(&w, &s, 0, type, (uint8_t)(2 * tapscript + annexed));
        if (annexed) {
            memmove(msg + w.len - tail + 32, msg + w.len - tail, tail);
            memcpy(msg + w.len - tail, annex, 32);
            w.len += 32;
        }
        if (tapscript)
            cc_write_bytes(&w, extra, sizeof(extra));
        assert_false(w.failed);
        cc_tagged_hash(a, "TapSighash", msg, w.len);
        assert_true(cc_sighash_v1(b, &s, 0, type, &ctx));
        assert_memory_equal(a, b, 32);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_midstates),  cmocka_unit_test(test_legacy),
        cmocka_unit_test(test_legacy_one), cmocka_unit_test(test_bip143),
        cmocka_unit_test(test_bip341),     cmocka_unit_test(test_branch_order),
        cmocka_unit_test(test_v1_types),   cmocka_unit_test(test_v1_extension),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
