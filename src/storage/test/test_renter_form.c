/*
 * Finding hosts and forming contracts, against a node and a host that are
 * played: what a host may ask and offer, and what it may not.
 */
#include "storage/renter_internal.h"

#include "crypto/ec.h"
#include "crypto/hash.h"
#include "support.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/mem.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIP 100
#define FUNDS 5 /* coins of one CLC each */

static struct cc_ec *ec;
static const struct cc_params *params;

/* What the host does wrong. */
enum lie {
    HONEST,
    OTHER_VERSION,
    OTHER_CHAIN,
    ABSURD_PRICE,
    NOT_ACCEPTING,
    NO_ROOM,
    LONG_PERIODS,   /* wants periods longer than we ask for */
    DEAR,           /* rent above -maxrent */
    DEAR_TRANSFERS, /* what transfers may cost above it */
    NO_STAKE,       /* loses less than it earns if it drops the data */
    LITTLE_COLLATERAL,
    WRONG_SIGNATURE,
    OUR_COIN,
    LEGACY,    /* an input with a scriptSig to come */
    HEAVIER,   /* honest, with an input of 2,000 weight units more */
    TOO_HEAVY, /* inputs whose fee we would pay */
    ABSURD_OUTPUT,
    OTHER_TXID,
    HANG_UP, /* after FORM_SIGN: who knows what it did */
    REFUSE,
};

struct world {
    char dir[64];
    enum lie lie;
    int node, host; /* listening */
    uint16_t node_port, host_port;
    pthread_t node_thread, host_thread;
    uint8_t host_secret[32], host_key[32], seed[32];
    /* what the node was asked */
    unsigned locked, unlocked, sent;
    int next_key;
    bool on_chain, signs_nothing, down;
    bool refuse; /* the contract's transaction */
    uint32_t height;
    /* the transaction that the host was given */
    uint8_t *tx;
    size_t tx_len;
    struct cc_msg_form_request request;
    struct cc_node_client *client;
    struct cc_renter *renter;
    struct cc_error err;
};

static int listen_any(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    assert_int_equal(listen(fd, 16), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* --- The node ------------------------------------------------------------ */

static void storage_secret(const struct world *w, int index, uint8_t out[32])
{
    uint8_t buf[36];

    memcpy(buf, w->seed, 32);
    cc_put_u32le(buf + 32, (uint32_t)index);
    cc_sha256_once(out, buf, sizeof(buf));
}

static json_t *storage_key(struct world *w, const json_t *params_given)
{
    uint8_t secret[32], key[32];
    char a[65], b[65];
    int index = json_array_size(params_given)
                    ? (int)json_integer_value(json_array_get(params_given, 0))
                    : w->next_key++;

    storage_secret(w, index, secret);
    assert_true(cc_ec_xonly(ec, key, secret));
    cc_hex_encode(a, key, 32);
    cc_hex_encode(b, secret, 32);
    return json_pack("{s:i, s:s, s:s}", "index", index, "key", a, "secret", b);
}

static void our_script(uint8_t s[34])
{
    memset(s, 0x11, 34);
    s[0] = 0x51;
    s[1] = 32;
}

static json_t *unspent(void)
{
    json_t *list = json_array();
    uint8_t script[34];
    char hex[69], txid[65];

    our_script(script);
    cc_hex_encode(hex, script, 34);
    for (int i = 0; i < FUNDS; i++) {
        memset(txid, 'a' + i, 64);
        txid[64] = 0;
        json_array_append_new(
            list, json_pack("{s:s, s:i, s:s, s:f, s:i, s:b, s:b}", "txid", txid,
                            "vout", i, "scriptPubKey", hex, "amount", 1.0,
                            "confirmations", 3, "spendable", 1, "safe", 1));
    }
    /* One too big to be true, and not ours to spend. */
    json_array_append_new(
        list, json_pack("{s:s, s:i, s:s, s:f, s:i, s:b, s:b}", "txid", txid,
                        "vout", 99, "scriptPubKey", hex, "amount", 1000.0,
                        "confirmations", 3, "spendable", 0, "safe", 1));
    /* Spent by a signature that does not cover the host's scripts. */
    json_array_append_new(
        list,
        json_pack("{s:s, s:i, s:s, s:f, s:i, s:b, s:b}", "txid", txid, "vout",
                  98, "scriptPubKey",
                  "00141111111111111111111111111111111111111111", "amount",
                  50.0, "confirmations", 3, "spendable", 1, "safe", 1));
    return list;
}

/* Each input without a prevout among the given ones gets a witness. */
static json_t *sign_raw(const struct world *w, const json_t *args)
{
    const json_t *prev = json_array_get(json_array_get(args, 1), 0);
    char amount[CC_AMOUNT_TEXT_SIZE];
    struct cc_bytes item = cc_bytes("0123456789", 10);
    struct cc_writer out;
    struct cc_tx tx;
    uint8_t *data;
    json_t *v;
    size_t len, ours;
    char *hex;

    data = cc_test_unhex(json_string_value(json_array_get(args, 0)), &len);
    assert_int_equal(cc_tx_decode(&tx, data, len, true), CC_OK);
    ours = tx.vin_count - json_array_size(json_array_get(args, 1));
    /* What the host's input spends: a taproot signature covers it. */
    assert_string_equal(cc_test_string(prev, "scriptPubKey"),
                        "00140900000000000000000000000000000000000000");
    cc_amount_format(amount, (cc_amount)(w->request.contract.penalty *
                                             w->request.contract.periods +
                                         5000));
    assert_string_equal(cc_test_string(prev, "amount"), amount);
    assert_int_equal(cc_test_int(prev, "vout"), 0);
    assert_int_equal(strncmp(cc_test_string(prev, "txid"), "9999", 4), 0);
    for (size_t i = 0; i < (w->signs_nothing ? 0 : ours); i++) {
        tx.vin[i].witness = &item;
        tx.vin[i].witness_count = 1;
    }
    cc_tx_finish(&tx);
    cc_writer_init_heap(&out);
    cc_tx_write(&out, &tx, true);
    hex = cc_hex_dup(out.data, out.len);
    v = json_pack("{s:s, s:b}", "hex", hex, "complete", 0);
    cc_writer_clear(&out);
    cc_tx_clear(&tx);
    free(hex);
    free(data);
    return v;
}

static json_t *identities(const struct world *w)
{
    char key[65], end[32];

    cc_hex_encode(key, w->host_key, 32);
    snprintf(end, sizeof(end), "127.0.0.1:%u", w->host_port);
    /* One key three times: one host, as its latest identity says. And one
     * without an endpoint: none. */
    return json_pack("[{s:s, s:s, s:[s], s:i}, {s:s, s:s, s:[s], s:i}, "
                     "{s:s, s:s, s:[s], s:i}, {s:s, s:[], s:i}]",
                     "key", key, "name", "old", "endpoints", "127.0.0.1:1",
                     "sequence", 1, "key", key, "name", "good\x1b[host",
                     "endpoints", end, "sequence", 2, "key", key, "name",
                     "again", "endpoints", "127.0.0.1:1", "sequence", 2, "key",
                     key, "endpoints", "sequence", 3);
}

static json_t *node_result(struct world *w, const char *method,
                           const json_t *args)
{
    if (!strcmp(method, "listidentities"))
        return identities(w);
    if (!strcmp(method, "getblockcount"))
        return json_integer(w->height);
    if (!strcmp(method, "getmempoolinfo"))
        return json_pack("{s:f}", "mempoolminfee", 0.00001);
    if (!strcmp(method, "getrawchangeaddress")) {
        char text[CC_ADDRESS_MAX];
        uint8_t script[34];

        our_script(script);
        assert_true(cc_address_encode(text, script, 34, &params->prefixes));
        return json_string(text);
    }
    if (!strcmp(method, "listunspent"))
        return unspent();
    if (!strcmp(method, "lockunspent")) {
        if (json_is_true(json_array_get(args, 0)))
            w->unlocked++;
        else
            w->locked++;
        return json_true();
    }
    if (!strcmp(method, "getstoragekey"))
        return storage_key(w, args);
    if (!strcmp(method, "signrawtransactionwithwallet"))
        return sign_raw(w, args);
    if (!strcmp(method, "sendrawtransaction")) {
        w->sent++;
        return w->refuse ? NULL : json_string("");
    }
    return NULL;
}

static char *node_answer(struct world *w, const char *body)
{
    json_t *call = json_loads(body, 0, NULL), *reply, *result;
    const char *method = json_string_value(json_object_get(call, "method"));
    char *text;

    result = node_result(w, method, json_object_get(call, "params"));
    if (!strcmp(method, "getcontract") && w->on_chain)
        result = json_object();
    reply = json_pack("{s:o?, s:o?, s:O}", "result",
                      result ? result : json_null(), "error",
                      result ? json_null()
                             : json_pack("{s:i, s:s}", "code", -5, "message",
                                         "No such contract"),
                      "id", json_object_get(call, "id"));
    text = json_dumps(reply, 0);
    json_decref(reply);
    json_decref(call);
    return text;
}

static void *node_main(void *arg)
{
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct world *w = arg;
    static char got[200000];
    int fd;

    while ((fd = accept(w->node, NULL, NULL)) >= 0) {
        size_t n = 0;
        ssize_t r;
        char *body = NULL, *len, *text;

        while ((r = recv(fd, got + n, sizeof(got) - 1 - n, 0)) > 0) {
            n += (size_t)r;
            got[n] = 0;
            body = strstr(got, "\r\n\r\n");
            len = strstr(got, "Content-Length: ");
            if (body && len && strlen(body + 4) >= strtoul(len + 16, NULL, 10))
                break;
        }
        if (body && !w->down) {
            text = node_answer(w, body + 4);
            (void)!write(fd, head, sizeof(head) - 1);
            (void)!write(fd, text, strlen(text));
            free(text);
        }
        close(fd);
    }
    return NULL;
}

/* --- The host ------------------------------------------------------------ */

static void host_settings(const struct world *w,
                          struct cc_msg_settings_reply *s)
{
    s->version = w->lie == OTHER_VERSION ? 2 : CC_SESSION_VERSION;
    memcpy(s->genesis, params->genesis_hash, 32);
    s->genesis[0] ^= w->lie == OTHER_CHAIN;
    s->height = TIP;
    s->accepting = w->lie != NOT_ACCEPTING;
    s->sectors_total = 1000;
    s->sectors_free = w->lie == NO_ROOM ? 3 : 1000;
    s->period_min = w->lie == LONG_PERIODS ? 20 : 12;
    s->period_max = 100;
    s->periods_max = 50;
    s->lead_max = 100;
    s->capacity_max = 500;
    s->samples = 2;
    s->odds_max = 4;
    s->collateral_permille = w->lie == NO_STAKE ? 999 : 2000;
    s->price_storage = w->lie == DEAR ? 10000000000 : 1000000;
    s->price_write = w->lie == ABSURD_PRICE ? UINT64_MAX : 1000;
    s->price_read = 10;
    s->price_request = w->lie == DEAR_TRANSFERS ? 400000000000 : 1;
}

static void host_offer(struct world *w, const struct cc_msg_form_request *q,
                       struct cc_msg_form_offer *o)
{
    static const uint8_t script[22] = {0, 20, 9};
    static const uint8_t legacy[25] = {0x76, 0xa9, 20, [23] = 0x88, 0xac};
    struct cc_typed t = {.kind = CC_KIND_CONTRACT, .forming = true};
    uint64_t stake = q->contract.penalty * q->contract.periods;
    uint8_t msg[32];

    w->request = *q;
    t.u.contract = q->contract;
    if (w->lie == WRONG_SIGNATURE)
        t.u.contract.rent++;
    cc_typed_form_message(msg, &t, &q->prevout0, 0, (cc_amount)q->value,
                          params);
    assert_true(
        cc_schnorr_sign(ec, o->signature, w->host_secret, msg, 32, NULL));
    o->input_count = 1;
    memset(o->inputs[0].prevout.txid, 0x99, 32);
    if (w->lie == OUR_COIN)
        o->inputs[0].prevout = q->prevout0;
    o->inputs[0].value = stake + 5000;
    o->inputs[0].weight = w->lie == TOO_HEAVY ? 100000
                          : w->lie == HEAVIER ? 2272
                                              : 272;
    o->inputs[0].script = cc_bytes(script, sizeof(script));
    if (w->lie == LEGACY)
        o->inputs[0].script = cc_bytes(legacy, sizeof(legacy));
    o->output_count = 1;
    o->outputs[0].value = w->lie == LITTLE_COLLATERAL ? 5001
                          : w->lie == ABSURD_OUTPUT   ? UINT64_MAX
                                                      : 5000;
    o->outputs[0].script = cc_bytes(script, sizeof(script));
}

static bool host_done(struct world *w, const struct cc_msg_form_sign *q,
                      struct cc_msg_form_done *r)
{
    struct cc_tx tx;

    free(w->tx);
    w->tx = cc_memdup(q->tx.data, q->tx.len);
    w->tx_len = q->tx.len;
    assert_int_equal(cc_tx_decode(&tx, w->tx, w->tx_len, true), CC_OK);
    memcpy(r->txid, tx.txid, 32);
    r->txid[0] ^= w->lie == OTHER_TXID;
    r->tx = cc_bytes(w->tx, w->tx_len);
    cc_tx_clear(&tx);
    return w->lie != HANG_UP;
}

static void host_session(struct world *w, struct cc_session *s)
{
    struct cc_message q, *r = cc_calloc(1, sizeof(*r));

    while (cc_session_receive(s, &q, 5000, NULL) == CC_OK) {
        memset(r, 0, sizeof(*r));
        r->id = q.id;
        r->type = (enum cc_message_type)(q.type + 1);
        if (q.type == CC_MSG_SETTINGS) {
            host_settings(w, &r->u.settings_reply);
        } else if (q.type == CC_MSG_FORM_REQUEST && w->lie == REFUSE) {
            r->type = CC_MSG_ERROR;
            r->u.error.code = CC_REFUSE_TERMS;
            r->u.error.text = cc_bytes("not with you", 12);
        } else if (q.type == CC_MSG_FORM_REQUEST) {
            assert_memory_equal(cc_session_peer(s),
                                q.u.form_request.contract.renter_key, 32);
            host_offer(w, &q.u.form_request, &r->u.form_offer);
        } else if (!host_done(w, &q.u.form_sign, &r->u.form_done)) {
            break;
        }
        if (cc_session_send(s, r, NULL) != CC_OK)
            break;
    }
    free(r);
}

static void *host_main(void *arg)
{
    struct world *w = arg;
    struct cc_session *s;
    int fd;

    while ((fd = accept(w->host, NULL, NULL)) >= 0) {
        if (cc_session_accept(&s, ec, fd, w->host_secret, 5000, NULL) != CC_OK)
            continue;
        host_session(w, s);
        cc_session_free(s);
    }
    return NULL;
}

/* --- The world ----------------------------------------------------------- */

static void open_renter(struct world *w)
{
    struct cc_renter_options o = {.dir = w->dir,
                                  .params = params,
                                  .ec = ec,
                                  .node = w->client,
                                  .k = 1,
                                  .n = 1,
                                  .hosts_max = 10,
                                  .period = 12,
                                  .rent_max = CC_COIN,
                                  .timeout_ms = 3000};

    assert_int_equal(cc_renter_open(&w->renter, &o, &w->err), CC_OK);
}

static void world_init(struct world *w, enum lie lie)
{
    struct cc_node_options n = {
        .host = "127.0.0.1", .user = "u", .password = "p", .timeout_ms = 5000};

    memset(w, 0, sizeof(*w));
    w->lie = lie;
    w->next_key = 1;
    w->height = TIP;
    strcpy(w->dir, "/tmp/cc_form_XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    memset(w->seed, 8, 32);
    cc_ec_secret_new(w->host_secret);
    assert_true(cc_ec_xonly(ec, w->host_key, w->host_secret));
    w->node = listen_any(&w->node_port);
    w->host = listen_any(&w->host_port);
    assert_int_equal(pthread_create(&w->node_thread, NULL, node_main, w), 0);
    assert_int_equal(pthread_create(&w->host_thread, NULL, host_main, w), 0);
    n.port = w->node_port;
    w->client = cc_node_client_new(&n);
    open_renter(w);
}

static void world_clear(struct world *w)
{
    cc_renter_close(w->renter);
    cc_node_client_free(w->client);
    shutdown(w->node, SHUT_RDWR);
    shutdown(w->host, SHUT_RDWR);
    assert_int_equal(pthread_join(w->node_thread, NULL), 0);
    assert_int_equal(pthread_join(w->host_thread, NULL), 0);
    close(w->node);
    close(w->host);
    free(w->tx);
    assert_int_equal(cc_fs_remove_tree(w->dir, NULL), CC_OK);
}

static struct cc_host only_host(struct world *w)
{
    struct cc_host *hosts, h;
    size_t count;

    assert_int_equal(cc_renter_find_hosts(w->renter, &hosts, &count, &w->err),
                     CC_OK);
    assert_int_equal(count, 1);
    h = hosts[0];
    free(hosts);
    return h;
}

/* --- Tests --------------------------------------------------------------- */

static void test_settings(void **state)
{
    static const struct {
        enum lie lie;
        const char *says;
    } rows[] = {
        {OTHER_VERSION, "version 2"},
        {OTHER_CHAIN, "another chain"},
        {ABSURD_PRICE, "absurd prices"},
    };
    struct world w;
    struct cc_host h;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_init(&w, rows[i].lie);
        h = only_host(&w);
        assert_false(h.answers);
        if (!strstr(h.fault, rows[i].says))
            fail_msg("\"%s\"", h.fault);
        world_clear(&w);
    }
    world_init(&w, HONEST);
    h = only_host(&w);
    assert_true(h.answers);
    assert_string_equal(h.name, "good?[host"); /* fit for a terminal */
    assert_int_equal(h.settings.sectors_total, 1000);
    world_clear(&w);
}

static void test_networks(void **state)
{
    static const char *const rows[][2] = {
        {"8.8.8.8:1", "8.8.8"},
        {"8.8.9.8:1", "8.8.9"},
        {"[2001:db8:1::1]:7", "2001:0db8"},
        {"[2a01:4f8::2]:7", "2a01:04f8"},
        {"127.0.0.1:1", NULL},
        {"10.1.2.3:1", NULL},
        {"172.16.0.1:1", NULL},
        {"172.32.0.1:1", "172.32.0"},
        {"192.168.0.1:1", NULL},
        {"192.169.0.1:1", "192.169.0"},
        {"169.254.0.1:1", NULL},
        {"100.64.0.1:1", NULL},
        {"100.128.0.1:1", "100.128.0"},
        {"0.0.0.0:1", NULL},
        {"[::1]:1", NULL},
        {"[fd00::1]:1", NULL},
        {"host.example:1", NULL},
        {"8.8.8.8", NULL},
    };
    char out[CC_HOST_NETWORK_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is = cc_host_network(out, rows[i][0]);

        if (is != (rows[i][1] != NULL) || (is && strcmp(out, rows[i][1])))
            fail_msg("%s", rows[i][0]);
    }
}

/* 3 of 5: two shards may be lost together, a third not. */
static void test_crowded(void **state)
{
    static const char *const taken[] = {"8.8.8.1:1", "8.8.8.2:1", "9.9.9.1:1",
                                        "127.0.0.1:1", "127.0.0.1:2"};

    (void)state;
    assert_true(cc_host_crowded(taken, 5, 3, 5, "8.8.8.3:1"));
    assert_false(cc_host_crowded(taken, 1, 3, 5, "8.8.8.3:1"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "9.9.9.2:1"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "7.7.7.7:1"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "127.0.0.1:3"));
    assert_false(cc_host_crowded(taken, 5, 3, 5, "name.example:1"));
    /* Without redundancy one is all that can be asked for. */
    assert_true(cc_host_crowded(taken, 5, 5, 5, "9.9.9.2:1"));
    assert_false(cc_host_crowded(taken, 5, 5, 5, "7.7.7.7:1"));
}

/* The transaction that an honest host gets, field by field. */
static void test_honest(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct cc_typed t;
    struct cc_tx tx;
    struct world w;
    struct cc_host h;
    cc_amount in, out = 0, need;
    uint8_t msg[32], id[32];
    struct cc_outpoint o = {.index = 0};

    (void)state;
    world_init(&w, HONEST);
    h = only_host(&w);
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
    assert_int_equal(cc_tx_decode(&tx, w.tx, w.tx_len, true), CC_OK);
    /* Our coin first, with a witness; the host's last, without. */
    assert_int_equal(tx.vin_count, 2);
    assert_int_equal(tx.vin[0].witness_count, 1);
    assert_int_equal(tx.vin[1].witness_count, 0);
    assert_int_equal(tx.vin[1].prevout.txid[0], 0x99);
    /* The contract, our change, the host's change. */
    assert_int_equal(tx.vout_count, 3);
    assert_int_equal(tx.version, 2);
    assert_int_equal(tx.locktime, 0);
    assert_int_equal(tx.vin[0].sequence, 0xfffffffd);
    assert_int_equal(tx.vin[1].sequence, 0xfffffffd);
    assert_int_equal(tx.vout[1].script.len, 34);
    assert_int_equal(tx.vout[1].script.data[33], 0x11);
    assert_int_equal(tx.vout[2].value, 5000);
    assert_int_equal(tx.vout[2].script.len, 22);
    assert_int_equal(tx.vout[2].script.data[2], 9);
    assert_int_equal(cc_typed_parse(&t, tx.vout[0].script, NULL), CC_OK);
    assert_int_equal(t.kind, CC_KIND_CONTRACT);
    assert_true(t.forming);
    assert_int_equal(cc_typed_check(&t, tx.vout[0].value, params, NULL), CC_OK);
    cc_typed_form_message(msg, &t, &tx.vin[0].prevout, 0, tx.vout[0].value,
                          params);
    assert_true(
        cc_schnorr_verify(t.u.contract.renter_key, t.sigs.data, msg, 32));
    assert_true(cc_schnorr_verify(w.host_key, t.sigs.data + 64, msg, 32));
    assert_true(cc_contract_need(&need, &t.u.contract, params));
    assert_int_equal(tx.vout[0].value, need);
    /* Terms: what both can do. */
    assert_int_equal(t.u.contract.period, 12);
    assert_int_equal(t.u.contract.periods, 30);
    assert_int_equal(t.u.contract.odds, 4);
    assert_int_equal(t.u.contract.samples, 2);
    assert_int_equal(t.u.contract.rent, 32 * 12);
    assert_int_equal(t.u.contract.penalty, 32 * 12);
    assert_true(t.u.contract.start > TIP + 1);
    /* A fee, and not a large one. */
    in = CC_COIN + (cc_amount)t.u.contract.penalty * 30 + 5000;
    for (size_t i = 0; i < tx.vout_count; i++)
        out += tx.vout[i].value;
    assert_true(in - out > 500 && in - out < 5000);
    /* Known by its id, on disk, and not as forming any more. */
    memcpy(o.txid, tx.txid, 32);
    cc_typed_formed_id(id, &o);
    assert_memory_equal(c->id, id, 32);
    assert_false(c->forming);
    assert_int_equal(c->capacity, 32);
    assert_string_equal(c->endpoint, h.endpoint);
    assert_int_equal(c->price_write, 1000);
    assert_int_equal(c->price_read, 10);
    assert_int_equal(c->price_request, 1);
    assert_int_equal(w.locked, 1);
    assert_int_equal(w.unlocked, 0);
    assert_int_equal(w.sent, 1);
    cc_renter_close(w.renter);
    open_renter(&w);
    assert_non_null(cc_renter_find_contract(w.renter, id));
    cc_tx_clear(&tx);
    world_clear(&w);
}

static void test_lies(void **state)
{
    static const struct {
        enum lie lie;
        enum cc_status st;
        const char *says;
    } rows[] = {
        {NOT_ACCEPTING, CC_INVALID, "takes no new contracts"},
        {NO_ROOM, CC_INVALID, "has room for 3 sectors"},
        {LONG_PERIODS, CC_INVALID, "periods of 20 to 100"},
        {DEAR, CC_INVALID, "above -maxrent=1.00000000"},
        {DEAR_TRANSFERS, CC_INVALID,
         "of transfers for 32 sectors, above -maxrent"},
        {NO_STAKE, CC_INVALID, "stakes only 999 thousandths"},
        {REFUSE, CC_INVALID, "refused: not with you"},
        {LITTLE_COLLATERAL, CC_CORRUPT, "of collateral"},
        {WRONG_SIGNATURE, CC_CORRUPT, "signed other terms"},
        {OUR_COIN, CC_CORRUPT, "a coin of ours"},
        {LEGACY, CC_CORRUPT, "not spent by a witness"},
        {TOO_HEAVY, CC_CORRUPT, "weight units"},
        {ABSURD_OUTPUT, CC_CORRUPT, "absurd outputs"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cc_renter_contract *c = NULL;
        struct world w;
        struct cc_host h;

        world_init(&w, rows[i].lie);
        h = only_host(&w);
        assert_true(h.answers);
        assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err),
                         rows[i].st);
        if (!strstr(w.err.text, rows[i].says))
            fail_msg("\"%s\" does not say \"%s\"", w.err.text, rows[i].says);
        assert_string_equal(w.err.reason, ""); /* the host's fault */
        /* Nothing signed, nothing kept, and the coins are free again. */
        assert_null(w.tx);
        assert_int_equal(w.renter->count, 0);
        assert_int_equal(w.locked, w.unlocked);
        world_clear(&w);
    }
}

static cc_amount fee_with(enum lie lie)
{
    struct cc_renter_contract *c = NULL;
    cc_amount fee;
    struct world w;
    struct cc_host h;
    struct cc_tx tx;

    world_init(&w, lie);
    h = only_host(&w);
    assert_int_equal(cc_renter_form(w.renter, &h, 33, &c, &w.err), CC_OK);
    /* Room to grow: the next power of two. */
    assert_int_equal(c->capacity, 64);
    assert_int_equal(cc_tx_decode(&tx, w.tx, w.tx_len, true), CC_OK);
    fee = CC_COIN - tx.vout[1].value -
          ((cc_amount)c->value - (cc_amount)c->terms.penalty * 30);
    cc_tx_clear(&tx);
    world_clear(&w);
    return fee;
}

/* We pay for the host's input as it tells its weight: two satoshi a vbyte. */
static void test_fee(void **state)
{
    (void)state;
    assert_int_equal(fee_with(HEAVIER) - fee_with(HONEST), 2000 / 4 * 2);
}

/* Faults of our own node or wallet are said to be ours: no use in asking the
 * next host. */
static void test_our_faults(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct cc_host h, *hosts;
    struct world w;
    size_t count;

    (void)state;
    world_init(&w, HONEST);
    h = only_host(&w);
    w.signs_nothing = true;
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_INVALID);
    assert_non_null(strstr(w.err.text, "did not sign its inputs"));
    assert_string_not_equal(w.err.reason, "");
    assert_int_equal(w.renter->count, 0);
    assert_int_equal(w.locked, w.unlocked);
    w.down = true;
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_IO);
    assert_string_not_equal(w.err.reason, "");
    assert_int_equal(cc_renter_find_hosts(w.renter, &hosts, &count, &w.err),
                     CC_IO);
    world_clear(&w);
}

static void test_rank(void **state)
{
    struct cc_host h[5];

    (void)state;
    memset(h, 0, sizeof(h));
    for (int i = 0; i < 5; i++)
        h[i].key[0] = (uint8_t)i;
    h[1].answers = h[2].answers = h[3].answers = h[4].answers = true;
    h[1].settings.price_storage = 2;
    h[1].latency_ms = 1;
    h[2].settings.price_storage = 1;
    h[2].latency_ms = 9;
    h[3].settings.price_storage = 1;
    h[3].latency_ms = 5;
    h[4].settings.price_read = 1; /* 4,096 leaves cost more than storage */
    qsort(h, 5, sizeof(h[0]), cc_host_by_rank);
    assert_int_equal(h[0].key[0], 3); /* as cheap as 2, and quicker */
    assert_int_equal(h[1].key[0], 2);
    assert_int_equal(h[2].key[0], 1);
    assert_int_equal(h[3].key[0], 4);
    assert_int_equal(h[4].key[0], 0); /* does not answer */
}

/* After FORM_SIGN the contract may be on its way, whatever the host says. */
static void test_doubt(void **state)
{
    static const enum lie lies[] = {HANG_UP, OTHER_TXID};

    (void)state;
    for (int i = 0; i < 2; i++) {
        for (int mined = 0; mined < 2; mined++) {
            struct cc_renter_contract *c = NULL;
            struct world w;
            struct cc_host h;

            world_init(&w, lies[i]);
            h = only_host(&w);
            assert_int_not_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err),
                                 CC_OK);
            assert_int_equal(w.renter->count, 1);
            assert_true(w.renter->contracts[0]->forming);
            assert_int_equal(w.unlocked, 0);
            /* It is on disk, and its fate shows on the chain. */
            cc_renter_close(w.renter);
            open_renter(&w);
            assert_int_equal(w.renter->count, 1);
            assert_int_equal(
                cc_renter_settle_forming(w.renter, TIP + 1, &w.err), CC_OK);
            assert_true(w.renter->contracts[0]->forming);
            w.on_chain = mined != 0;
            assert_int_equal(
                cc_renter_settle_forming(w.renter, TIP + 1000, &w.err), CC_OK);
            assert_int_equal(w.renter->count, mined);
            if (mined)
                assert_false(w.renter->contracts[0]->forming);
            world_clear(&w);
        }
    }
}

/* The host says that it sent it, but our node does not take it: the chain
 * decides if there is a contract. */
static void test_not_taken(void **state)
{
    (void)state;
    for (int mined = 0; mined < 2; mined++) {
        struct cc_renter_contract *c = NULL;
        struct world w;
        struct cc_host h;

        world_init(&w, HONEST);
        w.refuse = true;
        h = only_host(&w);
        assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
        assert_int_equal(w.sent, 1);
        assert_true(c->forming);
        w.on_chain = mined != 0;
        assert_int_equal(cc_renter_settle_forming(w.renter, TIP + 1000, &w.err),
                         CC_OK);
        assert_int_equal(w.renter->count, mined);
        world_clear(&w);
    }
}

/* A key that was got for nothing is taken for the next contract. */
static void test_spare_key(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct world w;
    struct cc_host h;

    (void)state;
    world_init(&w, REFUSE);
    h = only_host(&w);
    for (int i = 0; i < 3; i++)
        assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err),
                         CC_INVALID);
    assert_int_equal(w.next_key, 2);
    w.lie = HONEST;
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
    assert_int_equal(c->key_index, 1);
    assert_int_equal(cc_renter_form(w.renter, &h, 5, &c, &w.err), CC_OK);
    assert_int_equal(c->key_index, 2);
    world_clear(&w);
}

/* A contract dearer than all our coins. */
static void test_funds(void **state)
{
    struct cc_renter_contract *c = NULL;
    struct world w;
    struct cc_host h;

    (void)state;
    world_init(&w, DEAR);
    h = only_host(&w);
    w.renter->o.rent_max = params->max_money;
    assert_int_equal(cc_renter_form(w.renter, &h, 200, &c, &w.err), CC_LIMIT);
    assert_non_null(strstr(w.err.text, "insufficient funds"));
    assert_non_null(strstr(w.err.text, "and 5.00000000 can be spent"));
    assert_string_not_equal(w.err.reason, ""); /* ours */
    assert_int_equal(w.locked, 0);
    world_clear(&w);
}

static int setup(void **state)
{
    (void)state;
    ec = cc_ec_new();
    params = cc_params_get(CC_CHAIN_REGTEST);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_ec_free(ec);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),   cmocka_unit_test(test_crowded),
        cmocka_unit_test(test_rank),       cmocka_unit_test(test_fee),
        cmocka_unit_test(test_our_faults), cmocka_unit_test(test_settings),
        cmocka_unit_test(test_honest),     cmocka_unit_test(test_lies),
        cmocka_unit_test(test_doubt),      cmocka_unit_test(test_not_taken),
        cmocka_unit_test(test_spare_key),  cmocka_unit_test(test_funds),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
