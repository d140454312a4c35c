/*
 * cloudcoin-gateway: files onto CloudCoin's hosts and back, from the command
 * line. It talks to a node, whose wallet pays and holds the keys.
 *
 * Results on standard output, progress and faults on standard error. Exit
 * status: 0, 1 for faults, 2 for a name that is not stored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/ec.h"
#include "setup.h"
#include "storage/node_client.h"
#include "storage/renter.h"
#include "storage/socket.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"

#define EXIT_NOT_STORED 2

/* clang-format off */
#define GENERAL "Options:"
#define STORAGE "Storage options:"
#define CHAIN "Chain selection options:"

static const struct cc_arg_option options[] = {
    {"help", "", GENERAL, "Print this help message and exit (also -h, -?)", CC_ARG_CLI_ONLY},
    {"h", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"?", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"version", "", GENERAL, "Print version and exit", CC_ARG_CLI_ONLY},
    {"conf", "=<file>", GENERAL, "Specify configuration file. Relative paths are below the data directory (default: cloudcoin.conf)", CC_ARG_CLI_ONLY},
    {"datadir", "=<dir>", GENERAL, "Specify data directory; the gateway's own files are in gateway below the chain's folder (default: ~/.cloudcoin)", CC_ARG_NO_NEGATE},
    {"json", "", GENERAL, "Print lists as JSON (default: 0)", 0},
    {"quiet", "", GENERAL, "Print no progress (default: 0)", 0},
    {"rpcclienttimeout", "=<n>", GENERAL, "Timeout in seconds for an answer of the node (default: 900)", 0},
    {"rpcconnect", "=<ip>", GENERAL, "Use the node running on <ip> (default: 127.0.0.1)", 0},
    {"rpccookiefile", "=<loc>", GENERAL, "Location of the node's cookie, below the chain's folder unless absolute (default: .cookie)", 0},
    {"rpcpassword", "=<pw>", GENERAL, "Password for JSON-RPC connections", 0},
    {"rpcport", "=<port>", GENERAL, "Connect to the node's JSON-RPC on <port> (default: 7732, test: 17732, regtest: 17743)", CC_ARG_NETWORK},
    {"rpcuser", "=<user>", GENERAL, "Username for JSON-RPC connections", 0},
    {"rpcwallet", "=<walletname>", GENERAL, "The node's wallet that pays and holds the keys (default: its only one)", 0},
    {"capacity", "=<n>", STORAGE, "Sectors of 4 MiB in a new contract (default: as the object needs, at least 32)", 0},
    {"feerate", "=<n>", STORAGE, "Fee of new contracts' transactions in satoshi per 1,000 virtual bytes (default: twice what the node's pool asks, at least 2000)", 0},
    {"hosts", "=<n>", STORAGE, "Ask at most <n> hosts for their prices (default: 100)", 0},
    {"k", "=<n>", STORAGE, "Shards of each slab that suffice to restore it (default: 3)", 0},
    {"maxrent", "=<amt>", STORAGE, "Pay at most this much rent in coins for all periods of one contract, and at most as much for transfers (default: 10)", 0},
    {"n", "=<n>", STORAGE, "Shards stored of each slab, each with another host (default: 5)", 0},
    {"odds", "=<n>", STORAGE, "Call for a proof in one of <n> periods of a new contract (default: as host and number of periods allow)", 0},
    {"period", "=<n>", STORAGE, "Blocks in a period of a new contract (default: the shortest)", 0},
    {"periods", "=<n>", STORAGE, "Periods of a new contract (default: 30, or as the host allows)", 0},
    {"timeout", "=<n>", STORAGE, "Seconds to wait for an answer of a host (default: 60)", 0},
    {"chain", "=<chain>", CHAIN, "Use the chain <chain> (default: main). Allowed values: main, test, regtest", 0},
    {"regtest", "", CHAIN, "Use the regression test chain. Equivalent to -chain=regtest.", 0},
    {"testnet", "", CHAIN, "Use the test chain. Equivalent to -chain=test.", 0},
};
/* clang-format on */

static const char usage[] =
    "Usage:  cloudcoin-gateway [options] <command>\n\n"
    "Commands:\n\n"
    "  put FILE [NAME]\n"
    "       Store a file under a name (default: its own).\n\n"
    "  get NAME [FILE]\n"
    "       Fetch it into a file (default: one of that name, here).\n\n"
    "  ls\n"
    "       List what is stored.\n\n"
    "  health [NAME]\n"
    "       Ask the hosts: how many shards can be had now, and who fails. "
    "Exit\n"
    "       status 1 if something cannot be fetched now.\n\n"
    "  rm NAME\n"
    "       Remove it.\n\n"
    "  hosts\n"
    "       List the registered hosts and what they ask.\n\n"
    "  contracts\n"
    "       List our contracts.\n\n"
    "  help\n"
    "       Print this.\n\n";

struct gateway {
    struct cc_setup setup;
    struct cc_ec *ec;
    struct cc_node_client *node;
    struct cc_renter *renter;
    char **words;
    int count;
};

static void show_progress(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

/* --- Options ----------------------------------------------------------- */

static enum cc_status number(const struct cc_args *args, const char *name,
                             uint64_t otherwise, uint64_t min, uint64_t max,
                             uint64_t *out, struct cc_error *err)
{
    const char *text = cc_args_get(args, name, NULL);
    uint64_t v = 0;

    *out = otherwise;
    if (!text)
        return CC_OK;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9' || v > max)
            goto bad;
        v = v * 10 + (uint64_t)(*p - '0');
    }
    if (!*text || v < min || v > max)
        goto bad;
    *out = v;
    return CC_OK;
bad:
    return cc_fail(err, CC_INVALID,
                   "Invalid value for -%s=<n>: '%s' (a number from %" PRIu64
                   " to %" PRIu64 ")",
                   name, text, min, max);
}

static enum cc_status read_options(const struct gateway *g,
                                   struct cc_renter_options *o,
                                   struct cc_error *err)
{
    const struct cc_args *a = g->setup.args;
    const struct {
        const char *name;
        uint64_t otherwise, min, max;
    } rows[] = {
        {"k", 3, 1, 255},
        {"n", 5, 1, 255},
        {"hosts", 100, 1, 10000},
        {"period", 0, 1, UINT16_MAX},
        {"periods", 0, 1, UINT16_MAX},
        {"capacity", 0, 1, 1u << 24},
        {"odds", 0, 1, 64},
        {"feerate", 0, 1, 100000000},
        {"timeout", 60, 1, 86400},
    };
    uint64_t v[sizeof(rows) / sizeof(rows[0])];
    const char *rent = cc_args_get(a, "maxrent", "10");

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum cc_status st = number(a, rows[i].name, rows[i].otherwise,
                                   rows[i].min, rows[i].max, &v[i], err);

        if (st != CC_OK)
            return st;
    }
    if (!cc_amount_parse(&o->rent_max, rent, g->setup.params->max_money))
        return cc_fail(err, CC_INVALID,
                       "Invalid amount for -maxrent=<amount>: '%s'", rent);
    o->k = (unsigned)v[0];
    o->n = (unsigned)v[1];
    o->hosts_max = (unsigned)v[2];
    o->period = (uint32_t)v[3];
    o->periods = (uint32_t)v[4];
    o->capacity = (uint32_t)v[5];
    o->odds = (unsigned)v[6];
    o->feerate = v[7];
    o->timeout_ms = (int)v[8] * 1000;
    return CC_OK;
}

static enum cc_status make_client(struct gateway *g, struct cc_error *err)
{
    const struct cc_args *a = g->setup.args;
    const char *connect = cc_args_get(a, "rpcconnect", "127.0.0.1");
    struct cc_node_options o = {.port = g->setup.params->rpc_port};
    char host[256], *cookie;
    uint64_t port, timeout;
    enum cc_status st;

    if (!cc_socket_split(host, sizeof(host), &o.port, connect))
        snprintf(host, sizeof(host), "%.255s", connect);
    st = number(a, "rpcport", o.port, 1, UINT16_MAX, &port, err);
    if (st == CC_OK)
        st = number(a, "rpcclienttimeout", 900, 0, 86400, &timeout, err);
    if (st != CC_OK)
        return st;
    cookie =
        cc_setup_path(&g->setup, cc_args_get(a, "rpccookiefile", ".cookie"));
    o.host = host;
    o.port = (uint16_t)port;
    o.timeout_ms = (int)timeout * 1000;
    o.user = cc_args_get(a, "rpcuser", NULL);
    o.password = cc_args_get(a, "rpcpassword", NULL);
    if (!o.password)
        o.user = NULL; /* as cloudcoin-cli: then the cookie counts */
    o.cookie_file = cookie;
    o.wallet = cc_args_get(a, "rpcwallet", NULL);
    g->node = cc_node_client_new(&o);
    free(cookie);
    return CC_OK;
}

static enum cc_status open_renter(struct gateway *g, struct cc_error *err)
{
    struct cc_renter_options o;
    enum cc_status st;
    char *dir;

    memset(&o, 0, sizeof(o));
    if (!g->setup.params->storage_active)
        return cc_fail(err, CC_INVALID, "there is no storage on this chain");
    st = read_options(g, &o, err);
    if (st == CC_OK)
        st = make_client(g, err);
    if (st != CC_OK)
        return st;
    g->ec = cc_ec_new();
    dir = cc_fs_join(g->setup.chaindir, "gateway");
    o.dir = dir;
    o.params = g->setup.params;
    o.ec = g->ec;
    o.node = g->node;
    o.progress =
        cc_args_get_bool(g->setup.args, "quiet", false) ? NULL : show_progress;
    st = cc_renter_open(&g->renter, &o, err);
    free(dir);
    return st;
}

/* --- Commands ---------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static enum cc_status run_put(struct gateway *g, struct cc_error *err)
{
    const char *path = g->words[1];
    const char *name = g->count > 2 ? g->words[2] : base_name(path);

    if (!*name || strlen(name) > 1024)
        return cc_fail(err, CC_INVALID,
                       "a name has 1 to 1,024 bytes; give one");
    return cc_renter_put(g->renter, path, name, err);
}

static enum cc_status run_get(struct gateway *g, struct cc_error *err)
{
    const char *name = g->words[1];
    const char *path = g->count > 2 ? g->words[2] : base_name(name);

    if (!*path)
        return cc_fail(err, CC_INVALID, "which file is to be written?");
    return cc_renter_get(g->renter, name, path, err);
}

static enum cc_status run_rm(struct gateway *g, struct cc_error *err)
{
    return cc_renter_remove(g->renter, g->words[1], err);
}

static void print_text(const char *s)
{
    for (; *s; s++)
        putchar((uint8_t)*s < ' ' || *s == 127 ? '?' : *s);
}

static json_int_t integer(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static const char *text(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

/* Its file is damaged: we know no more. */
static bool print_damaged(const json_t *o)
{
    if (!json_object_get(o, "file"))
        return false;
    printf("damaged: %s\n", text(o, "fault"));
    return true;
}

static void print_kept(const struct gateway *g, const json_t *o)
{
    const json_int_t left = integer(o, "blocks_left");
    const double days =
        (double)left * (double)g->setup.params->spacing_s / 86400.0;

    if (left)
        printf("kept until block %" JSON_INTEGER_FORMAT
               " (%" JSON_INTEGER_FORMAT " left, about %.3g days)  ",
               integer(o, "kept_until"), left, days);
    else
        printf("EXPIRED at block %" JSON_INTEGER_FORMAT "  ",
               integer(o, "kept_until"));
}

static void print_health(const struct gateway *g, const json_t *o)
{
    const char *endpoint;
    json_t *fault;

    if (print_damaged(o))
        return;
    printf("%-11s  %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
           " shards, %" JSON_INTEGER_FORMAT " needed  ",
           text(o, "state"), integer(o, "reachable"), integer(o, "n"),
           integer(o, "k"));
    print_kept(g, o);
    print_text(text(o, "name"));
    putchar('\n');
    json_object_foreach(json_object_get(o, "faults"), endpoint, fault)
    {
        printf("    %s: ", endpoint);
        print_text(json_string_value(fault));
        putchar('\n');
    }
    if (!strcmp(text(o, "state"), "degraded"))
        printf("    lost shards are not made anew: if these hosts stay away, "
               "get it and put it under another name\n");
}

static void print_object(const struct gateway *g, const json_t *o)
{
    char when[32];

    if (print_damaged(o))
        return;
    cc_clock_format(when, integer(o, "time"));
    printf("%14" JSON_INTEGER_FORMAT "  %s  %" JSON_INTEGER_FORMAT
           " of %-3" JSON_INTEGER_FORMAT "  ",
           integer(o, "size"), when, integer(o, "k"), integer(o, "n"));
    print_kept(g, o);
    print_text(text(o, "name"));
    putchar('\n');
}

#define GIB_SECTORS 256.0
#define GIB_LEAVES 1048576.0

/* CLC for so many units of a price in micro-satoshi. */
static double coins(const json_t *o, const char *price, double units)
{
    return (double)integer(o, price) * units / (double)CC_USAT / CC_COIN;
}

static void print_host(const struct gateway *g, const json_t *o)
{
    const double month = 30.0 * 86400 / (double)g->setup.params->spacing_s;

    printf("%.16s  %-20s  %-24s  ", text(o, "key"), text(o, "name"),
           text(o, "endpoint"));
    if (!json_is_true(json_object_get(o, "answers"))) {
        printf("does not answer: %s\n", text(o, "fault"));
        return;
    }
    printf("%4" JSON_INTEGER_FORMAT " ms  %.1f of %.1f GiB free  "
           "CLC a GiB: %.4g a month, %.4g up, %.4g down%s\n",
           integer(o, "latency_ms"),
           (double)integer(o, "sectors_free") / GIB_SECTORS,
           (double)integer(o, "sectors_total") / GIB_SECTORS,
           coins(o, "price_storage", GIB_SECTORS * month),
           coins(o, "price_write", GIB_SECTORS),
           coins(o, "price_read", GIB_LEAVES),
           json_is_true(json_object_get(o, "accepting"))
               ? ""
               : "  takes no new contracts");
}

static void print_contract(const struct gateway *g, const json_t *o)
{
    (void)g;
    if (print_damaged(o))
        return;
    printf("%.16s  %-24s  %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
           " sectors  revision %" JSON_INTEGER_FORMAT "  %" JSON_INTEGER_FORMAT
           " blocks left  %s\n",
           text(o, "id"), text(o, "endpoint"), integer(o, "sectors"),
           integer(o, "capacity"), integer(o, "revision"),
           integer(o, "blocks_left"),
           json_is_true(json_object_get(o, "on_chain")) ? "on chain"
                                                        : "not on chain");
}

/* Takes the list. */
static void show_list(const struct gateway *g, json_t *list,
                      void (*print)(const struct gateway *, const json_t *))
{
    json_t *row;
    size_t i;

    if (cc_args_get_bool(g->setup.args, "json", false)) {
        char *s = json_dumps(list, JSON_INDENT(2));

        printf("%s\n", s ? s : "[]");
        free(s);
    } else {
        json_array_foreach(list, i, row) print(g, row);
    }
    json_decref(list);
}

static enum cc_status run_list(
    struct gateway *g,
    enum cc_status (*get)(struct cc_renter *, json_t **, struct cc_error *),
    void (*print)(const struct gateway *, const json_t *), struct cc_error *err)
{
    json_t *list = NULL;
    enum cc_status st = get(g->renter, &list, err);

    if (st == CC_OK)
        show_list(g, list, print);
    return st;
}

static enum cc_status run_health(struct gateway *g, struct cc_error *err)
{
    json_t *list = NULL, *row;
    size_t i, away = 0;
    enum cc_status st = cc_renter_health(
        g->renter, g->count > 1 ? g->words[1] : NULL, &list, err);

    if (st != CC_OK)
        return st;
    json_array_foreach(list, i, row) away +=
        json_object_get(row, "file") ||
        !strcmp(text(row, "state"), "unreachable");
    show_list(g, list, print_health);
    return away ? cc_fail(err, CC_CORRUPT, "%zu cannot be fetched now", away)
                : CC_OK;
}

static enum cc_status run_ls(struct gateway *g, struct cc_error *err)
{
    return run_list(g, cc_renter_list, print_object, err);
}

static enum cc_status run_hosts(struct gateway *g, struct cc_error *err)
{
    return run_list(g, cc_renter_hosts, print_host, err);
}

static enum cc_status run_contracts(struct gateway *g, struct cc_error *err)
{
    return run_list(g, cc_renter_contracts, print_contract, err);
}

static const struct {
    const char *name;
    int min, max; /* words behind it */
    enum cc_status (*run)(struct gateway *g, struct cc_error *err);
} commands[] = {
    {"put", 1, 2, run_put},
    {"get", 1, 2, run_get},
    {"health", 0, 1, run_health},
    {"ls", 0, 0, run_ls},
    {"rm", 1, 1, run_rm},
    {"hosts", 0, 0, run_hosts},
    {"contracts", 0, 0, run_contracts},
};

static enum cc_status run(struct gateway *g, struct cc_error *err)
{
    enum cc_status st;

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, g->words[0]))
            continue;
        if (g->count - 1 < commands[i].min || g->count - 1 > commands[i].max)
            return cc_fail(err, CC_INVALID,
                           "%s: wrong number of words; see "
                           "cloudcoin-gateway help",
                           g->words[0]);
        st = open_renter(g, err);
        return st == CC_OK ? commands[i].run(g, err) : st;
    }
    return cc_fail(err, CC_INVALID,
                   "unknown command '%s'; see cloudcoin-gateway help",
                   g->words[0]);
}

/* --- Main -------------------------------------------------------------- */

static int fault(const struct cc_error *err)
{
    fprintf(stderr, "error: %s\n", err->text);
    return err->status == CC_NOTFOUND ? EXIT_NOT_STORED : EXIT_FAILURE;
}

static bool asked(const struct gateway *g, const char *name)
{
    return cc_args_get_bool(g->setup.args, name, false);
}

static int print_help(const struct gateway *g)
{
    char *text = cc_args_help(g->setup.args, false);

    printf("CloudCoin gateway version %s\n\n%s%s", cc_setup_version(), usage,
           text);
    free(text);
    return EXIT_SUCCESS;
}

/* Options may stand behind the words, too ("put file -k=2"); what follows
 * "--" is words. The pointers are argv's. */
static char **sort_words(int argc, char **argv)
{
    char **out = cc_calloc((size_t)argc + 1, sizeof(*out));
    int n = 0, last = argc;

    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], "--")) {
            last = i;
            break;
        }
    for (int i = 0; i < last; i++)
        if (argv[i][0] == '-' && argv[i][1])
            out[n++] = argv[i];
    for (int i = 0; i < argc; i++)
        if (i != last && (i > last || argv[i][0] != '-' || !argv[i][1]))
            out[n++] = argv[i];
    return out;
}

static int gateway_main(struct gateway *g, int argc, char **argv)
{
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    st = cc_setup_load(&g->setup, options, sizeof(options) / sizeof(options[0]),
                       argc, argv, true, &err);
    if (st != CC_OK) {
        fault(&err);
        return EXIT_FAILURE;
    }
    g->words = argv + g->setup.rest;
    g->count = argc - g->setup.rest;
    if (asked(g, "version")) {
        printf("CloudCoin gateway version %s\n%s", cc_setup_version(),
               cc_setup_license());
        return EXIT_SUCCESS;
    }
    if (asked(g, "help") || asked(g, "h") || asked(g, "?") ||
        (g->count && !strcmp(g->words[0], "help")))
        return print_help(g);
    if (!g->count) {
        fprintf(stderr, "error: too few words (need a command)\n%s", usage);
        return EXIT_FAILURE;
    }
    st = run(g, &err);
    if (st == CC_OK && (fflush(stdout) || ferror(stdout)))
        st = cc_fail_errno(&err, "standard output");
    return st == CC_OK ? EXIT_SUCCESS : fault(&err);
}

int main(int argc, char **argv)
{
    struct gateway g;
    char **sorted = sort_words(argc - 1, argv + 1);
    int count = 0, status;

    memset(&g, 0, sizeof(g));
    while (sorted[count])
        count++;
    status = gateway_main(&g, count, sorted);
    cc_renter_close(g.renter);
    cc_node_client_free(g.node);
    cc_ec_free(g.ec);
    cc_setup_clear(&g.setup);
    free(sorted);
    return status;
}
