#include "storage/renter_state.h"

#include "crypto/aes.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"
#include "util/random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 30)
#define NAME_MAX_BYTES 4096

/* --- Lists of roots ------------------------------------------------------ */

void cc_roots_add(struct cc_roots *r, const uint8_t root[32])
{
    r->data = cc_grow(r->data, &r->cap, r->count + 1, 32);
    memcpy(r->data + 32 * r->count++, root, 32);
}

void cc_roots_copy(struct cc_roots *out, const struct cc_roots *from)
{
    out->count = 0;
    for (size_t i = 0; i < from->count; i++)
        cc_roots_add(out, from->data + 32 * i);
}

size_t cc_roots_find(const struct cc_roots *r, const uint8_t root[32])
{
    for (size_t i = 0; i < r->count; i++)
        if (!memcmp(r->data + 32 * i, root, 32))
            return i;
    return SIZE_MAX;
}

void cc_roots_drop(struct cc_roots *r, size_t i)
{
    r->count--;
    if (i != r->count)
        memcpy(r->data + 32 * i, r->data + 32 * r->count, 32);
}

void cc_roots_root(uint8_t out[32], const struct cc_roots *r)
{
    memset(out, 0, 32);
    if (r->count)
        cc_mtree_root(out, r->data, r->count);
}

void cc_roots_clear(struct cc_roots *r)
{
    free(r->data);
    memset(r, 0, sizeof(*r));
}

/* --- Contracts, as JSON -------------------------------------------------- */

void cc_renter_contract_clear(struct cc_renter_contract *c)
{
    cc_roots_clear(&c->roots);
    cc_roots_clear(&c->pending);
    cc_roots_clear(&c->garbage);
}

static void put_hex(json_t *o, const char *key, const void *p, size_t len)
{
    char *hex = cc_hex_dup(p, len);

    json_object_set_new(o, key, json_string(hex));
    free(hex);
}

static void put_int(json_t *o, const char *key, uint64_t v)
{
    json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void put_roots(json_t *o, const char *key, const struct cc_roots *r)
{
    put_hex(o, key, r->data, 32 * r->count);
}

static char *contract_path(const struct cc_renter_contract *c, const char *dir)
{
    char id[65];

    cc_hex_encode(id, c->id, 32);
    return cc_asprintf("%s/contracts/%s.json", dir, id);
}

static json_t *contract_json(const struct cc_renter_contract *c)
{
    const struct cc_contract *t = &c->terms;
    json_t *o = json_object();

    put_int(o, "version", 1);
    put_hex(o, "id", c->id, 32);
    put_hex(o, "txid", c->txid, 32);
    put_hex(o, "renter", t->renter_key, 32);
    put_hex(o, "host", t->host_key, 32);
    put_int(o, "start", t->start);
    put_int(o, "period", t->period);
    put_int(o, "periods", t->periods);
    put_int(o, "samples", t->samples);
    put_int(o, "odds", t->odds);
    put_int(o, "rent", t->rent);
    put_int(o, "penalty", t->penalty);
    put_int(o, "allowance", t->allowance);
    put_int(o, "value", c->value);
    put_int(o, "capacity", c->capacity);
    put_int(o, "price_write", c->price_write);
    put_int(o, "price_read", c->price_read);
    put_int(o, "price_request", c->price_request);
    json_object_set_new(o, "endpoint", json_string(c->endpoint));
    put_int(o, "key_index", c->key_index);
    json_object_set_new(o, "forming", json_boolean(c->forming));
    put_int(o, "revision", c->revision);
    put_hex(o, "host_signature", c->host_signature, 64);
    put_roots(o, "roots", &c->roots);
    put_int(o, "signed_revision", c->signed_revision);
    put_roots(o, "pending", &c->pending);
    put_roots(o, "garbage", &c->garbage);
    put_int(o, "voucher", c->voucher);
    put_int(o, "used", c->used);
    return o;
}

/* As it stands in the file; "checksum" is of the text without it. A digit
 * that changed is found, not believed: numbers of revisions are signed once. */
static char *contract_text(const json_t *o)
{
    return json_dumps(o, JSON_INDENT(1) | JSON_ENSURE_ASCII);
}

static void checksum(char hex[65], const char *text)
{
    uint8_t hash[32];

    cc_sha256_once(hash, text, strlen(text));
    cc_hex_encode(hex, hash, 32);
}

enum cc_status cc_renter_contract_save(const struct cc_renter_contract *c,
                                       const char *dir, struct cc_error *err)
{
    json_t *o = contract_json(c);
    char *text = contract_text(o), *path = contract_path(c, dir), sum[65];
    enum cc_status st;

    if (text) {
        checksum(sum, text);
        json_object_set_new(o, "checksum", json_string(sum));
        free(text);
        text = contract_text(o);
    }
    json_decref(o);
    st = text ? cc_fs_write(path, text, strlen(text), 0600, err)
              : cc_fail(err, CC_IO, "%s: cannot be written as JSON", path);
    free(text);
    free(path);
    return st;
}

/* Sticky, as a reader's failure. */
struct fields {
    const json_t *o;
    bool failed;
};

static void get_hex(struct fields *f, const char *key, void *out, size_t len)
{
    const char *s = json_string_value(json_object_get(f->o, key));

    if (!s || !cc_hex_decode(out, len, s))
        f->failed = true;
}

static uint64_t get_int(struct fields *f, const char *key, uint64_t max)
{
    const json_t *v = json_object_get(f->o, key);

    if (!json_is_integer(v) || json_integer_value(v) < 0 ||
        (uint64_t)json_integer_value(v) > max) {
        f->failed = true;
        return 0;
    }
    return (uint64_t)json_integer_value(v);
}

static void get_roots(struct fields *f, const char *key, struct cc_roots *out)
{
    const char *s = json_string_value(json_object_get(f->o, key));
    size_t len = 0;
    uint8_t *data = s ? cc_hex_decode_dup(s, &len) : NULL;

    if (!data || len % 32) {
        f->failed = true;
        free(data);
        return;
    }
    out->data = data;
    out->count = out->cap = len / 32;
}

static void read_contract(struct fields *f, struct cc_renter_contract *c)
{
    struct cc_contract *t = &c->terms;
    const char *s = json_string_value(json_object_get(f->o, "endpoint"));

    if (get_int(f, "version", 1) != 1)
        f->failed = true;
    get_hex(f, "id", c->id, 32);
    get_hex(f, "txid", c->txid, 32);
    get_hex(f, "renter", t->renter_key, 32);
    get_hex(f, "host", t->host_key, 32);
    t->start = (uint32_t)get_int(f, "start", UINT32_MAX);
    t->period = (uint16_t)get_int(f, "period", UINT16_MAX);
    t->periods = (uint16_t)get_int(f, "periods", UINT16_MAX);
    t->samples = (uint8_t)get_int(f, "samples", UINT8_MAX);
    t->odds = (uint8_t)get_int(f, "odds", UINT8_MAX);
    t->rent = get_int(f, "rent", INT64_MAX);
    t->penalty = get_int(f, "penalty", INT64_MAX);
    t->allowance = get_int(f, "allowance", INT64_MAX);
    c->value = get_int(f, "value", INT64_MAX);
    c->capacity = (uint32_t)get_int(f, "capacity", UINT32_MAX);
    c->price_write = get_int(f, "price_write", INT64_MAX);
    c->price_read = get_int(f, "price_read", INT64_MAX);
    c->price_request = get_int(f, "price_request", INT64_MAX);
    c->key_index = (uint32_t)get_int(f, "key_index", UINT32_MAX);
    c->forming = json_is_true(json_object_get(f->o, "forming"));
    c->revision = (uint32_t)get_int(f, "revision", UINT32_MAX);
    get_hex(f, "host_signature", c->host_signature, 64);
    get_roots(f, "roots", &c->roots);
    c->signed_revision = (uint32_t)get_int(f, "signed_revision", UINT32_MAX);
    get_roots(f, "pending", &c->pending);
    get_roots(f, "garbage", &c->garbage);
    c->voucher = get_int(f, "voucher", INT64_MAX);
    c->used = get_int(f, "used", INT64_MAX);
    if (!s || strlen(s) >= sizeof(c->endpoint))
        f->failed = true;
    else
        strcpy(c->endpoint, s);
}

/* The checksum is taken out. */
static bool checks(json_t *o)
{
    const char *told = json_string_value(json_object_get(o, "checksum"));
    char sum[65] = "", *copy, *text;
    bool good;

    if (!told)
        return false;
    copy = cc_strdup(told);
    json_object_del(o, "checksum");
    text = contract_text(o);
    if (text)
        checksum(sum, text);
    good = text && !strcmp(sum, copy);
    free(text);
    free(copy);
    return good;
}

enum cc_status cc_renter_contract_load(struct cc_renter_contract *out,
                                       const char *path, struct cc_error *err)
{
    struct cc_renter_contract c;
    struct fields f = {NULL, false};
    enum cc_status st;
    uint8_t *text;
    json_t *o;
    size_t len;

    memset(&c, 0, sizeof(c));
    st = cc_fs_read(path, FILE_MAX, &text, &len, err);
    if (st != CC_OK)
        return st;
    o = json_loadb((char *)text, len, 0, NULL);
    free(text);
    f.o = o;
    f.failed = !checks(o);
    if (!f.failed)
        read_contract(&f, &c);
    json_decref(o);
    if (!o || f.failed) {
        cc_renter_contract_clear(&c);
        return cc_fail(err, CC_CORRUPT, "%s: not a contract as we write them",
                       path);
    }
    *out = c;
    return CC_OK;
}

enum cc_status cc_renter_contract_remove(const struct cc_renter_contract *c,
                                         const char *dir, struct cc_error *err)
{
    char *path = contract_path(c, dir);
    enum cc_status st = cc_fs_remove(path, err);

    free(path);
    return st;
}

/* --- Manifests ----------------------------------------------------------- */
/* The file: "CCM1" ‖ nonce 12 ‖ AES-256-GCM of
 *   name var ‖ id 16 ‖ time 8 ‖ size 8 ‖ k 1 ‖ n 1 ‖ contracts compact ‖
 *   their ids 32 each ‖ per slab and shard: contract's number 2 ‖ root 32
 * with the file's name as associated data: two files cannot change places. */

#define MAGIC "CCM1"
#define HEAD 16

void cc_manifest_clear(struct cc_manifest *m)
{
    free(m->name);
    free(m->places);
    cc_cleanse(m, sizeof(*m));
}

void cc_manifest_derive_key(struct cc_manifest *m, const uint8_t secret[32])
{
    static const char info[] = "CloudCoin/object";

    cc_hkdf_sha256(m->object.key, 32, m->id, sizeof(m->id), secret, 32, info,
                   sizeof(info) - 1);
}

static void manifest_key(uint8_t key[32], const uint8_t secret[32],
                         const char *info)
{
    cc_hkdf_sha256(key, 32, NULL, 0, secret, 32, info, strlen(info));
}

void cc_manifest_file(char out[65], const char *name, const uint8_t secret[32])
{
    uint8_t key[32], mac[32];

    manifest_key(key, secret, "CloudCoin/names");
    cc_hmac_sha256(mac, key, 32, name, strlen(name));
    cc_hex_encode(out, mac, 32);
    cc_cleanse(key, sizeof(key));
}

/* Number of a contract in the list; added if it is new. */
static size_t number_of(struct cc_roots *ids, const uint8_t id[32])
{
    size_t i = cc_roots_find(ids, id);

    if (i == SIZE_MAX) {
        i = ids->count;
        cc_roots_add(ids, id);
    }
    return i;
}

void cc_manifest_encode(struct cc_writer *w, const struct cc_manifest *m)
{
    size_t places = (size_t)m->slab_count * m->object.n;
    struct cc_roots ids = {NULL, 0, 0};

    for (size_t i = 0; i < places; i++)
        number_of(&ids, m->places[i].contract);
    cc_write_var(w, m->name, strlen(m->name));
    cc_write_bytes(w, m->id, sizeof(m->id));
    cc_write_u64le(w, m->time);
    cc_write_u64le(w, m->object.size);
    cc_write_u8(w, m->object.k);
    cc_write_u8(w, m->object.n);
    cc_write_compact(w, ids.count);
    cc_write_bytes(w, ids.data, 32 * ids.count);
    for (size_t i = 0; i < places; i++) {
        cc_write_u16le(w, (uint16_t)number_of(&ids, m->places[i].contract));
        cc_write_bytes(w, m->places[i].root, 32);
    }
    cc_roots_clear(&ids);
}

static bool distinct(struct cc_bytes ids)
{
    for (size_t i = 0; i < ids.len; i += 32)
        for (size_t j = 0; j < i; j += 32)
            if (!memcmp(ids.data + i, ids.data + j, 32))
                return false;
    return true;
}

static void read_manifest(struct cc_reader *r, struct cc_manifest *m)
{
    struct cc_bytes name = cc_read_var(r), ids;
    size_t places, count, seen = 0;

    if (name.len > NAME_MAX_BYTES ||
        (name.len && memchr(name.data, 0, name.len)))
        r->failed = true;
    cc_read_bytes(r, m->id, sizeof(m->id));
    m->time = cc_read_u64le(r);
    m->object.size = cc_read_u64le(r);
    m->object.k = cc_read_u8(r);
    m->object.n = cc_read_u8(r);
    count = cc_read_count(r, 32);
    if (count > UINT16_MAX)
        r->failed = true;
    ids = cc_read_slice(r, 32 * count);
    if (r->failed || !m->object.k || m->object.k > m->object.n ||
        m->object.size > CC_OBJECT_MAX) {
        r->failed = true;
        return;
    }
    m->slab_count = cc_object_slabs(&m->object);
    places = (size_t)m->slab_count * m->object.n;
    if (places != r->left / 34) {
        r->failed = true;
        return;
    }
    m->name = cc_malloc(name.len + 1);
    memcpy(m->name, name.data, name.len);
    m->name[name.len] = 0;
    m->places = cc_calloc(places, sizeof(*m->places));
    for (size_t i = 0; i < places && !r->failed; i++) {
        size_t c = cc_read_u16le(r);

        /* Numbered in order of their first place, so that there is one way
         * to write a manifest. */
        if (c > seen || c >= count) {
            r->failed = true;
            return;
        }
        seen += c == seen;
        memcpy(m->places[i].contract, ids.data + 32 * c, 32);
        cc_read_bytes(r, m->places[i].root, 32);
    }
    if (seen != count || !distinct(ids))
        r->failed = true;
}

enum cc_status cc_manifest_decode(struct cc_manifest *out, const void *data,
                                  size_t len)
{
    struct cc_manifest m;
    struct cc_reader r;

    memset(&m, 0, sizeof(m));
    cc_reader_init(&r, data, len);
    read_manifest(&r, &m);
    if (!cc_reader_done(&r)) {
        cc_manifest_clear(&m);
        return CC_MALFORMED;
    }
    *out = m;
    return CC_OK;
}

static char *object_path(const char *dir, const char *file)
{
    return cc_asprintf("%s/objects/%s", dir, file);
}

enum cc_status cc_manifest_save(const struct cc_manifest *m, const char *dir,
                                const uint8_t secret[32], struct cc_error *err)
{
    uint8_t key[32], *out;
    enum cc_status st;
    struct cc_writer w;
    char file[65], *path;

    cc_manifest_file(file, m->name, secret);
    path = object_path(dir, file);
    cc_writer_init_heap(&w);
    cc_manifest_encode(&w, m);
    out = cc_malloc(HEAD + w.len + CC_GCM_TAG);
    memcpy(out, MAGIC, 4);
    cc_random_bytes(out + 4, 12);
    manifest_key(key, secret, "CloudCoin/manifests");
    cc_aes256_gcm_seal(out + HEAD, w.data, w.len, key, out + 4, file, 64);
    st = cc_fs_write(path, out, HEAD + w.len + CC_GCM_TAG, 0600, err);
    cc_cleanse(key, sizeof(key));
    cc_writer_clear(&w);
    free(out);
    free(path);
    return st;
}

static bool open_manifest(struct cc_manifest *out, uint8_t *data, size_t len,
                          const char *file, const uint8_t secret[32])
{
    uint8_t key[32];
    bool ok;

    if (len < HEAD + CC_GCM_TAG || memcmp(data, MAGIC, 4))
        return false;
    manifest_key(key, secret, "CloudCoin/manifests");
    ok = cc_aes256_gcm_open(data + HEAD, data + HEAD, len - HEAD, key, data + 4,
                            file, 64);
    cc_cleanse(key, sizeof(key));
    return ok && cc_manifest_decode(out, data + HEAD,
                                    len - HEAD - CC_GCM_TAG) == CC_OK;
}

enum cc_status cc_manifest_load_file(struct cc_manifest *out, const char *dir,
                                     const char *file, const uint8_t secret[32],
                                     struct cc_error *err)
{
    char *path = object_path(dir, file);
    struct cc_manifest m;
    enum cc_status st;
    uint8_t *data = NULL;
    size_t len = 0;

    memset(&m, 0, sizeof(m));
    st = cc_fs_read(path, FILE_MAX, &data, &len, err);
    if (st == CC_OK &&
        (strlen(file) != 64 || !open_manifest(&m, data, len, file, secret))) {
        st = cc_fail(err, CC_CORRUPT,
                     "%s does not open: damaged, or of another wallet", path);
    }
    if (st == CC_OK) {
        cc_manifest_derive_key(&m, secret);
        *out = m;
    }
    free(data);
    free(path);
    return st;
}

enum cc_status cc_manifest_load(struct cc_manifest *out, const char *dir,
                                const char *name, const uint8_t secret[32],
                                struct cc_error *err)
{
    enum cc_status st;
    char file[65];

    cc_manifest_file(file, name, secret);
    st = cc_manifest_load_file(out, dir, file, secret, err);
    if (st == CC_NOTFOUND)
        return cc_fail(err, CC_NOTFOUND, "nothing is stored as \"%s\"", name);
    return st;
}

enum cc_status cc_manifest_remove(const char *dir, const char *name,
                                  const uint8_t secret[32],
                                  struct cc_error *err)
{
    enum cc_status st;
    char file[65], *path;

    cc_manifest_file(file, name, secret);
    path = object_path(dir, file);
    st = cc_fs_remove(path, err);
    free(path);
    return st;
}
