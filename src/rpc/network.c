/* network: peers, and whom to talk to. */
#include <stdio.h>
#include <stdlib.h>

#include "net/net.h"
#include "net/netaddr.h"
#include "net/proto.h"
#include "rpc/families.h"
#include "rpc/rpc.h"
#include "rpc/warnings.h"
#include "util/args.h"
#include "util/hex.h"
#include "util/mem.h"

/* 10000 x major + 100 x minor + patch: of this program, 0.1.0, and of the
 * Bitcoin Core whose calls these are: clients choose theirs by it. */
#define CLIENT_VERSION 100
#define CORE_VERSION 270000

/* --- Services ---------------------------------------------------------- */

static json_t *service_names(const struct cc_rpc_call *call, uint64_t services)
{
    const bool storage = call->env->params->storage_active;
    json_t *a = json_array();
    char text[32];

    for (unsigned i = 0; i < 64; i++) {
        if (!(services >> i & 1))
            continue;
        if (cc_service_name(i) &&
            (storage || UINT64_C(1) << i != CC_SERVICE_STORAGE)) {
            json_array_append_new(a, json_string(cc_service_name(i)));
        } else {
            snprintf(text, sizeof(text), "UNKNOWN[2^%u]", i);
            json_array_append_new(a, json_string(text));
        }
    }
    return a;
}

static void set_services(json_t *o, const char *key, uint64_t services)
{
    uint8_t be[8];

    cc_put_u64be(be, services);
    cc_json_set(o, key, cc_json_hex(cc_bytes(be, 8)));
}

/* --- Peers ------------------------------------------------------------- */

static json_t *connection_count(struct cc_rpc_call *call)
{
    if (!cc_rpc_has_net(call))
        return NULL;
    return json_integer(cc_net_counts(call->env->net).total);
}

static json_t *ping(struct cc_rpc_call *call)
{
    if (!cc_rpc_has_net(call))
        return NULL;
    cc_net_ping(call->env->net);
    return json_null();
}

static json_t *permissions(unsigned bits)
{
    json_t *a = json_array();
    const char *name;
    unsigned one;

    for (unsigned i = 0; (name = cc_net_permission_name(i, &one)); i++)
        if ((bits & one) == one)
            json_array_append_new(a, json_string(name));
    return a;
}

static json_t *per_message(const uint64_t bytes[CC_MSG_COUNT])
{
    json_t *o = json_object();

    for (int i = 0; i < CC_MSG_COUNT; i++)
        if (bytes[i])
            cc_json_set(o, cc_msg_name((enum cc_msg_type)i),
                        cc_json_u64(bytes[i]));
    return o;
}

static void set_seconds(json_t *o, const char *key, int64_t us)
{
    if (us >= 0)
        cc_json_set(o, key, cc_json_double((double)us / 1e6));
}

static void set_nonempty(json_t *o, const char *key, const char *text)
{
    if (*text)
        cc_json_set_str(o, key, text);
}

static void peer_traffic(json_t *o, const struct cc_peer_info *p)
{
    cc_json_set_bool(o, "relaytxes", p->relay_txes);
    cc_json_set_int(o, "lastsend", p->last_send);
    cc_json_set_int(o, "lastrecv", p->last_recv);
    cc_json_set_int(o, "last_transaction", p->last_tx);
    cc_json_set_int(o, "last_block", p->last_block);
    cc_json_set(o, "bytessent", cc_json_u64(p->bytes_sent));
    cc_json_set(o, "bytesrecv", cc_json_u64(p->bytes_recv));
    cc_json_set_int(o, "conntime", p->connected);
    cc_json_set_int(o, "timeoffset", p->time_offset);
    set_seconds(o, "pingtime", p->ping_us);
    set_seconds(o, "minping", p->ping_min_us);
    set_seconds(o, "pingwait", p->ping_wait_us);
}

static json_t *peer_json(const struct cc_rpc_call *call,
                         const struct cc_peer_info *p)
{
    json_t *o = json_object(), *inflight = json_array();

    cc_json_set_int(o, "id", p->id);
    cc_json_set_str(o, "addr", p->addr);
    set_nonempty(o, "addrbind", p->addr_bind);
    set_nonempty(o, "addrlocal", p->addr_local);
    cc_json_set_str(o, "network", p->network);
    if (p->mapped_as)
        cc_json_set_int(o, "mapped_as", p->mapped_as);
    set_services(o, "services", p->services);
    cc_json_set(o, "servicesnames", service_names(call, p->services));
    peer_traffic(o, p);
    cc_json_set_int(o, "version", p->version);
    cc_json_set_str(o, "subver", p->user_agent);
    cc_json_set_bool(o, "inbound", p->inbound);
    cc_json_set_bool(o, "bip152_hb_to", p->bip152_to);
    cc_json_set_bool(o, "bip152_hb_from", p->bip152_from);
    cc_json_set_int(o, "startingheight", p->starting_height);
    cc_json_set_int(o, "presynced_headers", p->presynced_headers);
    cc_json_set_int(o, "synced_headers", p->synced_headers);
    cc_json_set_int(o, "synced_blocks", p->synced_blocks);
    for (size_t i = 0; i < p->inflight_count; i++)
        json_array_append_new(inflight, json_integer(p->inflight[i]));
    cc_json_set(o, "inflight", inflight);
    cc_json_set_bool(o, "addr_relay_enabled", p->addr_relay);
    cc_json_set(o, "addr_processed", cc_json_u64(p->addr_processed));
    cc_json_set(o, "addr_rate_limited", cc_json_u64(p->addr_rate_limited));
    cc_json_set(o, "permissions", permissions(p->permissions));
    cc_json_set_amount(o, "minfeefilter", p->min_fee_filter);
    cc_json_set(o, "bytessent_per_msg", per_message(p->sent_per_msg));
    cc_json_set(o, "bytesrecv_per_msg", per_message(p->recv_per_msg));
    cc_json_set_str(o, "connection_type", cc_connection_type_name(p->type));
    cc_json_set_str(o, "transport_protocol_type", "v1");
    cc_json_set_str(o, "session_id", "");
    return o;
}

static json_t *getpeerinfo(struct cc_rpc_call *call)
{
    struct cc_peer_info *peers = NULL;
    json_t *a;
    size_t n;

    if (!cc_rpc_has_net(call))
        return NULL;
    a = json_array();
    n = cc_net_peers(call->env->net, &peers);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(a, peer_json(call, &peers[i]));
    free(peers);
    return a;
}

/* --- Connecting -------------------------------------------------------- */

/* Peers are spoken to in the clear only; false: an error was set. */
static bool refuse_v2(struct cc_rpc_call *call, unsigned arg)
{
    if (!cc_rpc_bool(call, arg, false))
        return true;
    cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                 "Error: v2transport requested but not enabled (see "
                 "-v2transport)");
    return false;
}

static json_t *addnode(struct cc_rpc_call *call)
{
    const char *node = cc_rpc_str(call, 0, ""), *what = cc_rpc_str(call, 1, "");
    struct cc_net *net = call->env->net;

    if (strcmp(what, "add") != 0 && strcmp(what, "remove") != 0 &&
        strcmp(what, "onetry") != 0)
        return cc_rpc_show_help(call, CC_RPC_MISC_ERROR);
    if (!cc_rpc_has_net(call) || !refuse_v2(call, 2))
        return NULL;
    if (strlen(node) > 255)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Error: node is too long");
    if (!strcmp(what, "onetry"))
        cc_net_try_node(net, node);
    else if (!strcmp(what, "add") && cc_net_add_node(net, node, NULL) != CC_OK)
        return cc_rpc_error(call, CC_RPC_CLIENT_NODE_ALREADY_ADDED,
                            "Error: Node already added");
    else if (!strcmp(what, "remove") &&
             cc_net_remove_node(net, node, NULL) != CC_OK)
        return cc_rpc_error(call, CC_RPC_CLIENT_NODE_NOT_ADDED,
                            "Error: Node could not be removed. It has not "
                            "been added previously.");
    return json_null();
}

static json_t *addconnection(struct cc_rpc_call *call)
{
    static const char *const names[] = {
        "outbound-full-relay", "block-relay-only", "addr-fetch", "feeler"};
    static const enum cc_connection_type types[] = {
        CC_CONN_OUTBOUND, CC_CONN_BLOCK_RELAY, CC_CONN_ADDR_FETCH,
        CC_CONN_FEELER};
    const char *address = cc_rpc_str(call, 0, "");
    const char *name = cc_rpc_str(call, 1, "");
    struct cc_error err;
    size_t i = 0;
    json_t *o;

    if (strcmp(call->env->params->name, "regtest") != 0)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "addconnection is for regression testing "
                            "(-regtest mode) only.");
    while (i < 4 && strcmp(names[i], name) != 0)
        i++;
    if (i == 4)
        return cc_rpc_show_help(call, CC_RPC_INVALID_PARAMETER);
    if (!cc_rpc_has_net(call) || !refuse_v2(call, 2))
        return NULL;
    if (cc_net_open(call->env->net, address, types[i], &err) != CC_OK)
        return cc_rpc_error(call, CC_RPC_CLIENT_NODE_CAPACITY_REACHED,
                            "Error: Already at capacity for specified "
                            "connection type.");
    o = json_object();
    cc_json_set_str(o, "address", address);
    cc_json_set_str(o, "connection_type", name);
    return o;
}

static json_t *disconnectnode(struct cc_rpc_call *call)
{
    const json_t *address = cc_rpc_arg(call, 0), *id = cc_rpc_arg(call, 1);
    const char *text = cc_rpc_str(call, 0, "");
    int64_t number = 0;
    bool done;

    if (!cc_rpc_has_net(call))
        return NULL;
    if (address && !id) {
        done = cc_net_disconnect_address(call->env->net, text);
    } else if (id && !*text) {
        if (!cc_rpc_get_int(call, 1, &number))
            return NULL;
        done = cc_net_disconnect_id(call->env->net, number);
    } else {
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMS,
                            "Only one of address and nodeid should be "
                            "provided.");
    }
    if (!done)
        return cc_rpc_error(call, CC_RPC_CLIENT_NODE_NOT_CONNECTED,
                            "Node not found in connected nodes");
    return json_null();
}

static json_t *added_json(const struct cc_added_node *n)
{
    json_t *o = json_object(), *addresses = json_array(), *a;

    cc_json_set_str(o, "addednode", n->node);
    cc_json_set_bool(o, "connected", n->connected);
    if (n->connected) {
        a = json_object();
        cc_json_set_str(a, "address", n->address);
        cc_json_set_str(a, "connected", n->inbound ? "inbound" : "outbound");
        json_array_append_new(addresses, a);
    }
    cc_json_set(o, "addresses", addresses);
    return o;
}

static json_t *getaddednodeinfo(struct cc_rpc_call *call)
{
    const char *only = cc_rpc_str(call, 0, NULL);
    struct cc_added_node *nodes = NULL;
    bool found = false;
    json_t *a;
    size_t n;

    if (!cc_rpc_has_net(call))
        return NULL;
    a = json_array();
    n = cc_net_added_nodes(call->env->net, &nodes);
    for (size_t i = 0; i < n; i++) {
        if (only && strcmp(only, nodes[i].node) != 0)
            continue;
        found = true;
        json_array_append_new(a, added_json(&nodes[i]));
    }
    free(nodes);
    if (only && !found) {
        json_decref(a);
        return cc_rpc_error(call, CC_RPC_CLIENT_NODE_NOT_ADDED,
                            "Error: Node has not been added.");
    }
    return a;
}

/* --- The whole --------------------------------------------------------- */

static json_t *getnettotals(struct cc_rpc_call *call)
{
    struct cc_net_totals t;
    json_t *o, *target;

    if (!cc_rpc_has_net(call))
        return NULL;
    t = cc_net_totals(call->env->net);
    o = json_object();
    target = json_object();
    cc_json_set(o, "totalbytesrecv", cc_json_u64(t.received));
    cc_json_set(o, "totalbytessent", cc_json_u64(t.sent));
    cc_json_set_int(o, "timemillis", t.time_ms);
    cc_json_set_int(target, "timeframe", t.frame_s);
    cc_json_set(target, "target", cc_json_u64(t.target));
    cc_json_set_bool(target, "target_reached", t.reached);
    cc_json_set_bool(target, "serve_historical_blocks", t.serves_old);
    cc_json_set(target, "bytes_left_in_cycle", cc_json_u64(t.left_bytes));
    cc_json_set_int(target, "time_left_in_cycle", t.left_s);
    cc_json_set(o, "uploadtarget", target);
    return o;
}

static json_t *networks(struct cc_net *net)
{
    json_t *a = json_array(), *o;
    struct cc_net_network n;

    for (unsigned i = 0; net && cc_net_network(net, i, &n); i++) {
        o = json_object();
        cc_json_set_str(o, "name", n.name);
        cc_json_set_bool(o, "limited", n.limited);
        cc_json_set_bool(o, "reachable", n.reachable);
        cc_json_set_str(o, "proxy", n.proxy);
        cc_json_set_bool(o, "proxy_randomize_credentials", n.randomize);
        json_array_append_new(a, o);
    }
    return a;
}

static json_t *local_addresses(struct cc_net *net)
{
    struct cc_net_local *list = NULL;
    size_t n = net ? cc_net_local_addresses(net, &list) : 0;
    json_t *a = json_array(), *o;

    for (size_t i = 0; i < n; i++) {
        o = json_object();
        cc_json_set_str(o, "address", list[i].address);
        cc_json_set_int(o, "port", list[i].port);
        cc_json_set_int(o, "score", list[i].score);
        json_array_append_new(a, o);
    }
    free(list);
    return a;
}

static json_t *getnetworkinfo(struct cc_rpc_call *call)
{
    struct cc_net *net = call->env->net;
    struct cc_net_counts counts = {0};
    struct cc_mempool_stats stats;
    uint64_t services = net ? cc_net_local_services(net) : 0;
    json_t *o = json_object();

    if (net)
        counts = cc_net_counts(net);
    cc_mempool_stats(call->env->mempool, &stats);
    cc_json_set_int(o, "version",
                    call->env->params->storage_active ? CLIENT_VERSION
                                                      : CORE_VERSION);
    cc_json_set_str(o, "subversion", net ? cc_net_user_agent(net) : "");
    cc_json_set_int(o, "protocolversion", CC_NET_VERSION);
    set_services(o, "localservices", services);
    cc_json_set(o, "localservicesnames", service_names(call, services));
    cc_json_set_bool(o, "localrelay",
                     !cc_args_get_bool(call->env->args, "blocksonly", false));
    cc_json_set_int(o, "timeoffset", net ? cc_net_time_offset(net) : 0);
    cc_json_set_bool(o, "networkactive", net && cc_net_active(net));
    cc_json_set_int(o, "connections", counts.total);
    cc_json_set_int(o, "connections_in", counts.in);
    cc_json_set_int(o, "connections_out", counts.out);
    cc_json_set(o, "networks", networks(net));
    cc_json_set_amount(o, "relayfee", stats.min_relay_feerate);
    cc_json_set_amount(o, "incrementalfee", stats.incremental_feerate);
    cc_json_set(o, "localaddresses", local_addresses(net));
    cc_json_set(o, "warnings", cc_warnings_json(call->env->warnings));
    return o;
}

static json_t *setnetworkactive(struct cc_rpc_call *call)
{
    if (!cc_rpc_has_net(call))
        return NULL;
    cc_net_set_active(call->env->net, cc_rpc_bool(call, 0, true));
    return json_boolean(cc_net_active(call->env->net));
}

static json_t *sendmsgtopeer(struct cc_rpc_call *call)
{
    const char *type = cc_rpc_str(call, 1, "");
    const char *text = cc_rpc_str(call, 2, "");
    uint8_t *payload = NULL;
    int64_t peer = 0;
    size_t len = 0;
    bool sent;

    if (!cc_rpc_get_int(call, 0, &peer))
        return NULL;
    if (strlen(type) > 12)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Error: msg_type too long, max length is 12");
    if (*text && !(payload = cc_hex_decode_dup(text, &len)))
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Error parsing input for msg");
    sent =
        call->env->net && cc_net_send(call->env->net, peer, type, payload, len);
    free(payload);
    if (!cc_rpc_has_net(call))
        return NULL;
    if (!sent)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "Error: Could not send message to peer");
    return json_object();
}

static json_t *getblockfrompeer(struct cc_rpc_call *call)
{
    uint8_t hash[32];
    int64_t peer = 0;
    const struct cc_index *i;
    struct cc_error err;

    if (!cc_rpc_has_net(call) ||
        !cc_rpc_get_hash(call, cc_rpc_arg(call, 0), "blockhash", hash) ||
        !cc_rpc_get_int(call, 1, &peer))
        return NULL;
    i = cc_chain_find(call->env->chain, hash);
    if (!i)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR, "Block header missing");
    /* One from ahead would keep its file from being pruned. */
    if (cc_chain_prune_info(call->env->chain).on &&
        i->height > cc_chain_tip(call->env->chain)->height)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "In prune mode, only blocks that the node has "
                            "already synced previously can be fetched from a "
                            "peer");
    if (cc_chain_look(call->env->chain, i).status & CC_INDEX_DATA)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "Block already downloaded");
    if (cc_net_fetch_block(call->env->net, hash, peer, &err) != CC_OK)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR, "%s", err.text);
    return json_object();
}

/* --- The table --------------------------------------------------------- */

static const struct cc_rpc_arg addnode_args[] = {
    CC_ARG("node", CC_RPC_STR, NULL, "The address of the peer to connect to"),
    CC_ARG("command", CC_RPC_STR, NULL,
           "'add' to add a node to the list, 'remove' to remove a node from "
           "the list, 'onetry' to try a connection to the node once"),
    CC_ARG("v2transport", CC_RPC_BOOL, "set by -v2transport",
           "Attempt to connect using BIP324 v2 transport protocol (not "
           "supported: false)"),
};
static const struct cc_rpc_arg addconnection_args[] = {
    CC_ARG("address", CC_RPC_STR, NULL,
           "The IP address and port to attempt connecting to."),
    CC_ARG("connection_type", CC_RPC_STR, NULL,
           "Type of connection to open (\"outbound-full-relay\", "
           "\"block-relay-only\", \"addr-fetch\" or \"feeler\")."),
    CC_ARG("v2transport", CC_RPC_BOOL, "false",
           "Attempt to connect using BIP324 v2 transport protocol (not "
           "supported: false)"),
};
static const struct cc_rpc_arg disconnect_args[] = {
    CC_ARG("address", CC_RPC_STR, "fallback to nodeid",
           "The IP address/port of the node"),
    CC_ARG("nodeid", CC_RPC_NUM, "fallback to address",
           "The node ID (see getpeerinfo for node IDs)"),
};
static const struct cc_rpc_arg added_args[] = {
    CC_ARG("node", CC_RPC_STR, "all nodes",
           "If provided, return information about this specific node, "
           "otherwise all nodes are returned."),
};
static const struct cc_rpc_arg active_args[] = {
    CC_ARG("state", CC_RPC_BOOL, NULL,
           "true to enable networking, false to disable"),
};
static const struct cc_rpc_arg send_args[] = {
    CC_ARG("peer_id", CC_RPC_NUM, NULL, "The peer to send the message to."),
    CC_ARG("msg_type", CC_RPC_STR, NULL,
           "The message type (maximum length 12)"),
    CC_ARG("msg", CC_RPC_HEX, NULL,
           "The serialized message body to send, in hex, without a message "
           "header"),
};
static const struct cc_rpc_arg frompeer_args[] = {
    CC_ARG("blockhash", CC_RPC_HEX, NULL, "The block hash to try to fetch"),
    CC_ARG("peer_id", CC_RPC_NUM, NULL, "The peer to fetch it from"),
};

static const struct cc_rpc_method methods[] = {
    {"network", "addnode", addnode, CC_RPC_ARGS(addnode_args),
     "Attempts to add or remove a node from the addnode list, or try a "
     "connection to a node once.",
     "null", "\"192.168.0.6:7733\" \"onetry\"", 0},
    {"network", "disconnectnode", disconnectnode, CC_RPC_ARGS(disconnect_args),
     "Immediately disconnects from the specified peer node, named by 'address' "
     "or by 'nodeid'.",
     "null", "\"192.168.0.6:7733\"", 0},
    {"network", "getaddednodeinfo", getaddednodeinfo, CC_RPC_ARGS(added_args),
     "Returns information about the given added node, or all added nodes.",
     "[...]    of each: addednode, connected, addresses", "", 0},
    {"network", "getconnectioncount", connection_count, CC_RPC_NO_ARGS,
     "Returns the number of connections to other nodes.",
     "n    (numeric) The connection count", "", 0},
    {"network", "getnettotals", getnettotals, CC_RPC_NO_ARGS,
     "Returns information about network traffic, including bytes in, bytes "
     "out, and current time.",
     "{...}    totalbytesrecv, totalbytessent, timemillis, uploadtarget", "",
     0},
    {"network", "getnetworkinfo", getnetworkinfo, CC_RPC_NO_ARGS,
     "Returns an object containing various state info regarding P2P "
     "networking.",
     "{...}    version, subversion, protocolversion, connections, networks "
     "(ipv4, ipv6, onion, i2p, cjdns), relayfee, ...",
     "", 0},
    {"network", "getpeerinfo", getpeerinfo, CC_RPC_NO_ARGS,
     "Returns data about each connected network peer as a json array of "
     "objects.",
     "[...]    of each peer: id, addr, network "
     "(ipv4, ipv6, onion, i2p, cjdns, not_publicly_routable), services, "
     "version, subver, ...",
     "", 0},
    {"network", "ping", ping, CC_RPC_NO_ARGS,
     "Requests that a ping be sent to all other nodes, to measure ping "
     "time.\nResults provided in getpeerinfo, pingtime and pingwait fields "
     "are decimal seconds.",
     "null", "", 0},
    {"network", "setnetworkactive", setnetworkactive, CC_RPC_ARGS(active_args),
     "Disable/enable all p2p network activity.",
     "true|false    (boolean) The value that was passed in", "true", 0},
    {"blockchain", "getblockfrompeer", getblockfrompeer,
     CC_RPC_ARGS(frompeer_args),
     "Attempt to fetch block from a given peer. The header must be known.",
     "{}    (empty json object)", "\"blockhash\" 0", 0},
    {"hidden", "addconnection", addconnection, CC_RPC_ARGS(addconnection_args),
     "Open an outbound connection to a specified node. This RPC is for "
     "testing only.",
     "{...}    address, connection_type", NULL, CC_RPC_HIDDEN},
    {"hidden", "sendmsgtopeer", sendmsgtopeer, CC_RPC_ARGS(send_args),
     "Send a p2p message to a peer specified by id.\nThe message type and body "
     "must be provided, the message header will be generated.\nThis RPC is "
     "for testing only.",
     "{}    (empty json object)", NULL, CC_RPC_HIDDEN},
};

void cc_rpc_register_network(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
