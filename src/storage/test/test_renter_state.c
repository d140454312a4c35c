/* What a renter keeps on disk: contracts, manifests, the journal. */
#include "storage/renter_journal.h"
#include "storage/renter_state.h"

#include "crypto/hash.h"
#include "support.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#include <jansson.h>
#include <stdlib.h>

/* A renter's folder and a contract to be kept there. */
struct world {
    char *dir;
    struct cc_renter_contract c;
    struct cc_error err;
};

static void world_init(struct world *w)
{
    static const char *const folders[] = {"contracts", "objects"};

    memset(w, 0, sizeof(*w));
    w->dir = cc_test_mkdir();
    for (int i = 0; i < 2; i++) {
        char *folder = cc_fs_join(w->dir, folders[i]);

        assert_int_equal(cc_fs_mkdirs(folder, NULL), CC_OK);
        free(folder);
    }
    memset(w->c.id, 0x77, 32);
    memset(w->c.terms.renter_key, 0x78, 32);
    memset(w->c.terms.host_key, 0x79, 32);
    w->c.price_write = 201;
    w->c.price_read = 202;
    w->c.price_request = 203;
    strcpy(w->c.endpoint, "127.0.0.1:1");
}

static void world_clear(struct world *w)
{
    cc_renter_contract_clear(&w->c);
    cc_test_rmdir(w->dir);
}

static void expect_words(const struct world *w, const char *words)
{
    if (!strstr(w->err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", w->err.text, words);
}

/* Every field with a value of its own. */
static void fill_contract(struct cc_renter_contract *c)
{
    uint8_t root[32] = {5};

    memset(c->txid, 0x21, 32);
    c->terms.start = 101;
    c->terms.period = 102;
    c->terms.periods = 103;
    c->terms.samples = 4;
    c->terms.odds = 5;
    c->terms.rent = 106;
    c->terms.penalty = 107;
    c->terms.allowance = 108;
    c->value = 109;
    c->capacity = 110;
    c->key_index = 111;
    c->forming = true;
    c->revision = 112;
    memset(c->host_signature, 0x22, 64);
    cc_roots_add(&c->roots, root);
    root[0]++;
    c->signed_revision = 113;
    cc_roots_add(&c->pending, root);
    cc_roots_add(&c->pending, root);
    root[0]++;
    cc_roots_add(&c->garbage, root);
    c->voucher = 114;
    c->used = 115;
}

static void expect_roots(const struct cc_roots *a, const struct cc_roots *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->data, b->data, 32 * a->count);
}

static void expect_contract(const struct cc_renter_contract *a,
                            const struct cc_renter_contract *b)
{
    assert_memory_equal(a->id, b->id, 32);
    assert_memory_equal(a->txid, b->txid, 32);
    assert_memory_equal(&a->terms, &b->terms, sizeof(a->terms));
    assert_int_equal(a->value, b->value);
    assert_int_equal(a->capacity, b->capacity);
    assert_int_equal(a->price_write, b->price_write);
    assert_int_equal(a->price_read, b->price_read);
    assert_int_equal(a->price_request, b->price_request);
    assert_string_equal(a->endpoint, b->endpoint);
    assert_int_equal(a->key_index, b->key_index);
    assert_int_equal(a->forming, b->forming);
    assert_int_equal(a->revision, b->revision);
    assert_memory_equal(a->host_signature, b->host_signature, 64);
    assert_int_equal(a->signed_revision, b->signed_revision);
    assert_int_equal(a->voucher, b->voucher);
    assert_int_equal(a->used, b->used);
    expect_roots(&a->roots, &b->roots);
    expect_roots(&a->pending, &b->pending);
    expect_roots(&a->garbage, &b->garbage);
}

/* As the file says what it holds, so that not the checksum alone refuses. */
static char *with_checksum(const char *text)
{
    json_t *o = json_loads(text, 0, NULL);
    char *plain, *out, hex[65];
    uint8_t hash[32];

    assert_non_null(o);
    json_object_del(o, "checksum");
    plain = json_dumps(o, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    cc_sha256_once(hash, plain, strlen(plain));
    cc_hex_encode(hex, hash, 32);
    json_object_set_new(o, "checksum", json_string(hex));
    out = json_dumps(o, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    free(plain);
    json_decref(o);
    return out;
}

/* One value in the file replaced by another of the same length. */
static void expect_refused(const char *path, const char *text, const char *from,
                           const char *to)
{
    struct cc_renter_contract back;
    char *copy = cc_strdup(text), *at = strstr(copy, from);

    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    at = with_checksum(copy);
    free(copy);
    copy = at;
    assert_int_equal(cc_fs_write(path, copy, strlen(copy), 0600, NULL), CC_OK);
    if (cc_renter_contract_load(&back, path, NULL) != CC_CORRUPT)
        fail_msg("%s taken", to);
    free(copy);
}

static void test_contract_files(void **state)
{
    static const char *const bad[][2] = {
        {"\"version\": 1,", "\"version\": 2,"},
        {"\"rent\": 106", "\"rent\": -10"},
        {"\"rent\": 106", "\"rent\": \"1\""},
        {"\"penalty\"", "\"penaltx\""},
        {"\"txid\": \"21", "\"txid\": \"2x"},
        {"\"roots\": \"05", "\"roots\": \"5x"},
        {"\"endpoint\": \"127.0.0.1:1\"", "\"endpoint\": 1234567890123"},
    };
    struct cc_renter_contract back;
    struct world w;
    char *path, id[65];
    uint8_t *text;
    size_t len;

    (void)state;
    world_init(&w);
    fill_contract(&w.c);
    assert_int_equal(cc_renter_contract_save(&w.c, w.dir, NULL), CC_OK);
    cc_hex_encode(id, w.c.id, 32);
    path = cc_asprintf("%s/contracts/%s.json", w.dir, id);
    assert_int_equal(cc_renter_contract_load(&back, path, NULL), CC_OK);
    expect_contract(&back, &w.c);
    cc_renter_contract_clear(&back);
    assert_int_equal(cc_fs_read(path, 100000, &text, &len, NULL), CC_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect_refused(path, (const char *)text, bad[i][0], bad[i][1]);
    free(text);
    assert_int_equal(cc_renter_contract_save(&w.c, w.dir, NULL), CC_OK);
    /* Damaged in any way it is refused, and says which file. */
    assert_int_equal(cc_fs_read(path, 100000, &text, &len, NULL), CC_OK);
    for (size_t i = 0; i < 2 * len; i++) {
        if (i < len)
            text[i] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(
            cc_fs_write(path, text, i < len ? len : i - len, 0600, NULL),
            CC_OK);
        cc_error_init(&w.err);
        if (cc_renter_contract_load(&back, path, &w.err) != CC_CORRUPT)
            fail_msg("byte %zu of %zu changed or cut: taken", i, len);
        expect_words(&w, path);
        if (i < len)
            text[i] ^= (uint8_t)(1 << i % 8);
    }
    free(text);
    assert_int_equal(cc_renter_contract_remove(&w.c, w.dir, NULL), CC_OK);
    assert_int_equal(cc_renter_contract_load(&back, path, NULL), CC_NOTFOUND);
    free(path);
    world_clear(&w);
}

static struct cc_manifest sample(const char *name)
{
    struct cc_manifest m;

    memset(&m, 0, sizeof(m));
    m.name = cc_strdup(name);
    memset(m.id, 3, sizeof(m.id));
    m.time = 1700000000;
    m.object.k = 2;
    m.object.n = 3;
    m.object.size = cc_object_slab_size(2) + 1;
    m.slab_count = cc_object_slabs(&m.object);
    m.places = cc_calloc(6, sizeof(*m.places));
    for (int i = 0; i < 6; i++) {
        m.places[i].contract[0] = (uint8_t)(i % 3);
        m.places[i].root[0] = (uint8_t)(100 + i);
    }
    return m;
}

static char *only_file(const char *dir)
{
    char *folder = cc_fs_join(dir, "objects"), **names, *path;
    size_t count;

    assert_int_equal(cc_fs_list(folder, &names, &count, NULL), CC_OK);
    assert_int_equal(count, 1);
    assert_int_equal(strlen(names[0]), 64);
    path = cc_fs_join(folder, names[0]);
    cc_fs_list_free(names, count);
    free(folder);
    return path;
}

static void test_manifests(void **state)
{
    uint8_t secret[32] = {1}, other[32] = {2}, *data;
    struct cc_manifest m = sample("a name"), back;
    struct world w;
    char *path;
    size_t len;

    (void)state;
    world_init(&w);
    assert_int_equal(cc_manifest_save(&m, w.dir, secret, NULL), CC_OK);
    assert_int_equal(cc_manifest_load(&back, w.dir, "a name", secret, NULL),
                     CC_OK);
    assert_string_equal(back.name, "a name");
    assert_int_equal(back.object.size, m.object.size);
    assert_int_equal(back.slab_count, 2);
    assert_int_equal(back.time, m.time);
    assert_memory_equal(back.places, m.places, 6 * sizeof(*m.places));
    /* The key follows from the wallet's secret and the object's id. */
    cc_manifest_derive_key(&m, secret);
    assert_memory_equal(back.object.key, m.object.key, 32);
    m.id[0] ^= 1;
    cc_manifest_derive_key(&m, secret);
    assert_memory_not_equal(back.object.key, m.object.key, 32);
    cc_manifest_clear(&back);
    assert_int_equal(cc_manifest_load(&back, w.dir, "b name", secret, &w.err),
                     CC_NOTFOUND);
    expect_words(&w, "nothing is stored as \"b name\"");
    /* Neither name nor content shows; another wallet opens nothing. */
    path = only_file(w.dir);
    assert_int_equal(cc_fs_read(path, 100000, &data, &len, NULL), CC_OK);
    assert_null(memmem(data, len, "a name", 6));
    assert_int_equal(cc_manifest_load(&back, w.dir, "a name", other, NULL),
                     CC_NOTFOUND);
    assert_int_equal(cc_manifest_load_file(&back, w.dir, strrchr(path, '/') + 1,
                                           other, NULL),
                     CC_CORRUPT);
    for (size_t i = 0; i < 2 * len; i++) {
        if (i < len)
            data[i] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(
            cc_fs_write(path, data, i < len ? len : i - len, 0600, NULL),
            CC_OK);
        cc_error_init(&w.err);
        assert_int_equal(
            cc_manifest_load(&back, w.dir, "a name", secret, &w.err),
            CC_CORRUPT);
        expect_words(&w, path);
        if (i < len)
            data[i] ^= (uint8_t)(1 << i % 8);
    }
    free(data);
    free(path);
    assert_int_equal(cc_manifest_remove(w.dir, "a name", secret, NULL), CC_OK);
    assert_int_equal(cc_manifest_load(&back, w.dir, "a name", secret, NULL),
                     CC_NOTFOUND);
    cc_manifest_clear(&m);
    world_clear(&w);
}

static enum cc_status count_garbage(void *arg, const uint8_t contract[32],
                                    const uint8_t root[32],
                                    struct cc_error *err)
{
    (void)err;
    assert_int_equal(contract[0], 1);
    ++*(int *)arg;
    assert_int_equal(root[0], *(int *)arg);
    return CC_OK;
}

static enum cc_status note_garbage(void *arg, const uint8_t contract[32],
                                   const uint8_t root[32], struct cc_error *err)
{
    (void)err;
    assert_int_equal(contract[0], 1);
    assert_in_range(root[0], 1, 3);
    ((bool *)arg)[root[0] - 1] = true;
    return CC_OK;
}

/* A journal cut at every place: whole entries count, and only where the
 * manifest is not there. */
static void test_journal(void **state)
{
    uint8_t id[32] = {1}, root[32] = {0}, *data;
    struct cc_journal j;
    char file[65], *path, *object;
    struct world w;
    bool noted[3];
    size_t len;
    int seen;

    (void)state;
    world_init(&w);
    memset(file, 'a', 64);
    file[64] = 0;
    path = cc_fs_join(w.dir, "journal");
    object = cc_asprintf("%s/objects/%s", w.dir, file);
    assert_int_equal(cc_journal_begin(&j, w.dir, file, NULL), CC_OK);
    for (int i = 0; i < 3; i++) {
        root[0]++;
        cc_journal_add(&j, id, root);
        if (i != 1)
            assert_int_equal(cc_journal_sync(&j, NULL), CC_OK);
    }
    cc_journal_close(&j);
    assert_int_equal(cc_fs_read(path, 10000, &data, &len, NULL), CC_OK);
    assert_int_equal(len, 84 + 3 * 80);
    for (size_t cut = 0; cut <= len; cut++) {
        assert_int_equal(cc_fs_write(path, data, cut, 0600, NULL), CC_OK);
        seen = 0;
        assert_int_equal(cc_journal_recover(w.dir, count_garbage, &seen, NULL),
                         CC_OK);
        assert_int_equal(seen, cut < 84 ? 0 : (cut - 84) / 80);
        assert_false(cc_fs_exists(path));
    }
    /* A byte that changed makes nothing garbage that was not. */
    for (size_t i = 0; i < len; i++) {
        size_t lost = i < 84 ? 3 : 1;

        data[i] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(cc_fs_write(path, data, len, 0600, NULL), CC_OK);
        memset(noted, 0, sizeof(noted));
        assert_int_equal(cc_journal_recover(w.dir, note_garbage, noted, NULL),
                         CC_OK);
        assert_int_equal(noted[0] + noted[1] + noted[2], 3 - lost);
        assert_true(lost == 3 || !noted[(i - 84) / 80]);
        data[i] ^= (uint8_t)(1 << i % 8);
    }
    assert_int_equal(cc_fs_write(path, data, len, 0600, NULL), CC_OK);
    assert_int_equal(cc_fs_write(object, "", 0, 0600, NULL), CC_OK);
    seen = 0;
    assert_int_equal(cc_journal_recover(w.dir, count_garbage, &seen, NULL),
                     CC_OK);
    assert_int_equal(seen, 0);
    assert_false(cc_fs_exists(path));
    assert_int_equal(cc_journal_recover(w.dir, count_garbage, &seen, NULL),
                     CC_OK);
    /* Done: nothing is left. */
    assert_int_equal(cc_journal_begin(&j, w.dir, file, NULL), CC_OK);
    assert_int_equal(cc_journal_end(&j, NULL), CC_OK);
    assert_false(cc_fs_exists(path));
    free(data);
    free(path);
    free(object);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contract_files),
        cmocka_unit_test(test_manifests),
        cmocka_unit_test(test_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
