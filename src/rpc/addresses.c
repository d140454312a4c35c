/* addresses: who is kept out, and whom the node has heard of. */
#include <stdio.h>
#include <stdlib.h>

#include "net/net.h"
#include "net/netaddr.h"
#include "rpc/families.h"
#include "rpc/rpc.h"
#include "util/args.h"
#include "util/clock.h"

/* --- Bans -------------------------------------------------------------- */

static json_t *ban(struct cc_rpc_call *call, const char *subnet)
{
    int64_t now = cc_clock_now(call->env->clock), time = 0, until;
    struct cc_subnet parsed;
    struct cc_error err;
    enum cc_status st;

    if (!cc_subnet_parse(&parsed, subnet))
        return cc_rpc_error(call, CC_RPC_CLIENT_INVALID_IP_OR_SUBNET,
                            "Error: Invalid IP/Subnet");
    if (!cc_rpc_get_int(call, 2, &time))
        return NULL;
    until = cc_rpc_bool(call, 3, false) ? time : 0;
    if (cc_rpc_bool(call, 3, false) && until < now)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Error: Absolute timestamp is in the past");
    if (!until) {
        if (time <= 0)
            time = cc_args_get_int(call->env->args, "bantime", 86400);
        if (__builtin_add_overflow(now, time, &until))
            until = INT64_MAX;
    }
    st = cc_net_ban(call->env->net, subnet, until, &err);
    if (st == CC_LIMIT)
        return cc_rpc_error(call, CC_RPC_CLIENT_NODE_ALREADY_ADDED,
                            "Error: IP/Subnet already banned");
    if (st != CC_OK)
        return cc_rpc_error(call, CC_RPC_CLIENT_INVALID_IP_OR_SUBNET, "%s",
                            err.text);
    return json_null();
}

static json_t *setban(struct cc_rpc_call *call)
{
    const char *subnet = cc_rpc_str(call, 0, "");
    const char *what = cc_rpc_str(call, 1, "");
    struct cc_subnet parsed;

    if (strcmp(what, "add") != 0 && strcmp(what, "remove") != 0)
        return cc_rpc_show_help(call, CC_RPC_MISC_ERROR);
    if (!cc_rpc_has_net(call))
        return NULL;
    if (!strcmp(what, "add"))
        return ban(call, subnet);
    if (!cc_subnet_parse(&parsed, subnet))
        return cc_rpc_error(call, CC_RPC_CLIENT_INVALID_IP_OR_SUBNET,
                            "Error: Invalid IP/Subnet");
    if (cc_net_unban(call->env->net, subnet, NULL) != CC_OK)
        return cc_rpc_error(call, CC_RPC_CLIENT_INVALID_IP_OR_SUBNET,
                            "Error: Unban failed. Requested address/subnet "
                            "was not previously manually banned.");
    return json_null();
}

static json_t *listbanned(struct cc_rpc_call *call)
{
    int64_t now = cc_clock_now(call->env->clock);
    struct cc_ban *bans = NULL;
    json_t *a, *o;
    size_t n;

    if (!cc_rpc_has_net(call))
        return NULL;
    a = json_array();
    n = cc_net_bans(call->env->net, &bans);
    for (size_t i = 0; i < n; i++) {
        o = json_object();
        cc_json_set_str(o, "address", bans[i].subnet);
        cc_json_set_int(o, "ban_created", bans[i].created);
        cc_json_set_int(o, "banned_until", bans[i].until);
        cc_json_set_int(o, "ban_duration", bans[i].until - bans[i].created);
        cc_json_set_int(o, "time_remaining", bans[i].until - now);
        json_array_append_new(a, o);
    }
    free(bans);
    return a;
}

static json_t *clearbanned(struct cc_rpc_call *call)
{
    if (!cc_rpc_has_net(call))
        return NULL;
    cc_net_clear_bans(call->env->net);
    return json_null();
}

/* --- Addresses --------------------------------------------------------- */

static json_t *getnodeaddresses(struct cc_rpc_call *call)
{
    const char *network = cc_rpc_str(call, 1, NULL);
    struct cc_net_address *list = NULL;
    int count = 1;
    json_t *a, *o;
    size_t n;

    if (!cc_rpc_has_net(call) || !cc_rpc_get_int32(call, 0, &count))
        return NULL;
    if (count < 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Address count out of range");
    if (network && strcmp(network, "ipv4") != 0 &&
        strcmp(network, "ipv6") != 0 && strcmp(network, "onion") != 0 &&
        strcmp(network, "i2p") != 0 && strcmp(network, "cjdns") != 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Network not recognized: %s", network);
    n = cc_net_known_addresses(call->env->net, (size_t)count, network, &list);
    a = json_array();
    for (size_t i = 0; i < n; i++) {
        o = json_object();
        cc_json_set_int(o, "time", list[i].time);
        cc_json_set(o, "services", cc_json_u64(list[i].services));
        cc_json_set_str(o, "address", list[i].address);
        cc_json_set_int(o, "port", list[i].port);
        cc_json_set_str(o, "network", list[i].network);
        json_array_append_new(a, o);
    }
    free(list);
    return a;
}

static json_t *addpeeraddress(struct cc_rpc_call *call)
{
    int64_t port = 0;
    enum cc_status st;
    json_t *o;

    if (!cc_rpc_has_net(call) || !cc_rpc_get_int(call, 1, &port))
        return NULL;
    if (port < 0 || port > 65535)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "JSON integer out of range");
    st = cc_net_add_address(call->env->net, cc_rpc_str(call, 0, ""),
                            (uint16_t)port, cc_rpc_bool(call, 2, false), NULL);
    o = json_object();
    cc_json_set_bool(o, "success", st == CC_OK);
    return o;
}

/* "bucket/position" -> who is there. */
static json_t *book_table(struct cc_net *net, bool tried)
{
    struct cc_net_place *places = NULL;
    size_t n = cc_net_book_places(net, tried, &places);
    json_t *table = json_object(), *o;
    char key[32];

    for (size_t i = 0; i < n; i++) {
        const struct cc_net_place *p = &places[i];

        o = json_object();
        cc_json_set_str(o, "address", p->address.address);
        cc_json_set_int(o, "port", p->address.port);
        cc_json_set_str(o, "network", p->address.network);
        cc_json_set(o, "services", cc_json_u64(p->address.services));
        cc_json_set_int(o, "time", p->address.time);
        cc_json_set_str(o, "source", p->source.address);
        cc_json_set_str(o, "source_network", p->source.network);
        snprintf(key, sizeof(key), "%u/%u", p->bucket, p->position);
        cc_json_set(table, key, o);
    }
    free(places);
    return table;
}

static json_t *getrawaddrman(struct cc_rpc_call *call)
{
    json_t *o;

    if (!cc_rpc_has_net(call))
        return NULL;
    o = json_object();
    cc_json_set(o, "new", book_table(call->env->net, false));
    cc_json_set(o, "tried", book_table(call->env->net, true));
    return o;
}

static json_t *getaddrmaninfo(struct cc_rpc_call *call)
{
    static const char *const names[] = {"ipv4", "ipv6", "onion", "i2p",
                                        "cjdns"};
    size_t fresh = 0, tried = 0;
    json_t *all, *o;

    if (!cc_rpc_has_net(call))
        return NULL;
    all = json_object();
    for (size_t i = 0; i < 6; i++) {
        struct cc_net_book_counts c = {fresh, tried};

        if (i < 5) {
            c = cc_net_book_counts(call->env->net, names[i]);
            fresh += c.fresh;
            tried += c.tried;
        }
        o = json_object();
        cc_json_set_int(o, "new", (int64_t)c.fresh);
        cc_json_set_int(o, "tried", (int64_t)c.tried);
        cc_json_set_int(o, "total", (int64_t)(c.fresh + c.tried));
        cc_json_set(all, i < 5 ? names[i] : "all_networks", o);
    }
    return all;
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg ban_args[] = {
    CC_ARG("subnet", CC_RPC_STR, NULL,
           "The IP/Subnet with an optional netmask (default is /32 = single "
           "IP)"),
    CC_ARG("command", CC_RPC_STR, NULL,
           "'add' to add an IP/Subnet to the list, 'remove' to remove an "
           "IP/Subnet from the list"),
    CC_ARG("bantime", CC_RPC_NUM, "0",
           "time in seconds how long (or until when if [absolute] is set) the "
           "IP is banned\n(0 or empty means the default time of 24h)"),
    CC_ARG("absolute", CC_RPC_BOOL, "false",
           "If set, the bantime must be an absolute timestamp expressed in "
           "UNIX epoch time"),
};
static const struct cc_rpc_arg addresses_args[] = {
    CC_ARG("count", CC_RPC_NUM, "1",
           "The maximum number of addresses to return. Specify 0 to return "
           "all known addresses."),
    CC_ARG("network", CC_RPC_STR, "all networks",
           "Return only addresses of the specified network."),
};
static const struct cc_rpc_arg addpeer_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL, "The IP address of the peer"),
    CC_ARG("port", CC_RPC_NUM, NULL, "The port of the peer"),
    CC_ARG("tried", CC_RPC_BOOL, "false",
           "If true, attempt to add the peer to the tried addresses table"),
};

static const struct cc_rpc_method methods[] = {
    {"network", "clearbanned", clearbanned, CC_RPC_NO_ARGS,
     "Clear all banned IPs.", "null", "", 0},
    {"network", "getnodeaddresses", getnodeaddresses,
     CC_RPC_ARGS(addresses_args),
     "Return known addresses, after filtering for quality and recency.",
     "[...]    of each: time, services, address, port, network", "8", 0},
    {"network", "listbanned", listbanned, CC_RPC_NO_ARGS,
     "List all manually banned IPs/Subnets.",
     "[...]    of each: address, ban_created, banned_until, ban_duration, "
     "time_remaining",
     "", 0},
    {"network", "setban", setban, CC_RPC_ARGS(ban_args),
     "Attempts to add or remove an IP/Subnet from the banned list.", "null",
     "\"192.168.0.6\" \"add\" 86400", 0},
    {"hidden", "addpeeraddress", addpeeraddress, CC_RPC_ARGS(addpeer_args),
     "Add the address of a potential peer to the address manager. This RPC is "
     "for testing only.",
     "{...}    success", NULL, CC_RPC_HIDDEN},
    {"hidden", "getaddrmaninfo", getaddrmaninfo, CC_RPC_NO_ARGS,
     "Provides information about the node's address manager by returning the "
     "number of addresses in the new and tried tables and their sum for all "
     "networks.",
     "{...}    of each network: new, tried, total", NULL, CC_RPC_HIDDEN},
    {"hidden", "getrawaddrman", getrawaddrman, CC_RPC_NO_ARGS,
     "EXPERIMENTAL warning: this call may be changed in future releases.\n\n"
     "Returns information on all address manager entries for the new and "
     "tried tables.",
     "{...}    new, tried: each \"bucket/position\": address, port, network, "
     "services, time, source, source_network",
     NULL, CC_RPC_HIDDEN},
};

void cc_rpc_register_addresses(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
