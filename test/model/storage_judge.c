/*
 * storage_judge: the C code's answers to test/model/judge.py, one line each
 * way, so that the model and the code can be compared step by step.
 *
 *   chain HALVING GENESIS             start anew, with regtest's rules
 *   connect HASH PENALTIES MINTED N   a block: ok POOL T N REWARD
 *   reorg HEIGHT SALT                 forget blocks above
 *   sign SECRET MESSAGE
 *   tx HEIGHT UNSEAL TX COIN...       COIN = value:height:coinbase:script;
 *                                     UNSEAL 0: leave those jobs out
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/storage.h"
#include "crypto/ec.h"
#include "crypto/hash.h"
#include "util/hex.h"
#include "util/mem.h"

struct judge {
    struct cc_params params;
    struct cc_ec *ec;
    uint8_t (*hashes)[32];
    struct cc_mint_state *states;
    size_t hash_cap, state_cap;
    uint32_t tip, salt;
    uint8_t future[32];
};

/* Above the tip, a hash that the model makes likewise. */
static const uint8_t *hash_at(void *arg, uint32_t height)
{
    struct judge *j = arg;
    uint8_t in[14];

    if (height <= j->tip)
        return j->hashes[height];
    memcpy(in, "future", 6);
    cc_put_u32le(in + 6, j->salt);
    cc_put_u32le(in + 10, height);
    cc_sha256_once(j->future, in, sizeof(in));
    return j->future;
}

static bool state_at(void *arg, uint32_t height, struct cc_mint_state *out)
{
    struct judge *j = arg;

    if (height > j->tip)
        return false;
    *out = j->states[height];
    return true;
}

/* The next word of the line; NULL at its end. */
static char *word(char **line)
{
    char *start = *line, *end;

    if (!start || !*start)
        return NULL;
    end = strchr(start, ' ');
    *line = end ? end + 1 : NULL;
    if (end)
        *end = 0;
    return start;
}

static int64_t number(char **line)
{
    char *w = word(line);

    return w ? strtoll(w, NULL, 10) : -1;
}

/* Hex of any length to fresh memory. */
static uint8_t *bytes(const char *hex, size_t *len)
{
    size_t n = strlen(hex) / 2;
    uint8_t *out = cc_malloc(n + 1);

    *len = n;
    if (!cc_hex_decode(out, n, hex)) {
        printf("error hex\n");
        exit(1);
    }
    return out;
}

static bool fixed(void *out, size_t len, const char *hex)
{
    return hex && strlen(hex) == 2 * len && cc_hex_decode(out, len, hex);
}

static void print_hex(const uint8_t *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        printf("%02x", b[i]);
}

static void grow(struct judge *j, size_t count)
{
    j->hashes = cc_grow(j->hashes, &j->hash_cap, count, 32);
    j->states = cc_grow(j->states, &j->state_cap, count, sizeof(*j->states));
}

static bool do_chain(struct judge *j, char *line)
{
    j->params = *cc_params_get(CC_CHAIN_REGTEST);
    j->params.halving = (uint32_t)number(&line);
    if (!fixed(j->params.genesis_hash, 32, word(&line)))
        return false;
    j->tip = j->salt = 0;
    grow(j, 1);
    memcpy(j->hashes[0], j->params.genesis_hash, 32);
    cc_mint_first(&j->states[0], &j->params);
    printf("ok\n");
    return true;
}

static bool do_connect(struct judge *j, char *line)
{
    struct cc_mint_state *s;
    int64_t penalties, minted;
    uint32_t claims, height = j->tip + 1;
    uint8_t be[32];

    grow(j, height + 1);
    if (!fixed(j->hashes[height], 32, word(&line)))
        return false;
    penalties = number(&line);
    minted = number(&line);
    claims = (uint32_t)number(&line);
    s = &j->states[height];
    if (cc_mint_next(s, s - 1, height, penalties, minted, claims, &j->params,
                     NULL) != CC_OK) {
        printf("invalid\n");
        return true;
    }
    j->tip = height;
    cc_u256_to_be(be, &s->ticket);
    printf("ok %" PRId64 " ", s->pool);
    print_hex(be, 32);
    printf(" %u %" PRId64 "\n", (unsigned)s->claims,
           cc_mint_reward(s, height, &j->params));
    return true;
}

static bool do_reorg(struct judge *j, char *line)
{
    j->tip = (uint32_t)number(&line);
    j->salt = (uint32_t)number(&line);
    printf("ok\n");
    return true;
}

static bool do_sign(struct judge *j, char *line)
{
    static const uint8_t aux[32];
    uint8_t secret[32], msg[32], sig[64];

    if (!fixed(secret, 32, word(&line)) || !fixed(msg, 32, word(&line)) ||
        !cc_schnorr_sign(j->ec, sig, secret, msg, 32, aux))
        return false;
    print_hex(sig, 64);
    printf("\n");
    return true;
}

static void print_bound(int64_t v, int64_t none)
{
    if (v == none)
        printf(" -");
    else
        printf(" %" PRId64, v);
}

static void print_result(const struct cc_storage_result *r, size_t outputs)
{
    bool any = false;

    printf("valid %" PRId64 " %" PRId64 " %" PRId64 " %u %" PRId64, r->fee,
           r->mint, r->pool, (unsigned)r->claims, r->sigops);
    print_bound(r->facts.lo, INT64_MIN);
    print_bound(r->facts.hi, INT64_MAX);
    printf(" %" PRId64 " ", r->facts.read);
    for (size_t i = 0; i < r->owed_count; i++) {
        if (i)
            printf(",");
        print_hex(r->owed[i].key, 32);
        printf(":%" PRId64, r->owed[i].sum);
    }
    printf("%s ", r->owed_count ? "" : "-");
    for (size_t i = 0; r->maturing && i < outputs; i++) {
        if (r->maturing[i]) {
            printf("%s%zu", any ? "," : "", i);
            any = true;
        }
    }
    printf("%s\n", any ? "" : "-");
}

/* Signatures first, as the model: a wrong one is wrong everywhere. */
static enum cc_status run_jobs(const struct cc_storage_result *r,
                               const struct judge *j, bool unseal,
                               struct cc_error *err)
{
    enum cc_status st = CC_OK;

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; st == CC_OK && i < r->job_count; i++) {
            if ((r->jobs[i].kind == CC_JOB_SIG) != (round == 0))
                continue;
            if (r->jobs[i].kind != CC_JOB_UNSEAL || unseal)
                st = cc_storage_job_run(&r->jobs[i], &j->params, err);
        }
    }
    return st;
}

static bool read_coin(struct cc_coin *coin, char *w)
{
    char *end;
    size_t len;

    memset(coin, 0, sizeof(*coin));
    if (!w)
        return false;
    coin->out.value = strtoll(w, &end, 10);
    if (*end != ':')
        return false;
    coin->height = (uint32_t)strtoul(end + 1, &end, 10);
    if (*end != ':')
        return false;
    coin->coinbase = strtoul(end + 1, &end, 10) != 0;
    if (*end != ':')
        return false;
    coin->out.script.data = bytes(end + 1, &len);
    coin->out.script.len = len;
    return true;
}

static void judge_tx(struct judge *j, const struct cc_tx *tx,
                     const struct cc_coin *coins, uint32_t height, bool unseal)
{
    struct cc_storage_view view = {&j->params, height, hash_at, state_at, j};
    struct cc_storage_result r;
    struct cc_sighash s;
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    cc_sighash_init(&s, tx, coins);
    cc_storage_result_init(&r);
    st = cc_storage_check(&r, tx, coins, &s, &view, &err);
    if (st == CC_OK)
        st = run_jobs(&r, j, unseal, &err);
    if (st == CC_OK)
        print_result(&r, tx->vout_count);
    else if (st == CC_INVALID)
        printf("invalid %d # %s\n", err.verdict == CC_VERDICT_CONTEXT,
               err.text);
    else
        printf("fault %s # %s\n", cc_status_name(st), err.text);
    cc_storage_result_clear(&r);
}

static bool do_tx(struct judge *j, char *line)
{
    uint32_t height = (uint32_t)number(&line);
    bool unseal = number(&line) != 0, ok = true;
    char *hex = word(&line);
    struct cc_coin *coins;
    struct cc_tx tx;
    uint8_t *raw;
    size_t len;

    if (!hex)
        return false;
    raw = bytes(hex, &len);
    if (cc_tx_decode(&tx, raw, len, true) != CC_OK) {
        free(raw);
        return false;
    }
    free(raw);
    coins = cc_calloc(tx.vin_count + 1, sizeof(*coins));
    for (size_t i = 0; i < tx.vin_count && ok; i++)
        ok = read_coin(&coins[i], word(&line));
    if (ok)
        judge_tx(j, &tx, coins, height, unseal);
    for (size_t i = 0; i < tx.vin_count; i++)
        free((void *)(uintptr_t)coins[i].out.script.data);
    free(coins);
    cc_tx_clear(&tx);
    return ok;
}

static bool answer(struct judge *j, char *line)
{
    static const struct {
        const char *name;
        bool (*run)(struct judge *, char *);
    } commands[] = {
        {"chain", do_chain}, {"connect", do_connect}, {"reorg", do_reorg},
        {"sign", do_sign},   {"tx", do_tx},
    };
    char *name = word(&line);

    for (size_t i = 0; name && i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(name, commands[i].name))
            return commands[i].run(j, line);
    return false;
}

int main(void)
{
    struct judge j;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    memset(&j, 0, sizeof(j));
    j.ec = cc_ec_new();
    while ((n = getline(&line, &cap, stdin)) > 0) {
        if (line[n - 1] == '\n')
            line[n - 1] = 0;
        if (!answer(&j, line))
            printf("error\n");
        fflush(stdout);
    }
    free(line);
    free(j.hashes);
    free(j.states);
    cc_ec_free(j.ec);
    return 0;
}
