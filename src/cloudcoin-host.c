/*
 * cloudcoin-host: rents out disk. An extension of the node, which starts it:
 *
 *     cloudcoind -extension="cloudcoin-host -wallet=host -storage=500G"
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/ec.h"
#include "crypto/mtree.h"
#include "storage/ext.h"
#include "storage/host.h"
#include "util/args.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/log.h"
#include "util/mem.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

#define GENERAL "Options:"
#define MONEY "Prices and terms:"
#define SEALING "Sealing:"

static const struct cc_arg_option options[] = {
    {"help", "", GENERAL, "Print this help message and exit (also -h, -?)",
     CC_ARG_CLI_ONLY},
    {"h", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"?", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"version", "", GENERAL, "Print version and exit", CC_ARG_CLI_ONLY},
    {"datadir", "=<dir>", GENERAL,
     "Where sectors and contracts are kept (default: host below the node's "
     "folder of the chain)",
     0},
    {"wallet", "=<name>", GENERAL,
     "The node's wallet that pays and is paid; its first storage key is the "
     "host's identity (default: the default wallet)",
     0},
    {"listen", "=<host:port>", GENERAL,
     "Address for renters (default: 0.0.0.0:7735, testnet 17735, regtest "
     "17746)",
     0},
    {"announce", "=<host:port>", GENERAL,
     "Address that renters are told (default: that of -listen)", 0},
    {"name", "=<text>", GENERAL, "Name in the host's record (default: host)",
     0},
    {"storage", "=<bytes>", GENERAL,
     "Disk to rent out, with K, M, G or T for powers of 1024 (default: 16G)",
     0},
    {"maxsessions", "=<n>", GENERAL, "Renters connected at once (default: 64)",
     0},
    {"debug", "=<category>", GENERAL, "Log more, for instance storage or all",
     0},
    {"feerate", "=<satoshi>", MONEY,
     "Fee of our transactions per 1,000 vbytes; what is not mined is sent "
     "again, dearer, up to half of its worth (default: 2000)",
     0},
    {"storageprice", "=<usat>", MONEY,
     "Rent of a sector of 4 MiB for one block, in millionths of a satoshi "
     "(default: 1000; regtest 50000000)",
     0},
    {"writeprice", "=<usat>", MONEY,
     "Price of a sector written (default: "
     "1000000; regtest 10000000)",
     0},
    {"readprice", "=<usat>", MONEY,
     "Price of each 1,024 bytes read "
     "(default: 250; regtest 5000)",
     0},
    {"requestprice", "=<usat>", MONEY,
     "Price of any write or read beside that (default: 100; regtest 1000)", 0},
    {"collateral", "=<permille>", MONEY,
     "Penalty of a period that we take on, at most, per mille of its rent "
     "(default: 2000)",
     0},
    {"minperiod", "=<blocks>", MONEY,
     "Shortest period (default: 576; regtest 12)", 0},
    {"maxperiod", "=<blocks>", MONEY, "Longest period (default: 65535)", 0},
    {"maxperiods", "=<n>", MONEY, "Most periods of a contract (default: 4096)",
     0},
    {"maxcapacity", "=<sectors>", MONEY,
     "Most sectors of a contract (default: 1048576)", 0},
    {"samples", "=<n>", MONEY, "Most samples of a proof (default: 4)", 0},
    {"maxodds", "=<n>", MONEY, "Highest odds (default: 64)", 0},
    {"minallowance", "=<satoshi>", MONEY, "Least allowance (default: 0)", 0},
    {"accept", "", MONEY, "Take new contracts (default: 1)", 0},
    {"sealsectors", "=<n>", SEALING,
     "Sectors to keep sealed, customers' and filler: they take part in the "
     "minting (default: 0)",
     0},
    {"sealthreads", "=<n>", SEALING, "Threads that seal (default: 1)", 0},
    {"sealwait", "=<blocks>", SEALING,
     "Wait that long for customers' data before sealing filler alone (default: "
     "144; regtest 8)",
     0},
};

struct program {
    struct cc_args *args;
    struct cc_log *log;
    struct cc_ec *ec;
    struct cc_ext *ext;
    pthread_mutex_t lock; /* host: made while requests may come */
    struct cc_host *host;
};

/* "500G" to bytes; false for what is none. */
static bool parse_size(uint64_t *out, const char *text)
{
    static const char units[] = "KMGT";
    char *end;
    unsigned long long v = strtoull(text, &end, 10);
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

    if (end == text || *text == '-' || (*end && (!unit || end[1])) ||
        v > UINT64_MAX >> 1 >> shift)
        return false;
    *out = (uint64_t)v << shift;
    return true;
}

struct number {
    const char *name;
    uint64_t *u64;
    uint32_t *u32;
    uint8_t *u8;
    uint64_t max;
};

static enum cc_status read_number(const struct cc_args *a,
                                  const struct number *n, struct cc_error *err)
{
    const char *text = cc_args_get(a, n->name, NULL);
    unsigned long long v;
    char *end;

    if (!text)
        return CC_OK;
    v = strtoull(text, &end, 10);
    if (end == text || *end || *text == '-' || v > n->max)
        return cc_fail(err, CC_INVALID, "-%s=%s must be a number up to %llu",
                       n->name, text, (unsigned long long)n->max);
    if (n->u64)
        *n->u64 = v;
    if (n->u32)
        *n->u32 = (uint32_t)v;
    if (n->u8)
        *n->u8 = (uint8_t)v;
    return CC_OK;
}

static enum cc_status read_terms(const struct cc_args *a,
                                 struct cc_host_config *c, struct cc_error *err)
{
    struct cc_msg_settings_reply *s = &c->settings;
    uint64_t feerate = (uint64_t)c->feerate, sessions = c->sessions_max,
             threads = c->seal_threads;
    const struct number numbers[] = {
        {"storageprice", &s->price_storage, NULL, NULL, INT64_MAX / 1000},
        {"writeprice", &s->price_write, NULL, NULL, INT64_MAX / 1000},
        {"readprice", &s->price_read, NULL, NULL, INT64_MAX / 1000000},
        {"requestprice", &s->price_request, NULL, NULL, INT64_MAX / 1000},
        {"collateral", NULL, &s->collateral_permille, NULL, 1000000},
        {"minperiod", NULL, &s->period_min, NULL, 65535},
        {"maxperiod", NULL, &s->period_max, NULL, 65535},
        {"maxperiods", NULL, &s->periods_max, NULL, 4096},
        {"maxcapacity", NULL, &s->capacity_max, NULL, 1u << 24},
        {"samples", NULL, NULL, &s->samples, 16},
        {"maxodds", NULL, NULL, &s->odds_max, 64},
        {"minallowance", &s->allowance_min, NULL, NULL, INT64_MAX / 1000},
        {"sealsectors", &c->seal_sectors, NULL, NULL, 1u << 24},
        {"sealwait", NULL, &c->seal_wait, NULL, 1u << 20},
        {"sealthreads", &threads, NULL, NULL, 64},
        {"feerate", &feerate, NULL, NULL, 100000000},
        {"maxsessions", &sessions, NULL, NULL, 10000},
    };
    enum cc_status st = CC_OK;

    for (size_t i = 0; st == CC_OK && i < sizeof(numbers) / sizeof(*numbers);
         i++)
        st = read_number(a, &numbers[i], err);
    c->feerate = (cc_amount)feerate;
    c->seal_threads = threads ? (unsigned)threads : 1;
    c->sessions_max = (unsigned)sessions;
    s->accepting = cc_args_get_bool(a, "accept", true);
    return st;
}

static const char *default_listen(const struct cc_params *p)
{
    switch (p->id) {
    case CC_CHAIN_MAIN:
        return "0.0.0.0:7735";
    case CC_CHAIN_TEST:
        return "0.0.0.0:17735";
    case CC_CHAIN_REGTEST:
    case CC_CHAIN_BITCOIN_REGTEST:
        break;
    }
    return "127.0.0.1:17746";
}

/* Where nobody could reach us. */
static bool is_wildcard(const char *address)
{
    return !strncmp(address, "0.0.0.0:", 8) || !strncmp(address, "[::]:", 5) ||
           address[0] == ':';
}

static enum cc_status node_call(void *arg, const char *method, json_t *params,
                                const char *wallet, json_t **result, int *code,
                                struct cc_error *err)
{
    struct program *p = arg;

    return cc_ext_call(p->ext, method, params,
                       wallet && *wallet ? wallet : NULL, result, code, err);
}

/* Two chains are called regtest: the genesis block tells them apart. */
static bool is_of_chain(const json_t *init, const struct cc_params *params)
{
    const char *genesis = json_string_value(json_object_get(init, "genesis"));
    char ours[65];

    cc_hex_encode_rev(ours, params->genesis_hash, 32);
    return genesis && !strcmp(genesis, ours);
}

static enum cc_status configure(struct program *p, const json_t *init,
                                struct cc_host_config *c, char **directory,
                                struct cc_error *err)
{
    const char *chain = json_string_value(json_object_get(init, "chain"));
    const char *home = json_string_value(json_object_get(init, "datadir"));
    const char *storage = cc_args_get(p->args, "storage", "16G");
    const struct cc_params *params =
        chain ? cc_params_find(chain, false) : NULL;
    const char *given = cc_args_get(p->args, "datadir", NULL);
    uint64_t bytes;

    if (!params || !home)
        return cc_fail(err, CC_INVALID, "the node's init is not understood");
    if (!is_of_chain(init, params))
        return cc_fail(err, CC_INVALID, "there is no storage on this chain");
    cc_host_config_init(c, params);
    if (!parse_size(&bytes, storage))
        return cc_fail(err, CC_INVALID, "-storage=%s is no size", storage);
    c->sectors = bytes / CC_SECTOR_SIZE;
    c->ec = p->ec;
    c->log = p->log;
    c->node.call = node_call;
    c->node.arg = p;
    c->wallet = cc_args_get(p->args, "wallet", "");
    c->name = cc_args_get(p->args, "name", "host");
    c->listen = cc_args_get(p->args, "listen", default_listen(params));
    c->announce = cc_args_get(p->args, "announce", NULL);
    if (!c->announce && is_wildcard(c->listen))
        return cc_fail(err, CC_INVALID,
                       "-listen=%s tells renters nothing: give the address "
                       "that they reach as -announce=<host:port>",
                       c->listen);
    *directory = given ? cc_strdup(given) : cc_fs_join(home, "host");
    c->directory = *directory;
    return read_terms(p->args, c, err);
}

static enum cc_status on_init(void *arg, const json_t *params,
                              struct cc_error *err)
{
    struct program *p = arg;
    struct cc_host_config c;
    struct cc_host *host = NULL;
    char *directory = NULL;
    enum cc_status st = configure(p, params, &c, &directory, err);

    if (st == CC_OK)
        st = cc_host_new(&host, &c, err);
    if (st == CC_OK) {
        pthread_mutex_lock(&p->lock);
        p->host = host;
        pthread_mutex_unlock(&p->lock);
        st = cc_host_start(host, err);
    }
    free(directory);
    return st;
}

static struct cc_host *get_host(struct program *p)
{
    struct cc_host *h;

    pthread_mutex_lock(&p->lock);
    h = p->host;
    pthread_mutex_unlock(&p->lock);
    return h;
}

static json_t *on_call(void *arg, const char *method, const json_t *params,
                       int *code, struct cc_error *err)
{
    struct cc_host *h = get_host(arg);

    if (h)
        return cc_host_rpc(h, method, params, code, err);
    cc_fail(err, CC_IO, "the host is not ready");
    return NULL;
}

static void on_notify(void *arg, const char *method, const json_t *params)
{
    struct cc_host *h = get_host(arg);

    (void)params;
    if (h && (!strcmp(method, "blockconnected") ||
              !strcmp(method, "blockdisconnected")))
        cc_host_notify(h);
}

static int run(struct program *p)
{
    static const char *const subscriptions[] = {"blockconnected",
                                                "blockdisconnected"};
    struct cc_ext_config config = {
        .in = STDIN_FILENO,
        .out = STDOUT_FILENO,
        .methods = cc_host_methods,
        .method_count = cc_host_method_count,
        .subscriptions = subscriptions,
        .subscription_count = 2,
        .init = on_init,
        .call = on_call,
        .notify = on_notify,
        .arg = p,
    };
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    p->ext = cc_ext_new(&config);
    st = cc_ext_run(p->ext, &err);
    cc_host_free(p->host);
    cc_ext_free(p->ext);
    if (st == CC_OK)
        return 0;
    fprintf(stderr, "Error: %s\n", err.text);
    return 1;
}

static void print_help(const struct cc_args *a)
{
    char *text = cc_args_help(a, false);

    printf("CloudCoin storage host version v" PACKAGE_VERSION "\n\n"
           "Usage:  cloudcoind -extension=\"cloudcoin-host [options]\"\n\n%s",
           text);
    free(text);
}

static enum cc_status open_log(struct program *p, struct cc_error *err)
{
    struct cc_log_options o;
    const char *category;

    memset(&o, 0, sizeof(o));
    o.path = "/dev/stderr"; /* the node puts it into its log */
    for (size_t i = 0; (category = cc_args_get_nth(p->args, "debug", i)); i++)
        o.categories |= cc_log_category_find(category);
    return cc_log_open(&p->log, &o, err);
}

int main(int argc, char **argv)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct program p;
    struct cc_error err;
    int status = 1;

    memset(&p, 0, sizeof(p));
    cc_error_init(&err);
    sigaction(SIGPIPE, &ignore, NULL);
    pthread_mutex_init(&p.lock, NULL);
    p.args = cc_args_new(options, sizeof(options) / sizeof(*options));
    if (cc_args_parse(p.args, argc - 1, argv + 1, NULL, &err) != CC_OK) {
        fprintf(stderr, "Error: %s\n", err.text);
    } else if (cc_args_is_set(p.args, "help") || cc_args_is_set(p.args, "h") ||
               cc_args_is_set(p.args, "?")) {
        print_help(p.args);
        status = 0;
    } else if (cc_args_is_set(p.args, "version")) {
        puts("CloudCoin storage host version v" PACKAGE_VERSION);
        status = 0;
    } else if (isatty(STDIN_FILENO)) {
        fprintf(stderr, "Error: the node starts this program: cloudcoind "
                        "-extension=\"cloudcoin-host ...\"\n");
    } else if (open_log(&p, &err) != CC_OK) {
        fprintf(stderr, "Error: %s\n", err.text);
    } else {
        p.ec = cc_ec_new();
        status = run(&p);
        cc_ec_free(p.ec);
        cc_log_close(p.log);
    }
    cc_args_free(p.args);
    pthread_mutex_destroy(&p.lock);
    return status;
}
