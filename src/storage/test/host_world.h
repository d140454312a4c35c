/*
 * host_world.h: a host's engine, the node it talks to (fake_node.h) and one
 * renter, for the tests of the engine.
 */
#ifndef CC_TEST_HOST_WORLD_H
#define CC_TEST_HOST_WORLD_H

#include "storage/host.h"
#include "storage/host_i.h"
#include "storage/test/fake_node.h"
#include "support.h"

struct world {
    struct cc_ec *ec;
    struct fake_node node;
    struct cc_host_config config;
    struct cc_host *host;
    struct cc_host_scratch scratch;
    char *directory;
    /* the renter */
    uint8_t secret[32], key[32];
    struct cc_outpoint money; /* its coin */
    uint8_t id[32];           /* of its contract */
    struct cc_contract terms;
    uint32_t revision;
    uint8_t *roots;
    size_t sectors;
    uint64_t voucher;
    struct cc_message *m, *reply;
};

void tick(struct world *w);
void mine(struct world *w, unsigned blocks);
void open_host(struct world *w);
void close_host(struct world *w);
int setup(void **state);
int teardown(void **state);
const struct cc_message *ask(struct world *w);
void assert_refused(const struct cc_message *reply, enum cc_refusal code);
void assert_reply(const struct cc_message *reply, enum cc_message_type type);
struct cc_msg_settings_reply settings(struct world *w);
void wish(struct world *w, struct cc_msg_form_request *q);
void assemble(struct world *w, const struct cc_msg_form_request *q,
              const struct cc_msg_form_offer *o, struct cc_tx *tx);
/* As we wish: the host's offer, and the transaction that we make of it. */
void agree(struct world *w, struct cc_msg_form_request *q,
           struct cc_msg_form_offer *o, struct cc_tx *tx);
const struct cc_message *send_form(struct world *w, struct cc_tx *tx);
void form(struct world *w);
const struct cc_message *vouch(struct world *w, uint64_t amount,
                               const uint8_t secret[32]);
void make_sector(uint8_t *sector, unsigned n);
const struct cc_message *write_sector(struct world *w, unsigned n);
const struct cc_message *revise(struct world *w, uint32_t number,
                                const uint8_t root[32], uint32_t sectors,
                                const struct cc_change *changes, size_t count,
                                const uint8_t secret[32]);
void add_root(struct world *w, const uint8_t root[32]);
void store(struct world *w, unsigned n);
const struct cc_message *read_leaves(struct world *w, uint32_t sector,
                                     uint32_t begin, uint32_t end);
void check_read(struct world *w, unsigned n, uint32_t sector, uint32_t begin,
                uint32_t end);
struct cc_contract coin(struct world *w);

#endif
