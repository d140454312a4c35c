/* What a renter keeps on disk. */
#include "fuzz.h"

#include "crypto/hash.h"
#include "storage/renter_journal.h"
#include "storage/renter_state.h"
#include "util/fs.h"
#include "util/hex.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

void fuzz_manifest(const uint8_t *data, size_t len)
{
    struct cc_manifest m;
    struct cc_writer w;

    if (cc_manifest_decode(&m, data, len) != CC_OK)
        return;
    cc_writer_init_heap(&w);
    cc_manifest_encode(&w, &m);
    FUZZ_CHECK(fuzz_same(&w, data, len));
    cc_writer_clear(&w);
    cc_manifest_clear(&m);
}

/* With the checksum that it should have, or no input would pass it. */
static void put_contract(const char *path, const uint8_t *data, size_t len)
{
    json_t *o = json_loadb((const char *)data, len, 0, NULL);
    uint8_t hash[32];
    char *text, hex[65];

    if (!json_is_object(o)) {
        json_decref(o);
        fuzz_put_file(path, data, len);
        return;
    }
    json_object_del(o, "checksum");
    text = json_dumps(o, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    FUZZ_CHECK(text != NULL);
    cc_sha256_once(hash, text, strlen(text));
    cc_hex_encode(hex, hash, 32);
    json_object_set_new(o, "checksum", json_string(hex));
    free(text);
    text = json_dumps(o, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    fuzz_put_file(path, (const uint8_t *)text, strlen(text));
    free(text);
    json_decref(o);
}

/* contracts/<id>.json: what loads is saved and loads as the same. */
void fuzz_renterfile(const uint8_t *data, size_t len)
{
    const char *dir = fuzz_path("renter");
    struct cc_renter_contract c, again;
    char *folder = cc_fs_join(dir, "contracts"), *path, *id;

    FUZZ_CHECK(cc_fs_mkdirs(folder, NULL) == CC_OK);
    path = cc_fs_join(folder, "given");
    put_contract(path, data, len);
    if (cc_renter_contract_load(&c, path, NULL) == CC_OK) {
        FUZZ_CHECK(cc_renter_contract_save(&c, dir, NULL) == CC_OK);
        free(path);
        id = cc_hex_dup(c.id, 32);
        path = cc_fs_join(folder, id);
        free(id);
        id = path;
        path = malloc(strlen(id) + 6);
        FUZZ_CHECK(path != NULL);
        strcpy(path, id);
        strcat(path, ".json");
        free(id);
        FUZZ_CHECK(cc_renter_contract_load(&again, path, NULL) == CC_OK);
        FUZZ_CHECK(!memcmp(&c.terms, &again.terms, sizeof(c.terms)));
        FUZZ_CHECK(c.roots.count == again.roots.count &&
                   c.signed_revision == again.signed_revision &&
                   c.voucher == again.voucher && c.used == again.used);
        FUZZ_CHECK(cc_renter_contract_remove(&c, dir, NULL) == CC_OK);
        cc_renter_contract_clear(&c);
        cc_renter_contract_clear(&again);
    }
    free(folder);
    free(path);
}

static enum cc_status count_entry(void *arg, const uint8_t contract[32],
                                  const uint8_t root[32], struct cc_error *err)
{
    (void)contract;
    (void)root;
    (void)err;
    ++*(size_t *)arg;
    return CC_OK;
}

/* A journal holds whole entries, and is gone afterwards. */
void fuzz_journal(const uint8_t *data, size_t len)
{
    const char *dir = fuzz_path("renter");
    size_t count = 0;
    char *path;

    FUZZ_CHECK(cc_fs_mkdirs(dir, NULL) == CC_OK);
    path = cc_fs_join(dir, "journal");
    fuzz_put_file(path, data, len);
    FUZZ_CHECK(cc_journal_recover(dir, count_entry, &count, NULL) == CC_OK);
    FUZZ_CHECK(count <= len / 80);
    FUZZ_CHECK(!cc_fs_exists(path));
    free(path);
}
