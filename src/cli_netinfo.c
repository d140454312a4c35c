/* cloudcoin-cli -netinfo: connections, for people to read; -addrinfo. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "util/mem.h"

#define LEVEL_VERSION 3 /* and above: what the peer runs */
#define LEVEL_ADDRESS 2 /* 2 and 4: where it is */
#define LEVEL_MAX 4

static const struct {
    const char *name, *shown;
} networks[] = {
    {"ipv4", "ipv4"}, {"ipv6", "ipv6"},   {"onion", "onion"},
    {"i2p", "i2p"},   {"cjdns", "cjdns"}, {"not_publicly_routable", "npr"},
};
#define NETWORKS (sizeof(networks) / sizeof(networks[0]))

static int64_t int_of(const json_t *o, const char *key)
{
    int64_t n = 0;

    cc_json_get_int(json_object_get(o, key), &n);
    return n;
}

static const char *str_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return cc_json_is_string(v) ? json_string_value(v) : "";
}

static bool is_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* --- One line of a peer --------------------------------------------------- */

struct row {
    const json_t *peer;
    double min_ping; /* seconds; < 0: none */
};

struct widths {
    int processed, limited, age, id, address;
};

static double ping_of(const json_t *peer, const char *key)
{
    double d = -1;

    cc_json_get_double(json_object_get(peer, key), &d);
    return d;
}

/* Those who came first, then the near before the far. */
static int by_way(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int in_x = is_true(x->peer, "inbound"), in_y = is_true(y->peer, "inbound");

    if (in_x != in_y)
        return in_y - in_x;
    if (x->min_ping != y->min_ping)
        return x->min_ping < y->min_ping ? -1 : 1;
    return int_of(x->peer, "id") < int_of(y->peer, "id") ? -1 : 1;
}

static const char *short_type(const char *type)
{
    static const char *const names[][2] = {
        {"outbound-full-relay", "full"},
        {"block-relay-only", "block"},
        {"manual", "manual"},
        {"feeler", "feeler"},
        {"addr-fetch", "addr"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(names[i][0], type))
            return names[i][1];
    return "";
}

static const char *ping_text(char buf[32], double seconds)
{
    if (seconds < 0)
        return "";
    snprintf(buf, 32, "%.0f", seconds * 1000);
    return buf;
}

/* Seconds, or minutes, since then; never: otherwise. */
static const char *since(char buf[32], int64_t now, int64_t then, int64_t unit,
                         const char *otherwise)
{
    if (!then)
        return otherwise;
    snprintf(buf, 32, "%lld", (long long)((now - then) / unit));
    return buf;
}

static const char *count_text(char buf[32], int64_t n, const char *none)
{
    if (!n)
        return none;
    snprintf(buf, 32, "%lld", (long long)n);
    return buf;
}

static const char *network_of(const json_t *peer)
{
    for (size_t i = 0; i < NETWORKS; i++)
        if (!strcmp(networks[i].name, str_of(peer, "network")))
            return networks[i].shown;
    return "";
}

static int wider(int width, const char *text)
{
    return (int)strlen(text) > width ? (int)strlen(text) : width;
}

static void measure(struct widths *w, const json_t *peer, int64_t now)
{
    char b[32];

    w->processed =
        wider(w->processed, count_text(b, int_of(peer, "addr_processed"), ""));
    w->limited =
        wider(w->limited, count_text(b, int_of(peer, "addr_rate_limited"), ""));
    w->age = wider(w->age, since(b, now, int_of(peer, "conntime"), 60, ""));
    w->id = wider(w->id, count_text(b, int_of(peer, "id"), "0"));
    w->address = wider(w->address, str_of(peer, "addr"));
}

static void print_peer(const struct row *r, const struct widths *w, int level,
                       int64_t now)
{
    const json_t *p = r->peer;
    const char *protocol = str_of(p, "transport_protocol_type");
    char b[9][32], hb[3];
    bool address = level == LEVEL_ADDRESS || level == LEVEL_MAX;

    snprintf(hb, sizeof(hb), "%s%s", is_true(p, "bip152_hb_to") ? "." : " ",
             is_true(p, "bip152_hb_from") ? "*" : " ");
    printf("%3s %6s %5s %2s%7s%7s%5s%5s%5s%5s  %2s ",
           is_true(p, "inbound") ? "in" : "out",
           short_type(str_of(p, "connection_type")), network_of(p),
           protocol[0] == 'v' ? protocol + 1 : "", ping_text(b[0], r->min_ping),
           ping_text(b[1], ping_of(p, "pingtime")),
           since(b[2], now, int_of(p, "lastsend"), 1, ""),
           since(b[3], now, int_of(p, "lastrecv"), 1, ""),
           since(b[4], now, int_of(p, "last_transaction"), 60,
                 is_true(p, "relaytxes") ? "" : "*"),
           since(b[5], now, int_of(p, "last_block"), 60, ""), hb);
    printf("%*s %*s %*s %*lld %-*s", w->processed,
           count_text(b[6], int_of(p, "addr_processed"),
                      is_true(p, "addr_relay_enabled") ? "" : "."),
           w->limited, count_text(b[7], int_of(p, "addr_rate_limited"), ""),
           w->age, since(b[8], now, int_of(p, "conntime"), 60, ""), w->id,
           (long long)int_of(p, "id"), address ? w->address : 0,
           address ? str_of(p, "addr") : "");
    if (level >= LEVEL_VERSION && int_of(p, "version"))
        printf("%s%lld%s", address ? " " : "", (long long)int_of(p, "version"),
               str_of(p, "subver"));
    printf("\n");
}

static void print_peers(const json_t *peers, int level)
{
    size_t count = json_array_size(peers);
    struct row *rows = cc_calloc(count + 1, sizeof(*rows));
    struct widths w = {5, 5, 3, 2, 7};
    int64_t now = (int64_t)time(NULL);
    bool address = level == LEVEL_ADDRESS || level == LEVEL_MAX;

    for (size_t i = 0; i < count; i++) {
        rows[i].peer = json_array_get(peers, i);
        rows[i].min_ping = ping_of(rows[i].peer, "minping");
        measure(&w, rows[i].peer, now);
    }
    qsort(rows, count, sizeof(*rows), by_way);
    printf("<->   type   net  v  mping   ping send recv  txn  blk  hb "
           "%*s %*s %*s %*s %-*s%s\n",
           w.processed, "addrp", w.limited, "addrl", w.age, "age", w.id, "id",
           address ? w.address : 0, address ? "address" : "",
           level >= LEVEL_VERSION ? (address ? " version" : "version") : "");
    for (size_t i = 0; i < count; i++)
        print_peer(&rows[i], &w, level, now);
    printf("                        ms     ms  sec  sec  min  min     "
           "%*s\n\n",
           w.processed + w.limited + w.age + 2, "min");
    free(rows);
}

/* --- Sums ----------------------------------------------------------------- */

struct sums {
    unsigned of[3][NETWORKS + 1]; /* in, out, both; last: of all networks */
    unsigned blocks, manual;
};

static void add_up(struct sums *s, const json_t *peers)
{
    memset(s, 0, sizeof(*s));
    for (size_t i = 0; i < json_array_size(peers); i++) {
        const json_t *p = json_array_get(peers, i);
        int way = is_true(p, "inbound") ? 0 : 1;

        for (size_t k = 0; k <= NETWORKS; k++) {
            if (k < NETWORKS && strcmp(networks[k].name, str_of(p, "network")))
                continue;
            s->of[way][k]++;
            s->of[2][k]++;
        }
        s->blocks += !strcmp(str_of(p, "connection_type"), "block-relay-only");
        s->manual += !strcmp(str_of(p, "connection_type"), "manual");
    }
}

static bool is_reachable(const json_t *network, const char *name)
{
    const json_t *list = json_object_get(network, "networks");

    for (size_t i = 0; i < json_array_size(list); i++)
        if (!strcmp(str_of(json_array_get(list, i), "name"), name))
            return is_true(json_array_get(list, i), "reachable");
    return false;
}

static void print_sums(const json_t *network, const json_t *peers)
{
    static const char *const rows[] = {"in", "out", "total"};
    struct sums s;
    bool show[NETWORKS];

    add_up(&s, peers);
    printf("     ");
    for (size_t k = 0; k < NETWORKS; k++) {
        show[k] = is_reachable(network, networks[k].name) || s.of[2][k];
        if (show[k])
            printf("%8s", networks[k].shown);
    }
    printf("   total   block%s", s.manual ? "  manual" : "");
    for (int i = 0; i < 3; i++) {
        printf("\n%-5s", rows[i]);
        for (size_t k = 0; k < NETWORKS; k++)
            if (show[k])
                printf("%8u", s.of[i][k]);
        printf("   %5u", s.of[i][NETWORKS]);
        if (i == 1)
            printf("   %5u", s.blocks);
        if (i == 1 && s.manual)
            printf("   %5u", s.manual);
    }
}

static void print_local(const json_t *network)
{
    const json_t *list = json_object_get(network, "localaddresses");
    int width = 0;

    printf("\n\nLocal addresses");
    if (!json_array_size(list))
        printf(": n/a");
    for (size_t i = 0; i < json_array_size(list); i++)
        width = wider(width, str_of(json_array_get(list, i), "address"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *a = json_array_get(list, i);

        printf("\n%-*s    port %6lld    score %6lld", width,
               str_of(a, "address"), (long long)int_of(a, "port"),
               (long long)int_of(a, "score"));
    }
    printf("\n");
}

/* --- The commands --------------------------------------------------------- */

static const char netinfo_help[] =
    "-netinfo level|\"help\"\n\n"
    "Returns a network peer connections dashboard with information from the "
    "remote server.\n"
    "level 0: counts of connections and local addresses (default)\n"
    "level 1: and a line for each peer\n"
    "level 2: with its address\n"
    "level 3: with its version instead\n"
    "level 4: with both\n\n"
    "<->: in, out. type: full, block (blocks only), manual, feeler, addr. v: "
    "version of the transport.\n"
    "mping, ping: least and last ping, ms. send, recv: seconds since. txn, "
    "blk: minutes since a new transaction or block (*: wants no "
    "transactions).\n"
    "hb: compact blocks at once: . to it, * from it. addrp, addrl: addresses "
    "taken, dropped by the limit (.: none are exchanged). age: minutes.\n";

/* The level asked for; -1: none. */
static int parse_level(const char *text)
{
    if (text[0] < '0' || text[0] > '0' + LEVEL_MAX || text[1])
        return -1;
    return text[0] - '0';
}

static const json_t *result_of(const json_t *batch, int id)
{
    for (size_t i = 0; i < json_array_size(batch); i++) {
        const json_t *v = json_array_get(batch, i);

        if (int_of(v, "id") == id)
            return json_object_get(v, "result");
    }
    return NULL;
}

static int failed(json_t *answer)
{
    const json_t *first =
        json_is_array(answer) ? json_array_get(answer, 0) : answer;
    int status = cc_cli_print_error(json_object_get(first, "error"));

    json_decref(answer);
    return status;
}

int cc_cli_netinfo(struct cc_cli *c)
{
    int level = c->count ? parse_level(c->words[0]) : 0;
    const char *chain = c->setup.params->name;
    json_t *batch, *answer = NULL;
    const json_t *network, *peers;
    struct cc_error err;
    enum cc_status st;
    char text[300];

    cc_error_init(&err);
    if (c->count && !strcmp(c->words[0], "help")) {
        fputs(netinfo_help, stdout);
        return EXIT_SUCCESS;
    }
    if (level < 0) {
        snprintf(text, sizeof(text),
                 "invalid -netinfo argument: %.100s\nFor more information, "
                 "run: cloudcoin-cli -netinfo help",
                 c->words[0]);
        return cc_cli_fault(text);
    }
    batch = json_array();
    json_array_append_new(batch, cc_cli_request("getpeerinfo", NULL, 0));
    json_array_append_new(batch, cc_cli_request("getnetworkinfo", NULL, 1));
    st = cc_cli_call(c, batch, &answer, &err);
    json_decref(batch);
    if (st != CC_OK)
        return cc_cli_fault(err.text);
    peers = result_of(answer, 0);
    network = result_of(answer, 1);
    if (!json_is_array(peers) || !json_is_object(network))
        return failed(answer);
    printf("CloudCoin client %s%s%s - server %lld%s\n\n", cc_setup_version(),
           strcmp(chain, "main") ? " " : "", strcmp(chain, "main") ? chain : "",
           (long long)int_of(network, "protocolversion"),
           str_of(network, "subversion"));
    if (level && json_array_size(peers))
        print_peers(peers, level);
    print_sums(network, peers);
    print_local(network);
    json_decref(answer);
    return EXIT_SUCCESS;
}

int cc_cli_addrinfo(struct cc_cli *c)
{
    json_t *params = json_array(), *request, *answer = NULL, *out, *known;
    const json_t *list;
    struct cc_error err;
    enum cc_status st;
    char *text;
    json_int_t count[NETWORKS] = {0}, total = 0;

    cc_error_init(&err);
    if (c->count) {
        json_decref(params);
        return cc_cli_fault("-addrinfo takes no arguments");
    }
    json_array_append_new(params, json_integer(0));
    request = cc_cli_request("getnodeaddresses", params, 1);
    st = cc_cli_call(c, request, &answer, &err);
    json_decref(request);
    if (st != CC_OK)
        return cc_cli_fault(err.text);
    list = json_object_get(answer, "result");
    if (!json_is_array(list))
        return failed(answer);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *network = str_of(json_array_get(list, i), "network");

        for (size_t k = 0; k < NETWORKS; k++)
            count[k] += !strcmp(networks[k].name, network);
        total++;
    }
    out = json_object();
    known = json_object();
    for (size_t k = 0; k + 1 < NETWORKS; k++)
        json_object_set_new(known, networks[k].name, json_integer(count[k]));
    json_object_set_new(known, "total", json_integer(total));
    json_object_set_new(out, "addresses_known", known);
    text = json_dumps(out, JSON_INDENT(2));
    puts(text);
    free(text);
    json_decref(out);
    json_decref(answer);
    return EXIT_SUCCESS;
}
