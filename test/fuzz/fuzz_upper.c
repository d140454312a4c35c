/* chain, storage, wallet, rpc. */
#include "chain/blockfile.h"
#include "chain/coins.h"
#include "chain/gcs.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "fuzz.h"
#include "rpc/json.h"
#include "storage/host_i.h"
#include "storage/message.h"
#include "wallet/descriptor.h"
#include "wallet/file.h"
#include "wallet/keys.h"
#include "wallet/miniscript.h"

/* --- Filters of blocks ------------------------------------------------- */

/* Together two scripts are found where one of them is. */
void fuzz_gcs(const uint8_t *data, size_t len)
{
    static const uint8_t block[32];
    const struct cc_bytes scripts[2] = {cc_bytes("a", 1), cc_bytes("bb", 2)};
    bool one = false, other = false, any = false;
    struct cc_bytes filter = cc_bytes(data, len);

    if (cc_gcs_match(filter, block, scripts, 2, &any) != CC_OK) {
        FUZZ_CHECK(!any);
        return;
    }
    FUZZ_CHECK(cc_gcs_match(filter, block, scripts, 1, &one) == CC_OK);
    FUZZ_CHECK(cc_gcs_match(filter, block, scripts + 1, 1, &other) == CC_OK);
    FUZZ_CHECK(any == (one || other));
}

/* --- Coins on disk ----------------------------------------------------- */

static void check_coin(const uint8_t *data, size_t len, bool undo)
{
    struct cc_coin coin, again;
    struct cc_arena arena;
    struct cc_reader r;
    struct cc_writer w;

    cc_arena_init(&arena);
    cc_reader_init(&r, data, len);
    (undo ? cc_coin_read_undo : cc_coin_read)(&r, &coin, &arena);
    if (!r.failed) {
        cc_writer_init_heap(&w);
        (undo ? cc_coin_write_undo : cc_coin_write)(&w, &coin);
        cc_reader_init(&r, w.data, w.len);
        (undo ? cc_coin_read_undo : cc_coin_read)(&r, &again, &arena);
        FUZZ_CHECK(cc_reader_done(&r));
        FUZZ_CHECK(again.height == coin.height &&
                   again.coinbase == coin.coinbase &&
                   again.out.value == coin.out.value);
        FUZZ_CHECK(cc_bytes_equal(again.out.script, coin.out.script));
        cc_writer_clear(&w);
    }
    cc_arena_clear(&arena);
}

void fuzz_coin(const uint8_t *data, size_t len)
{
    struct cc_outpoint o;
    uint8_t key[CC_COIN_KEY_MAX];

    check_coin(data, len, false);
    check_coin(data, len, true);
    if (cc_coin_key_read(&o, cc_bytes(data, len))) {
        FUZZ_CHECK(cc_coin_key(key, &o) == len);
        FUZZ_CHECK(!memcmp(key, data, len));
    }
}

/* --- Block files ------------------------------------------------------- */

#define MAGIC 0xdab5bffa

static bool one_block(void *arg, uint32_t file, uint32_t pos,
                      struct cc_bytes block)
{
    size_t *sum = arg;

    (void)file;
    (void)pos;
    for (size_t i = 0; i < block.len; i++)
        *sum += block.data[i];
    return true;
}

void fuzz_blockfile(const uint8_t *data, size_t len)
{
    char folder[400], path[500];
    struct cc_blockfiles *b;
    struct cc_error err;
    uint8_t zero[32] = {0}, *out;
    size_t sum = 0, n;

    snprintf(folder, sizeof(folder), "%s", fuzz_path("blocks"));
    if (cc_blockfiles_open(&b, folder, MAGIC, NULL, &err) != CC_OK)
        return;
    cc_blockfiles_free(b);
    snprintf(path, sizeof(path), "%s/blk00000.dat", folder);
    fuzz_put_file(path, data, len);
    snprintf(path, sizeof(path), "%s/rev00000.dat", folder);
    fuzz_put_file(path, data, len);
    FUZZ_CHECK(cc_blockfiles_open(&b, folder, MAGIC, NULL, &err) == CC_OK);
    (void)cc_blockfiles_each(b, one_block, &sum, &err);
    if (cc_blockfiles_read(b, 0, 8, len > 8 ? (uint32_t)(len - 8) : 1, &out,
                           &err) == CC_OK)
        free(out);
    if (cc_blockfiles_read_undo(b, 0, 8, zero, &out, &n, &err) == CC_OK) {
        FUZZ_CHECK(n <= len);
        free(out);
    }
    cc_blockfiles_free(b);
}

/* --- Sessions ---------------------------------------------------------- */

/* type 1, then the body. */
void fuzz_session(const uint8_t *data, size_t len)
{
    struct cc_message m = {0};
    struct cc_change change;
    struct cc_reader r;
    struct cc_writer w;

    if (!len)
        return;
    m.type = (enum cc_message_type)data[0];
    data++;
    len--;
    if (len > cc_message_limit(m.type))
        return;
    if (cc_message_decode(&m, data, len) != CC_OK)
        return;
    FUZZ_CHECK(cc_message_name(m.type));
    cc_writer_init_heap(&w);
    cc_message_encode(&w, &m);
    FUZZ_CHECK(fuzz_same(&w, data, len));
    cc_writer_clear(&w);
    if (m.type == CC_MSG_REVISE) {
        cc_reader_init(&r, m.u.revise.changes.data, m.u.revise.changes.len);
        for (size_t i = 0; i < m.u.revise.change_count; i++)
            cc_change_read(&r, &change);
        FUZZ_CHECK(cc_reader_done(&r));
    }
}

/* A host's contracts/<id>.dat, without the hash at its end, which is put there
 * so that the rest is read at all. */
void fuzz_hostfile(const uint8_t *data, size_t len)
{
    struct cc_host_contract *c;
    struct cc_error err;
    struct cc_writer file, w;
    uint8_t hash[32];

    cc_writer_init_heap(&file);
    cc_sha256_once(hash, data, len);
    cc_write_bytes(&file, data, len);
    cc_write_bytes(&file, hash, 32);
    if (cc_host_contract_decode(&c, file.data, file.len, &err) == CC_OK) {
        cc_writer_init_heap(&w);
        cc_host_contract_encode(&w, c);
        FUZZ_CHECK(fuzz_same(&w, file.data, file.len));
        cc_writer_clear(&w);
        cc_host_contract_free(c);
    }
    cc_writer_clear(&file);
}

/* --- Wallet files ------------------------------------------------------ */

static enum cc_status one_record(void *arg, uint8_t type,
                                 struct cc_bytes record, struct cc_error *err)
{
    size_t *count = arg;

    (void)type;
    (void)record;
    (void)err;
    ++*count;
    return CC_OK;
}

/* A good file of two commits, then: how many bytes to cut 1, where to change
 * 2, with what 1, and bytes to put behind it. Reading gives all, or a part if
 * the end was touched, or says that it is damaged. */
void fuzz_wallet(const uint8_t *data, size_t len)
{
    static const uint8_t genesis[32] = {9};
    static uint8_t file[4096];
    const char *path = fuzz_path("wallet.dat");
    struct cc_wallet_file *f;
    struct cc_error err;
    struct cc_reader r;
    size_t n = 0, size, cut, at;
    enum cc_status st;
    uint8_t change;
    FILE *in;

    remove(path);
    FUZZ_CHECK(cc_wallet_file_create(&f, path, genesis, &err) == CC_OK);
    cc_wallet_file_add(f, 1, "first", 5);
    FUZZ_CHECK(cc_wallet_file_commit(f, &err) == CC_OK);
    cc_wallet_file_add(f, 2, "second", 6);
    FUZZ_CHECK(cc_wallet_file_commit(f, &err) == CC_OK);
    cc_wallet_file_close(f);
    in = fopen(path, "rb");
    FUZZ_CHECK(in);
    size = fread(file, 1, sizeof(file) / 2, in);
    fclose(in);

    cc_reader_init(&r, data, len);
    cut = cc_read_u8(&r);
    at = cc_read_u16le(&r);
    change = cc_read_u8(&r);
    size -= cut < size ? cut : size;
    if (size)
        file[at % size] ^= change;
    if (r.left > sizeof(file) - size)
        r.left = sizeof(file) - size;
    if (r.left)
        memcpy(file + size, r.pos, r.left);
    fuzz_put_file(path, file, size + r.left);
    st = cc_wallet_file_open(&f, path, genesis, one_record, &n, NULL, &err);
    FUZZ_CHECK(n <= 2 || st != CC_OK || r.left > 16);
    if (st == CC_OK)
        cc_wallet_file_close(f);
    else
        FUZZ_CHECK(st == CC_INVALID || st == CC_CORRUPT);
}

/* The record that holds a wallet's keys: a good one, of which the input changes
 * bytes (where 2, what 1) and which it cuts (2). */
void fuzz_keys(const uint8_t *data, size_t len)
{
    static const char words[] = "abandon abandon abandon abandon abandon "
                                "abandon abandon abandon abandon abandon "
                                "abandon about";
    const struct cc_params *p = cc_params_get(CC_CHAIN_REGTEST);
    static struct cc_writer good, changed;
    static struct cc_ec *ec;
    struct cc_wallet_keys *k;
    struct cc_error err;
    struct cc_reader r;
    struct cc_writer w;
    size_t size;

    if (!ec) {
        ec = cc_ec_new();
        cc_writer_init_heap(&good);
        cc_writer_init_heap(&changed);
        FUZZ_CHECK(cc_wallet_keys_new(&k, words, NULL, p, ec, &err) == CC_OK);
        cc_wallet_keys_write(&good, k);
        cc_wallet_keys_free(k);
    }
    changed.len = 0;
    cc_write_bytes(&changed, good.data, good.len);
    cc_reader_init(&r, data, len);
    size = good.len - cc_read_u16le(&r) % good.len;
    while (r.left >= 3) {
        size_t at = cc_read_u16le(&r) % good.len;

        changed.data[at] ^= cc_read_u8(&r);
    }
    if (cc_wallet_keys_read(&k, cc_bytes(changed.data, size), p, ec, &err) !=
        CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_wallet_keys_write(&w, k);
    FUZZ_CHECK(fuzz_same(&w, changed.data, size));
    cc_writer_clear(&w);
    cc_wallet_keys_free(k);
}

/* --- JSON -------------------------------------------------------------- */

void fuzz_json(const uint8_t *data, size_t len)
{
    json_t *v = cc_json_parse((const char *)data, len), *again;
    char *text, *same;

    if (!v)
        return;
    text = cc_json_dump(v, 0);
    FUZZ_CHECK(text);
    again = cc_json_parse(text, strlen(text));
    FUZZ_CHECK(again);
    same = cc_json_dump(again, 0);
    FUZZ_CHECK(same && !strcmp(text, same));
    json_decref(v);
    json_decref(again);
    free(text);
    free(same);
}

/* --- Descriptors ------------------------------------------------------- */

/* What is shown of it: at one index, each script as it is said alone. */
static void check_descriptor(const struct cc_descriptor *d,
                             const struct cc_params *p, const struct cc_ec *ec)
{
    struct cc_descriptor_scripts s, alone;
    struct cc_descriptor *one;
    char *text, *why;

    if (!cc_descriptor_expand(d, 1, &s))
        return;
    for (size_t i = 0; i < s.count; i++) {
        text = cc_descriptor_of(d, 1, i);
        FUZZ_CHECK(text);
        one = cc_descriptor_parse(text, true, p, ec, &why);
        if (!one) { /* a raw script with keys that are none, or empty */
            FUZZ_CHECK(!cc_descriptor_is_solvable(d));
            free(why);
        } else {
            FUZZ_CHECK(cc_descriptor_expand(one, 0, &alone));
            FUZZ_CHECK(alone.count == 1);
            FUZZ_CHECK(cc_bytes_equal(
                cc_bytes(s.script[i].data, s.script[i].len),
                cc_bytes(alone.script[0].data, alone.script[0].len)));
            cc_descriptor_scripts_clear(&alone);
        }
        cc_descriptor_free(one);
        free(text);
    }
    cc_descriptor_scripts_clear(&s);
}

/* A script; what it is found to be is text, or nothing is said. */
void fuzz_miniscript(const uint8_t *data, size_t len)
{
    struct cc_writer w;
    bool found;
    int depth = 0;

    cc_writer_init_heap(&w);
    found = cc_miniscript_infer(&w, cc_bytes(data, len));
    FUZZ_CHECK(found == (w.len > 0));
    for (size_t i = 0; i < w.len; i++) {
        FUZZ_CHECK(w.data[i] > ' ' && w.data[i] < 0x7f);
        depth += (w.data[i] == '(') - (w.data[i] == ')');
        FUZZ_CHECK(depth >= 0);
    }
    FUZZ_CHECK(!depth);
    cc_writer_clear(&w);
}

/* A text; what it is shown as parses, and is shown the same again. */
void fuzz_descriptor(const uint8_t *data, size_t len)
{
    static struct cc_ec *ec; /* for all inputs: it takes long to make */
    const struct cc_params *p = cc_params_get(CC_CHAIN_BITCOIN_REGTEST);
    char *text = fuzz_text(data, len), *shown, *again, *why;
    struct cc_descriptor *d, *twice;

    if (!ec)
        ec = cc_ec_new();
    d = cc_descriptor_parse(text, false, p, ec, &why);
    if (!d) {
        FUZZ_CHECK(why);
        free(why);
        free(text);
        return;
    }
    shown = cc_descriptor_text(d);
    twice = cc_descriptor_parse(shown, true, p, ec, &why);
    FUZZ_CHECK(twice && !cc_descriptor_has_private(twice));
    again = cc_descriptor_text(twice);
    FUZZ_CHECK(!strcmp(shown, again));
    check_descriptor(d, p, ec);
    cc_descriptor_free(twice);
    cc_descriptor_free(d);
    free(again);
    free(shown);
    free(text);
}
