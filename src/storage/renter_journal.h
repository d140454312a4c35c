/*
 * renter_journal.h: which sectors an unfinished put or rm is about, so that a
 * crash in the middle leaves nothing that is paid for and belongs to nobody.
 *
 * `journal` in the renter's folder: "CCJ2" ‖ the manifest's file name 64 ‖
 * check 16 ‖ entries contract id 32 ‖ root 32 ‖ check 16; check: the start of
 * SHA-256 over the record before it and its number (8, LE), the head's 0. What
 * does not check does not count. Entries
 * are synced before the sectors are sent (put) or the manifest is removed
 * (rm). If the manifest is there when the renter opens, the put was complete
 * or the rm did not begin; if not, the entries are garbage.
 */
#ifndef CC_STORAGE_RENTER_JOURNAL_H
#define CC_STORAGE_RENTER_JOURNAL_H

#include "storage/renter_state.h"

struct cc_journal {
    int fd; /* -1: none is open */
    char *path, *dir;
    struct cc_writer buffer; /* not yet written */
    uint64_t count;          /* records */
};

/* file: of the manifest, 64 digits. */
enum cc_status cc_journal_begin(struct cc_journal *j, const char *dir,
                                const char *file, struct cc_error *err);
void cc_journal_add(struct cc_journal *j, const uint8_t contract[32],
                    const uint8_t root[32]);
enum cc_status cc_journal_sync(struct cc_journal *j, struct cc_error *err);
/* All is done: forget it. */
enum cc_status cc_journal_end(struct cc_journal *j, struct cc_error *err);
/* Close it and leave the file for the next opening. */
void cc_journal_close(struct cc_journal *j);

/* What a crash left: garbage(arg, contract, root) for each entry that is
 * one; then the journal is removed. */
enum cc_status cc_journal_recover(
    const char *dir,
    enum cc_status (*garbage)(void *arg, const uint8_t contract[32],
                              const uint8_t root[32], struct cc_error *err),
    void *arg, struct cc_error *err);

#endif
