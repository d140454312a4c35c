#include "script_text.h"

#include <ctype.h>
#include <stdlib.h>

#include "crypto/ec.h"

static bool is_number(const char *s)
{
    if (*s == '-')
        s++;
    if (!*s)
        return false;
    for (; *s; s++)
        if (!isdigit((unsigned char)*s))
            return false;
    return true;
}

static bool find_op(const char *word, uint8_t *op)
{
    if (!strncmp(word, "OP_", 3))
        word += 3;
    for (unsigned i = CC_OP_RESERVED; i <= CC_OP_CHECKSIGADD; i++) {
        const char *name = cc_opcode_name((uint8_t)i);

        if (!strncmp(name, "OP_", 3) && !strcmp(name + 3, word)) {
            *op = (uint8_t)i;
            return true;
        }
    }
    return false;
}

static void parse_number(struct cc_writer *w, const char *word)
{
    long long n = strtoll(word, NULL, 10);
    uint8_t b[9];
    size_t len;

    if (n >= -1 && n <= 16) {
        cc_script_push_int(w, n);
        return;
    }
    len = cc_script_num_encode(b, n);
    cc_script_push_plain(w, b, len);
}

static void parse_word(struct cc_writer *w, const char *word)
{
    size_t len = strlen(word);
    uint8_t *raw, op;

    if (is_number(word)) {
        parse_number(w, word);
    } else if (!strncmp(word, "0x", 2)) {
        raw = cc_test_unhex(word + 2, &len);
        cc_write_bytes(w, raw, len);
        free(raw);
    } else if (len >= 2 && word[0] == '\'' && word[len - 1] == '\'') {
        cc_script_push_plain(w, word + 1, len - 2);
    } else if (find_op(word, &op)) {
        cc_write_u8(w, op);
    } else {
        fail_msg("no word of Script: %s", word);
    }
}

void script_parse(struct cc_writer *w, const char *text)
{
    char *copy = strdup(text), *save = NULL;

    for (char *word = strtok_r(copy, " \t\n", &save); word;
         word = strtok_r(NULL, " \t\n", &save))
        parse_word(w, word);
    free(copy);
}

/* --- Flags ------------------------------------------------------------- */

#define FLAG(name)                                                             \
    {                                                                          \
#name, CC_VERIFY_##name                                                \
    }

static const struct {
    const char *name;
    uint32_t flag;
} names[] = {
    FLAG(P2SH),
    FLAG(STRICTENC),
    FLAG(DERSIG),
    FLAG(LOW_S),
    FLAG(NULLDUMMY),
    FLAG(SIGPUSHONLY),
    FLAG(MINIMALDATA),
    FLAG(DISCOURAGE_UPGRADABLE_NOPS),
    FLAG(CLEANSTACK),
    FLAG(CHECKLOCKTIMEVERIFY),
    FLAG(CHECKSEQUENCEVERIFY),
    FLAG(WITNESS),
    FLAG(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM),
    FLAG(MINIMALIF),
    FLAG(NULLFAIL),
    FLAG(WITNESS_PUBKEYTYPE),
    FLAG(CONST_SCRIPTCODE),
    FLAG(TAPROOT),
    FLAG(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION),
    FLAG(DISCOURAGE_OP_SUCCESS),
    FLAG(DISCOURAGE_UPGRADABLE_PUBKEYTYPE),
};

uint32_t flags_parse(const char *list)
{
    char *copy = strdup(list), *save = NULL;
    uint32_t flags = 0;

    for (char *word = strtok_r(copy, ",", &save); word;
         word = strtok_r(NULL, ",", &save)) {
        size_t i = 0;

        if (!strcmp(word, "NONE"))
            continue;
        while (i < sizeof(names) / sizeof(*names) &&
               strcmp(names[i].name, word) != 0)
            i++;
        if (i == sizeof(names) / sizeof(*names))
            fail_msg("no flag: %s", word);
        flags |= names[i].flag;
    }
    free(copy);
    return flags;
}

size_t flags_count(void) { return sizeof(names) / sizeof(*names); }

uint32_t flags_all(void) { return (1u << flags_count()) - 1; }

uint32_t flags_trim(uint32_t flags)
{
    if (!(flags & CC_VERIFY_P2SH))
        flags &= ~(uint32_t)CC_VERIFY_WITNESS;
    if (!(flags & CC_VERIFY_WITNESS))
        flags &= ~(uint32_t)CC_VERIFY_CLEANSTACK;
    return flags;
}

uint32_t flags_fill(uint32_t flags)
{
    if (flags & CC_VERIFY_CLEANSTACK)
        flags |= CC_VERIFY_WITNESS;
    if (flags & CC_VERIFY_WITNESS)
        flags |= CC_VERIFY_P2SH;
    return flags;
}

/* --- A pair of transactions -------------------------------------------- */

void pair_update(struct pair *p)
{
    cc_sighash_init(&p->sighash, &p->tx, &p->coin);
}

void pair_init(struct pair *p, struct cc_bytes script_sig,
               struct cc_bytes script, struct cc_bytes *witness, size_t count,
               cc_amount value)
{
    static const uint8_t zeros[2];
    struct cc_txout out = {.value = value, .script = script};
    struct cc_txin in = {.prevout = {.index = UINT32_MAX},
                         .script_sig = cc_bytes(zeros, 2),
                         .sequence = CC_SEQUENCE_FINAL};
    struct cc_tx credit = {.version = 1,
                           .vin = &in,
                           .vin_count = 1,
                           .vout = &out,
                           .vout_count = 1};

    cc_tx_finish(&credit);
    memset(p, 0, sizeof(*p));
    p->tx.version = 1;
    p->tx.vin = &p->in;
    p->tx.vout = &p->out;
    p->tx.vin_count = p->tx.vout_count = 1;
    memcpy(p->in.prevout.txid, credit.txid, 32);
    p->in.script_sig = script_sig;
    p->in.witness = witness;
    p->in.witness_count = count;
    p->in.sequence = CC_SEQUENCE_FINAL;
    p->out.value = value;
    p->coin.out = out;
    pair_update(p);
}

enum cc_script_error pair_verify(const struct pair *p, uint32_t flags)
{
    enum cc_script_error e = CC_SCRIPT_ERR_UNKNOWN_ERROR;
    bool ok = cc_script_verify(&p->sighash, 0, p->coin.out.script,
                               p->coin.out.value, flags, &e);

    assert_int_equal(ok, e == CC_SCRIPT_ERR_OK);
    return e;
}

void script_expect(enum cc_script_error got, enum cc_script_error want)
{
    if (got != want)
        fail_msg("%s, expected %s", cc_script_error_name(got),
                 cc_script_error_name(want));
}

struct cc_bytes written(const struct cc_writer *w)
{
    return cc_bytes(w->data, w->len);
}

int script_setup(void **state)
{
    *state = cc_ec_new();
    return *state == NULL;
}

int script_teardown(void **state)
{
    cc_ec_free(*state);
    return 0;
}
