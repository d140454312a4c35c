/*
 * The rules of a transaction with typed coins (doc/protocol.md 4).
 *
 * In order: outputs are taken apart; money that comes in; inputs with their
 * witnesses; outputs that form, and those that continue an input; what each
 * typed input does; what a claiming transaction may not do; owed sums and the
 * balance. A fault before the first block hash is read is one on every branch;
 * after it, it is one here and now. So the order of the stages is a rule too.
 */
#include "consensus/storage.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/reject.h"
#include "consensus/transition.h"

/* A typed output that is no reserved kind. */
struct output {
    size_t index;
    struct cc_typed body;
};

struct check {
    struct cc_storage_result *r;
    const struct cc_tx *tx;
    const struct cc_coin *coins;
    const struct cc_sighash *s;
    const struct cc_params *p;
    struct cc_chain_read chain;
    struct output *outs;
    size_t out_count, out_forming;
    struct cc_spent *spent;
    size_t spent_count;
    cc_amount in, out;
    struct cc_storage_owed *owed;
    size_t owed_count;
};

void cc_storage_result_init(struct cc_storage_result *r)
{
    memset(r, 0, sizeof(*r));
    r->facts.lo = INT64_MIN;
    r->facts.hi = INT64_MAX;
    r->facts.read = -1;
    cc_arena_init(&r->arena);
}

void cc_storage_result_clear(struct cc_storage_result *r)
{
    cc_arena_clear(&r->arena);
    cc_storage_result_init(r);
}

static bool is_typed(struct cc_bytes script)
{
    return script.len > 0 && script.data[0] == CC_OP_STORAGE;
}

static enum cc_status refuse(struct cc_error *err, enum cc_reject_code code,
                             const char *why)
{
    return cc_reject_detail(err, code, "%s", why);
}

static enum cc_status refuse_here(struct cc_error *err,
                                  enum cc_reject_code code, const char *why)
{
    cc_reject_detail(err, code, "%s", why);
    if (err)
        err->verdict = CC_VERDICT_CONTEXT;
    return CC_INVALID;
}

static void bound(struct check *c, int64_t lo, int64_t hi)
{
    if (lo > c->r->facts.lo)
        c->r->facts.lo = lo;
    if (hi < c->r->facts.hi)
        c->r->facts.hi = hi;
}

/* --- Taking apart --------------------------------------------------------- */

static enum cc_status parse_outputs(struct check *c, struct cc_error *err)
{
    const size_t max = c->p->storage.max_typed;
    struct cc_typed t;
    enum cc_status st;
    size_t typed = 0;

    for (size_t n = 0; n < c->tx->vout_count; n++)
        typed += is_typed(c->tx->vout[n].script);
    if (typed == 0)
        return CC_OK;
    c->r->typed = true;
    c->outs = cc_arena_alloc(&c->r->arena,
                             (typed < max ? typed : max) * sizeof(*c->outs));
    for (size_t n = 0; n < c->tx->vout_count; n++) {
        st = cc_typed_parse(&t, c->tx->vout[n].script, err);
        if (st != CC_OK)
            return cc_context(err, st, "output %zu", n);
        if (t.kind == CC_KIND_NONE || t.kind == CC_KIND_RESERVED)
            continue;
        if (c->out_count < max) {
            c->outs[c->out_count].index = n;
            c->outs[c->out_count].body = t;
        }
        c->out_count++; /* too many: check_limits says so */
    }
    return CC_OK;
}

static enum cc_status sum_money(struct check *c, struct cc_error *err)
{
    const cc_amount max = c->p->max_money;
    const struct cc_coin *coin;

    for (size_t n = 0; n < c->tx->vin_count; n++) {
        coin = &c->coins[n];
        if (coin->coinbase && (int64_t)c->chain.view->height - coin->height <
                                  (int64_t)c->p->coinbase_maturity)
            return refuse_here(err, CC_REJECT_PREMATURE,
                               "spends an immature coin");
        if (!cc_amount_add(&c->in, c->in, coin->out.value, max))
            return refuse(err, CC_REJECT_INPUTVALUES, "sum over MAX_MONEY");
    }
    for (size_t n = 0; n < c->tx->vout_count; n++)
        if (!cc_amount_add(&c->out, c->out, c->tx->vout[n].value, max))
            return refuse(err, CC_REJECT_TXOUTTOTAL, "sum over MAX_MONEY");
    return CC_OK;
}

/* The coin set holds well-formed coins only; one that is not says that our
 * own disk failed, not that the transaction is bad. */
static enum cc_status read_coin(struct cc_typed *t, const struct cc_coin *coin,
                                const struct cc_params *p)
{
    if (cc_typed_parse(t, coin->out.script, NULL) != CC_OK ||
        cc_typed_check(t, coin->out.value, p, NULL) != CC_OK)
        return CC_CORRUPT;
    return CC_OK;
}

static enum cc_status parse_input(struct check *c, size_t n,
                                  struct cc_error *err)
{
    const struct cc_txin *in = &c->tx->vin[n];
    const struct cc_coin *coin = &c->coins[n];
    struct cc_spent *s = &c->spent[c->spent_count];
    enum cc_status st;

    if (!is_typed(coin->out.script))
        return CC_OK;
    memset(s, 0, sizeof(*s));
    st = read_coin(&s->body, coin, c->p);
    if (st != CC_OK)
        return cc_fail(err, st, "the spent typed coin is not well-formed");
    if (in->script_sig.len)
        return refuse(err, CC_REJECT_STORAGE_WITNESS, "scriptSig not empty");
    if (s->body.kind == CC_KIND_RESERVED)
        return CC_OK; /* any witness */
    s->index = n;
    s->coin = coin;
    cc_typed_id(s->id, &s->body, &in->prevout);
    c->spent_count++;
    return cc_act_parse(&s->act, s->body.kind, in->witness, in->witness_count,
                        err);
}

static enum cc_status parse_inputs(struct check *c, struct cc_error *err)
{
    enum cc_status st;
    size_t typed = 0;

    for (size_t n = 0; n < c->tx->vin_count; n++)
        typed += is_typed(c->coins[n].out.script);
    if (typed) {
        c->r->typed = true;
        c->spent = cc_arena_alloc(&c->r->arena, typed * sizeof(*c->spent));
    }
    for (size_t n = 0; typed && n < c->tx->vin_count; n++) {
        st = parse_input(c, n, err);
        if (st != CC_OK)
            return cc_context(err, st, "input %zu", n);
    }
    if (c->spent_count > c->p->storage.max_typed ||
        c->out_count > c->p->storage.max_typed)
        return refuse(err, CC_REJECT_STORAGE_LIMIT,
                      "too many typed inputs or outputs");
    return CC_OK;
}

/* Room for all heavy jobs there can be. */
static void reserve_jobs(struct check *c)
{
    const struct cc_act *a;
    size_t n = 2 * c->out_count;

    for (size_t i = 0; i < c->spent_count; i++) {
        a = &c->spent[i].act;
        n += a->sig_count + (a->rev != NULL) + (a->vou != NULL);
        n += a->proof_count;
    }
    if (n)
        c->r->jobs = cc_arena_alloc(&c->r->arena, n * sizeof(*c->r->jobs));
}

static void add_signature(struct check *c, const uint8_t key[32],
                          const uint8_t msg[32], struct cc_bytes sig)
{
    struct cc_storage_job *job = &c->r->jobs[c->r->job_count++];

    memset(job, 0, sizeof(*job));
    job->kind = CC_JOB_SIG;
    memcpy(job->key, key, 32);
    memcpy(job->msg, msg, 32);
    job->data = sig;
}

/* --- Outputs -------------------------------------------------------------- */

static enum cc_status check_range(struct check *c, int64_t lo, int64_t hi,
                                  const char *why, struct cc_error *err)
{
    const int64_t h = c->chain.view->height;

    bound(c, lo, hi);
    if (h < lo || h > hi)
        return refuse_here(err, CC_REJECT_STORAGE_TERMS, why);
    return CC_OK;
}

static enum cc_status check_forming_terms(struct check *c,
                                          const struct cc_typed *t,
                                          struct cc_error *err)
{
    const struct cc_storage_params *p = &c->p->storage;
    const struct cc_contract *k = &t->u.contract;
    const struct cc_seal *s = &t->u.seal;
    int64_t hi;

    if (t->kind == CC_KIND_CONTRACT) {
        if (!cc_contract_schedule_fair(k))
            return refuse(err, CC_REJECT_STORAGE_TERMS,
                          "contract: too few periods for its odds");
        if (k->revision || k->done || k->redeemed)
            return refuse(err, CC_REJECT_STORAGE_TERMS,
                          "contract: forming with state");
        return check_range(c, (int64_t)k->start - p->max_lead, k->start,
                           "contract: start not in h ... h + MAX_LEAD", err);
    }
    if (t->kind == CC_KIND_SEAL) {
        if (s->mark_height || s->mark_leaf)
            return refuse(err, CC_REJECT_STORAGE_TERMS,
                          "seal: forming with a mark");
        hi = (int64_t)s->seal_height - p->seal_delay;
        return check_range(c, hi - p->seal_slack, hi,
                           "seal: seal_height too near or too far", err);
    }
    return CC_OK;
}

static enum cc_status check_forming(struct check *c, const struct output *o,
                                    struct cc_error *err)
{
    const struct cc_typed *t = &o->body;
    const uint8_t *keys[2];
    enum cc_status st = check_forming_terms(c, t, err);
    uint8_t msg[32];
    size_t n;

    if (st != CC_OK)
        return st;
    cc_typed_form_message(msg, t, &c->tx->vin[0].prevout, (uint32_t)o->index,
                          c->tx->vout[o->index].value, c->p);
    n = cc_typed_signers(keys, t);
    for (size_t i = 0; i < n; i++)
        add_signature(c, keys[i], msg, cc_bytes(t->sigs.data + 64 * i, 64));
    c->out_forming++;
    return CC_OK;
}

/* A continuing output names exactly one input, which re-creates its coin and
 * has no successor yet: else state could be forged. */
static enum cc_status check_continuing(struct check *c, const struct output *o,
                                       struct cc_error *err)
{
    struct cc_spent *found = NULL, *s;
    uint8_t id[32];

    cc_typed_id(id, &o->body, NULL);
    for (size_t i = 0; i < c->spent_count; i++) {
        s = &c->spent[i];
        if (s->body.kind != o->body.kind || memcmp(s->id, id, 32))
            continue;
        if (found)
            return refuse(err, CC_REJECT_STORAGE_SUCCESSOR,
                          "continuing output names two inputs");
        found = s;
    }
    if (!found)
        return refuse(err, CC_REJECT_STORAGE_SUCCESSOR,
                      "continuing output names no input");
    if (!found->act.continues)
        return refuse(err, CC_REJECT_STORAGE_SUCCESSOR,
                      "continuing output for an input that ends its coin");
    if (found->out)
        return refuse(err, CC_REJECT_STORAGE_SUCCESSOR,
                      "two outputs continue one input");
    found->out = &c->tx->vout[o->index];
    found->output = &o->body;
    found->output_index = o->index;
    return CC_OK;
}

static enum cc_status check_outputs(struct check *c, struct cc_error *err)
{
    const struct output *o;
    enum cc_status st;

    for (size_t i = 0; i < c->out_count; i++) {
        o = &c->outs[i];
        st = cc_typed_check(&o->body, c->tx->vout[o->index].value, c->p, err);
        if (st == CC_OK)
            st = o->body.forming ? check_forming(c, o, err)
                                 : check_continuing(c, o, err);
        if (st != CC_OK)
            return cc_context(err, st, "output %zu", o->index);
    }
    return CC_OK;
}

/* --- Inputs --------------------------------------------------------------- */

/* Encodings are unique, so equal scripts are equal coins. */
static bool is_successor(const struct cc_spent *s, const struct cc_step *step)
{
    uint8_t script[CC_TYPED_SCRIPT_ROOM];
    struct cc_writer w;

    if (s->out->value != step->value)
        return false;
    cc_writer_init(&w, script, sizeof(script));
    cc_typed_write(&w, &step->next);
    return !w.failed && cc_bytes_equal(cc_bytes(script, w.len), s->out->script);
}

static void add_owed(struct check *c, const struct cc_step *step)
{
    struct cc_storage_owed *o;

    if (!c->owed)
        c->owed =
            cc_arena_alloc(&c->r->arena, c->spent_count * sizeof(*c->owed));
    for (size_t i = 0; i < c->owed_count; i++) {
        if (!memcmp(c->owed[i].key, step->owed_key, 32)) {
            c->owed[i].sum += step->owed; /* within the coins' sum */
            return;
        }
    }
    o = &c->owed[c->owed_count++];
    memcpy(o->key, step->owed_key, 32);
    o->sum = step->owed;
}

static enum cc_status run_input(struct check *c, const struct cc_spent *s,
                                struct cc_error *err)
{
    struct cc_step step;
    enum cc_status st;
    uint8_t msg[32];

    if (s->act.continues && !s->out)
        return refuse(err, CC_REJECT_STORAGE_SUCCESSOR,
                      "input has no continuing output");
    st = cc_step_run(&step, s, &c->chain, err);
    if (st != CC_OK)
        return st;
    if (s->act.continues && !is_successor(s, &step))
        return refuse(err, CC_REJECT_STORAGE_SUCCESSOR,
                      "output is not the successor");
    cc_action_message(msg, c->s, s->index, s->act.elements,
                      s->act.element_count, c->p);
    for (size_t i = 0; i < s->act.sig_count; i++)
        add_signature(c, step.signers[i], msg, s->act.sigs[i]);
    if (step.job_count)
        memcpy(c->r->jobs + c->r->job_count, step.jobs,
               step.job_count * sizeof(*step.jobs));
    c->r->job_count += step.job_count;
    if (step.owes)
        add_owed(c, &step);
    c->r->mint += step.mint; /* each at most a fourth of a subsidy */
    c->r->pool += step.pool; /* within the coins' sum */
    c->r->claims += s->act.action == CC_ACTION_CLAIM;
    bound(c, step.lo, step.hi);
    return CC_OK;
}

static enum cc_status run_inputs(struct check *c, struct cc_error *err)
{
    enum cc_status st;

    for (size_t i = 0; i < c->spent_count; i++) {
        st = run_input(c, &c->spent[i], err);
        if (st != CC_OK)
            return cc_context(err, st, "input %zu", c->spent[i].index);
    }
    return CC_OK;
}

/* --- The whole ------------------------------------------------------------ */

/* What is minted matures like a coinbase: a reorganisation could undo it. */
static enum cc_status check_claims(struct check *c, struct cc_error *err)
{
    if (c->r->claims == 0)
        return CC_OK;
    if (c->r->claims != c->spent_count)
        return refuse(err, CC_REJECT_STORAGE_CLAIM,
                      "CLAIM beside another action");
    if (c->r->claims > (uint64_t)c->p->storage.max_claims)
        return refuse(err, CC_REJECT_STORAGE_CLAIM,
                      "more claims than a block may hold");
    if (c->out_forming)
        return refuse(err, CC_REJECT_STORAGE_CLAIM,
                      "CLAIM beside a forming output");
    c->r->maturing = cc_arena_alloc(&c->r->arena, c->tx->vout_count *
                                                      sizeof(*c->r->maturing));
    for (size_t n = 0; n < c->tx->vout_count; n++)
        c->r->maturing[n] = true;
    for (size_t i = 0; i < c->spent_count; i++)
        c->r->maturing[c->spent[i].output_index] = false;
    return CC_OK;
}

static int compare_owed(const void *a, const void *b)
{
    return memcmp(a, b, 32); /* the key is first */
}

/* Sums below OWED_MIN lapse; the others must be paid to OP_1 <key>. */
static enum cc_status check_owed(struct check *c, struct cc_error *err)
{
    struct cc_storage_owed *o = c->owed, *found;
    cc_amount *paid;
    size_t n = 0;

    for (size_t i = 0; i < c->owed_count; i++)
        if (o[i].sum >= c->p->storage.owed_min)
            o[n++] = o[i];
    if (n == 0)
        return CC_OK;
    qsort(o, n, sizeof(*o), compare_owed); /* keys are distinct */
    c->r->owed = o;
    c->r->owed_count = n;
    paid = cc_arena_calloc(&c->r->arena, n, sizeof(*paid));
    for (size_t i = 0; i < c->tx->vout_count; i++) {
        const struct cc_txout *out = &c->tx->vout[i];

        if (out->script.len != 34 || out->script.data[0] != 0x51 ||
            out->script.data[1] != 32)
            continue;
        found = bsearch(out->script.data + 2, o, n, sizeof(*o), compare_owed);
        if (found)
            paid[found - o] += out->value; /* within the outputs' sum */
    }
    for (size_t i = 0; i < n; i++)
        if (paid[i] < o[i].sum)
            return refuse(err, CC_REJECT_STORAGE_OWED, "owed sum not paid");
    return CC_OK;
}

static enum cc_status check_balance(struct check *c, struct cc_error *err)
{
    struct cc_storage_result *r = c->r;
    cc_amount in, out;

    if (!cc_amount_add(&in, c->in, r->mint, c->p->max_money))
        return refuse(err, CC_REJECT_INPUTVALUES, "sum over MAX_MONEY");
    if (!cc_amount_add(&out, c->out, r->pool, c->p->max_money))
        return refuse(err, CC_REJECT_TXOUTTOTAL, "sum over MAX_MONEY");
    if (in < out)
        return refuse(err, CC_REJECT_IN_BELOWOUT, "outputs exceed inputs");
    r->fee = in - out;
    for (size_t i = 0; i < r->job_count; i++)
        r->sigops += r->jobs[i].kind == CC_JOB_SIG;
    return CC_OK;
}

static enum cc_status check_tx(struct check *c, struct cc_error *err)
{
    enum cc_status st = parse_outputs(c, err);

    if (st == CC_OK && cc_tx_is_coinbase(c->tx))
        return c->r->typed ? cc_reject_code(err, CC_REJECT_CB_TYPED) : CC_OK;
    if (st == CC_OK)
        st = sum_money(c, err);
    if (st == CC_OK)
        st = parse_inputs(c, err);
    if (st != CC_OK)
        return st;
    reserve_jobs(c);
    st = check_outputs(c, err);
    if (st == CC_OK)
        st = run_inputs(c, err);
    if (st == CC_OK)
        st = check_claims(c, err);
    if (st == CC_OK)
        st = check_owed(c, err);
    if (st == CC_OK)
        st = check_balance(c, err);
    return st;
}

enum cc_status
cc_storage_check(struct cc_storage_result *r, const struct cc_tx *tx,
                 const struct cc_coin *coins, const struct cc_sighash *s,
                 const struct cc_storage_view *view, struct cc_error *err)
{
    struct check c;
    enum cc_status st;

    cc_storage_result_clear(r);
    memset(&c, 0, sizeof(c));
    c.r = r;
    c.tx = tx;
    c.coins = coins;
    c.s = s;
    c.p = view->params;
    cc_chain_read_init(&c.chain, view);
    st = check_tx(&c, err);
    r->facts.read = c.chain.top;
    memcpy(r->facts.read_hash, c.chain.top_hash, 32);
    /* What failed after a hash was read may be right on another branch. */
    if (st == CC_INVALID && c.chain.top >= 0 && err)
        err->verdict = CC_VERDICT_CONTEXT;
    return st;
}
