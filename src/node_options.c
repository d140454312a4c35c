#include "node_options.h"
#include "chain_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "options.h"
#include "util/mem.h"

#define MAX_USER_AGENT 256

const char **cc_option_list(const struct cc_args *args, const char *name,
                            size_t *count)
{
    const char **list;
    size_t n = 0;

    while (cc_args_get_nth(args, name, n))
        n++;
    list = cc_calloc(n + 1, sizeof(*list));
    for (size_t i = 0; i < n; i++)
        list[i] = cc_args_get_nth(args, name, i);
    *count = n;
    return list;
}

enum cc_status cc_option_absent(const struct cc_args *args,
                                struct cc_error *err)
{
    for (const char *const *name = cc_daemon_absent; *name; name++)
        if (cc_args_get_bool(args, *name, false))
            return cc_fail(err, CC_INVALID,
                           "-%s is not supported: this daemon does not have "
                           "that.",
                           *name);
    return CC_OK;
}

enum cc_status cc_option_misplaced(const struct cc_setup *setup,
                                   struct cc_error *err)
{
    const char *chain = setup->params->name, *name;
    char all[sizeof(err->text)] = "";
    size_t len = 0;

    for (size_t i = 0; (name = cc_args_ignored(setup->args, i)); i++) {
        int n = snprintf(all + len, sizeof(all) - len,
                         "%sConfig setting for -%s only applied on %s network "
                         "when in [%s] section.",
                         len ? "\n" : "", name, chain, chain);

        if (n < 0 || (size_t)n >= sizeof(all) - len)
            break;
        len += (size_t)n;
    }
    return len ? cc_fail(err, CC_INVALID, "%s", all) : CC_OK;
}

char *cc_option_settings(const struct cc_setup *setup)
{
    if (cc_args_is_negated(setup->args, "settings"))
        return NULL;
    return cc_setup_path(setup,
                         cc_args_get(setup->args, "settings", "settings.json"));
}

unsigned cc_option_threads(const struct cc_args *args)
{
    int64_t n = cc_args_get_int(args, "par", 0);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (n <= 0)
        n += cores > 0 ? cores : 1;
    n -= 1; /* the thread that validates works too */
    return n < 0 ? 0 : n > 15 ? 15 : (unsigned)n;
}

/* A whole number and nothing else; moves text behind it. */
static bool read_part(const char **text, int64_t *out)
{
    char part[24], *end;
    size_t len = strcspn(*text, ":");

    if (!len || len >= sizeof(part))
        return false;
    memcpy(part, *text, len);
    part[len] = '\0';
    errno = 0;
    *out = strtoll(part, &end, 10);
    *text += len;
    return !*end && !errno && part[0] != ' ' && part[0] != '+';
}

/* -vbparams=deployment:start:end[:min_activation_height]. */
static enum cc_status set_vote(struct cc_params *p, const char *spec,
                               struct cc_error *err)
{
    static const char *const faults[] = {"nStartTime", "nTimeout",
                                         "min_activation_height"};
    const char *at = strchr(spec, ':');
    int64_t parts[3] = {0};
    size_t colons = 0;

    for (const char *c = spec; *c; c++)
        colons += *c == ':';
    if (colons < 2 || colons > 3)
        return cc_fail(err, CC_INVALID,
                       "Version bits parameters malformed, expecting "
                       "deployment:start:end[:min_activation_height]");
    for (size_t i = 0; i < colons; i++) {
        const char *part = ++at;

        if (!read_part(&at, &parts[i]) ||
            (i == 2 && (parts[i] < 0 || parts[i] > INT32_MAX)))
            return cc_fail(err, CC_INVALID, "Invalid %s (%.*s)", faults[i],
                           (int)strcspn(part, ":"), part);
    }
    if (strncmp(spec, "testdummy:", 10) != 0 || !p->testdummy.window)
        return cc_fail(err, CC_INVALID, "Invalid deployment (%.*s)",
                       (int)strcspn(spec, ":"), spec);
    p->testdummy.start = parts[0];
    p->testdummy.timeout = parts[1];
    p->testdummy.min_height = (uint32_t)parts[2];
    return CC_OK;
}

enum cc_status cc_option_params(const struct cc_args *args,
                                struct cc_params *params, struct cc_error *err)
{
    const bool regtest = !strcmp(params->name, "regtest");
    const char *text;
    enum cc_status st = CC_OK;

    if (!regtest && (cc_args_is_set(args, "testactivationheight") ||
                     cc_args_is_set(args, "vbparams")))
        return cc_fail(err, CC_INVALID,
                       "-testactivationheight and -vbparams are for regtest "
                       "only.");
    for (size_t i = 0;
         st == CC_OK &&
         (text = cc_args_get_nth(args, "testactivationheight", i));
         i++)
        st = cc_params_activate(params, text, err);
    for (size_t i = 0;
         st == CC_OK && (text = cc_args_get_nth(args, "vbparams", i)); i++)
        st = set_vote(params, text, err);
    return st;
}

/* --- Kinds of values ----------------------------------------------------- */

int64_t cc_option_time(const struct cc_args *args, const char *name,
                       int64_t otherwise)
{
    const int64_t most = INT64_C(1000000000000);
    int64_t n = cc_args_get_int(args, name, otherwise);

    return n > most ? most : n < -most ? -most : n;
}

enum cc_status cc_option_amount(const struct cc_args *args, const char *name,
                                cc_amount max, cc_amount *out,
                                struct cc_error *err)
{
    const char *text = cc_args_get(args, name, NULL);

    if (!text || cc_amount_parse(out, text, max))
        return CC_OK;
    return cc_fail(err, CC_INVALID, "Invalid amount for -%s=<amount>: '%s'",
                   name, text);
}

/* --- Wallets ----------------------------------------------------------- */

/* A fee that no node would relay leaves a transaction stuck. */
static enum cc_status check_max_fee(const struct cc_args *args,
                                    const struct cc_params *params,
                                    cc_amount max, struct cc_error *err)
{
    cc_amount relay = CC_OPTION_MIN_RELAY;
    char text[CC_AMOUNT_TEXT_SIZE];
    enum cc_status st =
        cc_option_amount(args, "minrelaytxfee", params->max_money, &relay, err);

    if (st != CC_OK || !cc_args_is_set(args, "maxtxfee") || max >= relay)
        return st;
    cc_amount_format(text, relay);
    return cc_fail(err, CC_INVALID,
                   "Invalid amount for -maxtxfee=<amount>: '%s' (must be at "
                   "least the minrelay fee of %s %s/kvB to prevent stuck "
                   "transactions)",
                   cc_args_get(args, "maxtxfee", ""), text,
                   params->storage_active ? "CLC" : "BTC");
}

/* Wallets have one kind of address; without wallets any will do. */
static enum cc_status check_types(const struct cc_args *args,
                                  struct cc_error *err)
{
    static const char only[] = "bech32m";
    const char *address = cc_args_get(args, "addresstype", only);
    const char *change = cc_args_get(args, "changetype", only);

    if (cc_args_get_bool(args, "disablewallet", false))
        return CC_OK;
    if (strcmp(address, only) != 0)
        return cc_fail(err, CC_INVALID, "Unknown address type '%s'", address);
    if (strcmp(change, only) != 0)
        return cc_fail(err, CC_INVALID, "Unknown change type '%s'", change);
    return CC_OK;
}

enum cc_status cc_option_wallets(const struct cc_args *args,
                                 const struct cc_params *params,
                                 struct cc_wallets_config *out,
                                 struct cc_error *err)
{
    const char *const names[] = {"fallbackfee", "mintxfee", "discardfee",
                                 "paytxfee", "maxtxfee"};
    cc_amount *const fields[] = {&out->fallback_feerate, &out->min_feerate,
                                 &out->discard_feerate, &out->pay_feerate,
                                 &out->max_fee};
    enum cc_status st;

    for (size_t i = 0; i < 5; i++) {
        st =
            cc_option_amount(args, names[i], params->max_money, fields[i], err);
        if (st != CC_OK)
            return st;
    }
    st = check_max_fee(args, params, out->max_fee, err);
    if (st == CC_OK)
        st = check_types(args, err);
    if (st != CC_OK)
        return st;
    out->signal_rbf = cc_args_get_bool(args, "walletrbf", out->signal_rbf);
    out->spend_unconfirmed =
        cc_args_get_bool(args, "spendzeroconfchange", out->spend_unconfirmed);
    return CC_OK;
}

/* --- Net --------------------------------------------------------------- */

enum cc_status cc_option_user_agent(const struct cc_args *args, char **out,
                                    struct cc_error *err)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789 .,;-_?@";
    char *all = cc_strdup(""), *next;
    const char *comment, *version = cc_setup_version() + 1;

    for (size_t i = 0; (comment = cc_args_get_nth(args, "uacomment", i)); i++) {
        if (comment[strspn(comment, safe)]) {
            free(all);
            return cc_fail(err, CC_INVALID,
                           "User Agent comment (%s) contains unsafe "
                           "characters.",
                           comment);
        }
        next = cc_asprintf("%s%s%s", all, *all ? "; " : "", comment);
        free(all);
        all = next;
    }
    *out = *all ? cc_asprintf("/CloudCoin:%s(%s)/", version, all)
                : cc_asprintf("/CloudCoin:%s/", version);
    free(all);
    if (strlen(*out) > MAX_USER_AGENT) {
        size_t len = strlen(*out);

        free(*out);
        *out = NULL;
        return cc_fail(err, CC_INVALID,
                       "Total length of network version string (%zu) exceeds "
                       "maximum length (%d). Reduce the number or size of "
                       "uacomments.",
                       len, MAX_USER_AGENT);
    }
    return CC_OK;
}

static enum cc_status option_port(const struct cc_args *args, const char *name,
                                  uint16_t otherwise, uint16_t *out,
                                  struct cc_error *err)
{
    const char *text = cc_args_get(args, name, NULL);
    char *end;
    unsigned long n;

    *out = otherwise;
    if (!text)
        return CC_OK;
    n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n > 65535 || n < 1)
        return cc_fail(err, CC_INVALID, "Invalid port specified in -%s: '%s'",
                       name, text);
    *out = (uint16_t)n;
    return CC_OK;
}

/* Is there a port? "[::1]:5", "1.2.3.4:5", not "::1". */
static bool names_port(const char *s)
{
    const char *colon = strrchr(s, ':');

    if (!colon)
        return false;
    return colon > s && (colon[-1] == ']' || strchr(s, ':') == colon);
}

/* Of each value of an option, though it may not be used. */
static enum cc_status check_ports(const struct cc_args *args,
                                  const char *option, struct cc_error *err)
{
    const char *value, *port;
    unsigned long n;
    char *end;

    for (size_t i = 0; (value = cc_args_get_nth(args, option, i)); i++) {
        if (!names_port(value))
            continue;
        port = strrchr(value, ':') + 1;
        n = strtoul(port, &end, 10);
        if (*port < '0' || *port > '9' || *end || n < 1 || n > 65535)
            return cc_fail(err, CC_INVALID,
                           "Invalid port specified in -%s: '%s'", option,
                           value);
    }
    return CC_OK;
}

static uint64_t option_scaled(const struct cc_args *args, const char *name,
                              int64_t otherwise)
{
    int64_t n = cc_args_get_int(args, name, otherwise);

    return n < 1 ? 1000 : n > 1000000 ? 1000000000 : (uint64_t)n * 1000;
}

/* Who hides behind a proxy is not reached from outside. */
static bool has_proxy(const struct cc_args *args)
{
    const char *proxy = cc_args_get(args, "proxy", "");

    return *proxy && strcmp(proxy, "0") != 0;
}

/* Options that may be given more than once. */
static void take_lists(const struct cc_args *args, struct cc_net_options *out,
                       struct cc_net_lists *lists)
{
    const char *const names[] = {"bind",     "externalip", "connect",
                                 "addnode",  "seednode",   "whitelist",
                                 "whitebind"};
    const char *const **where[] = {
        &out->binds,    &out->external_ips, &out->connect,  &out->addnode,
        &out->seednode, &out->whitelist,    &out->whitebind};
    size_t *counts[] = {&out->bind_count,     &out->external_ip_count,
                        &out->connect_count,  &out->addnode_count,
                        &out->seednode_count, &out->whitelist_count,
                        &out->whitebind_count};

    for (size_t i = 0; i < 7; i++) {
        lists->list[i] = cc_option_list(args, names[i], counts[i]);
        *where[i] = lists->list[i];
    }
}

/* How many connections, to whom, and may others make one to us? */
static enum cc_status take_listening(const struct cc_args *args,
                                     struct cc_net_options *out,
                                     struct cc_error *err)
{
    int64_t n = cc_args_get_int(args, "maxconnections", 125);

    if (cc_args_is_negated(args, "connect") ||
        (out->connect_count == 1 && !strcmp(out->connect[0], "0"))) {
        out->connect_count = 0;
        out->connect_none = true;
    }
    out->max_connections = n < 0 ? 0 : n > 2000 ? 2000 : (unsigned)n;
    out->listen =
        cc_args_get_bool(args, "listen",
                         out->bind_count || out->whitebind_count ||
                             !(out->connect_count || out->connect_none ||
                               n <= 0 || has_proxy(args)));
    if (!out->listen && (out->bind_count || out->whitebind_count))
        return cc_fail(err, CC_INVALID,
                       "Cannot set -bind or -whitebind together with "
                       "-listen=0");
    return CC_OK;
}

static enum cc_status take_times(const struct cc_args *args,
                                 struct cc_net_options *out,
                                 struct cc_error *err)
{
    int64_t n;

    out->ban_s = cc_option_time(args, "bantime", 86400);
    n = cc_option_time(args, "timeout", 5000);
    out->connect_timeout_ms = n <= 0 ? 5000 : n;
    n = cc_option_time(args, "peertimeout", 60);
    if (n <= 0)
        return cc_fail(err, CC_INVALID,
                       "peertimeout must be a positive integer.");
    out->peer_timeout_s = n;
    return CC_OK;
}

enum cc_status cc_option_net(const struct cc_args *args,
                             const struct cc_params *params,
                             struct cc_net_options *out,
                             struct cc_net_lists *lists, struct cc_error *err)
{
    static const char *const ports[] = {"i2psam", "onion", "proxy",
                                        "torcontrol", "whitebind"};
    enum cc_status st =
        option_port(args, "port", params->port, &out->port, err);

    for (size_t i = 0; st == CC_OK && i < sizeof(ports) / sizeof(*ports); i++)
        st = check_ports(args, ports[i], err);
    if (st != CC_OK)
        return st;
    take_lists(args, out, lists);
    st = take_listening(args, out, err);
    if (st == CC_OK)
        st = take_times(args, out, err);
    if (st != CC_OK)
        return st;
    out->max_receive_bytes =
        (size_t)option_scaled(args, "maxreceivebuffer", 5000);
    out->max_send_bytes = (size_t)option_scaled(args, "maxsendbuffer", 1000);
    out->blocks_only = cc_args_get_bool(args, "blocksonly", false);
    out->log_ips = cc_args_get_bool(args, "logips", false);
    out->addrman_test = cc_args_get_bool(args, "addrmantest", false);
    out->bloom_filters = cc_args_get_bool(args, "peerbloomfilters", false);
    out->reconcile = cc_args_get_bool(args, "txreconciliation", false);
    out->inactive = !cc_args_get_bool(args, "networkactive", true);
    out->whitelist_force_relay =
        cc_args_get_bool(args, "whitelistforcerelay", false);
    out->whitelist_relay =
        cc_args_get_bool(args, "whitelistrelay", !out->blocks_only) ||
        out->whitelist_force_relay;
    return cc_option_reach(args, out, lists, err);
}

void cc_net_lists_clear(struct cc_net_lists *lists)
{
    for (size_t i = 0; i < sizeof(lists->list) / sizeof(lists->list[0]); i++)
        free(lists->list[i]);
    memset(lists, 0, sizeof(*lists));
}

/* --- RPC --------------------------------------------------------------- */

static char *rpc_endpoint(const char *s, uint16_t port)
{
    if (names_port(s))
        return cc_strdup(s);
    if (s[0] != '[' && strchr(s, ':'))
        return cc_asprintf("[%s]:%u", s, port);
    return cc_asprintf("%s:%u", s, port);
}

static void rpc_number(const struct cc_args *args, const char *name,
                       int64_t otherwise, unsigned *out)
{
    int64_t n = cc_args_get_int(args, name, otherwise);

    *out = (unsigned)(n < 1 ? 1 : n > 10000 ? 10000 : n);
}

enum cc_status cc_option_server(const struct cc_setup *setup,
                                struct cc_server_config *out,
                                struct cc_rpc_lists *lists,
                                struct cc_error *err)
{
    const struct cc_args *args = setup->args;
    const char *bind;
    uint16_t port;
    size_t binds = 0;
    unsigned queue = 16;
    enum cc_status st =
        option_port(args, "rpcport", setup->params->rpc_port, &port, err);

    if (st == CC_OK)
        st = check_ports(args, "rpcbind", err);
    if (st != CC_OK)
        return st;
    lists->allow = cc_option_list(args, "rpcallowip", &out->allow_count);
    lists->auth = cc_option_list(args, "rpcauth", &out->auth_count);
    if (!*cc_args_get(args, "rpcauth", ""))
        out->auth_count = 0; /* an empty one in the first place means none */
    lists->whitelist =
        cc_option_list(args, "rpcwhitelist", &out->whitelist_count);
    out->whitelist = lists->whitelist;
    out->whitelist_default =
        cc_args_get_bool(args, "rpcwhitelistdefault", out->whitelist_count > 0);
    out->allow = lists->allow;
    out->auth = lists->auth;
    while (cc_args_get_nth(args, "rpcbind", binds))
        binds++;
    if (!out->allow_count)
        binds = 0; /* nobody but this machine may come */
    lists->bind = cc_calloc(binds + 2, sizeof(*lists->bind));
    for (size_t i = 0; i < binds; i++) {
        bind = cc_args_get_nth(args, "rpcbind", i);
        lists->bind[lists->bind_count++] = rpc_endpoint(bind, port);
    }
    if (!binds) {
        lists->bind[lists->bind_count++] = rpc_endpoint("127.0.0.1", port);
        lists->bind[lists->bind_count++] = rpc_endpoint("::1", port);
        out->bind_optional = 1; /* not every machine speaks IPv6 */
    }
    out->bind = (const char *const *)lists->bind;
    out->bind_count = lists->bind_count;
    out->user = cc_args_get(args, "rpcuser", "");
    out->password = cc_args_get(args, "rpcpassword", "");
    rpc_number(args, "rpcthreads", 4, &out->threads);
    rpc_number(args, "rpcworkqueue", 16, &queue);
    out->queue = queue;
    rpc_number(args, "rpcservertimeout", 30, &out->timeout_s);
    out->wallet_paths = !cc_args_get_bool(args, "disablewallet", false);
    return CC_OK;
}

void cc_rpc_lists_clear(struct cc_rpc_lists *lists)
{
    for (size_t i = 0; i < lists->bind_count; i++)
        free(lists->bind[i]);
    free(lists->bind);
    free(lists->allow);
    free(lists->auth);
    free(lists->whitelist);
    memset(lists, 0, sizeof(*lists));
}

/* --- all of them ------------------------------------------------------- */

enum cc_status cc_option_check(const struct cc_setup *setup,
                               struct cc_error *err)
{
    const struct cc_args *args = setup->args;
    struct cc_params params = *setup->params;
    struct cc_chain_config chain = {.params = &params};
    struct cc_chain_options chain_own = {0};
    struct cc_mempool_config pool = {0};
    struct cc_net_options net;
    struct cc_net_lists net_lists = {0};
    struct cc_wallets_config wallets;
    struct cc_server_config server = {0};
    struct cc_rpc_lists rpc_lists = {0};
    char *agent = NULL;
    struct cc_log_options log;
    char *log_path = NULL;
    bool filters, serve;
    enum cc_status st = cc_option_log(setup, &log, &log_path, err);

    cc_net_options_init(&net);
    if (st == CC_OK)
        st = cc_option_params(args, &params, err);
    if (st == CC_OK)
        st = cc_option_min_work(args, &params, &chain_own, err);
    if (st == CC_OK)
        st = cc_option_chain(args, &chain_own, &chain, err);
    if (st == CC_OK)
        st = cc_option_mempool(args, &params, &pool, err);
    if (st == CC_OK)
        st = cc_option_net(args, &params, &net, &net_lists, err);
    if (st == CC_OK)
        st = cc_option_filters(args, &filters, &serve, err);
    if (st == CC_OK)
        st = cc_option_user_agent(args, &agent, err);
    if (st == CC_OK) {
        cc_wallets_config_init(&wallets, &params);
        st = cc_option_wallets(args, &params, &wallets, err);
    }
    if (st == CC_OK)
        st = cc_option_server(setup, &server, &rpc_lists, err);
    cc_chain_options_clear(&chain_own);
    free(log_path);
    free(agent);
    cc_net_lists_clear(&net_lists);
    cc_rpc_lists_clear(&rpc_lists);
    return st;
}
