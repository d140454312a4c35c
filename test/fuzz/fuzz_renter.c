/* What a renter keeps on disk. */
#include "fuzz.h"
#include "storage/renter_journal.h"
#include "storage/renter_state.h"
#include "util/fs.h"
#include "util/hex.h"

#include <stdlib.h>

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

/* contracts/<id>.json: what loads is saved and loads as the same. */
void fuzz_renterfile(const uint8_t *data, size_t len)
{
    const char *dir = fuzz_path("renter");
    struct cc_renter_contract c, again;
    char *folder = cc_fs_join(dir, "contracts"), *path, *id;

    FUZZ_CHECK(cc_fs_mkdirs(folder, NULL) == CC_OK);
    path = cc_fs_join(folder, "given");
    fuzz_put_file(path, data, len);
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
    FUZZ_CHECK(count <= len / 64);
    FUZZ_CHECK(!cc_fs_exists(path));
    free(path);
}
