/* Which peers are reached and how, and how much they are given. */
#include <inttypes.h>
#include <stdlib.h>

#include "net/reach.h"
#include "node_options.h"

/* A number and a unit, small letters for powers of 1000, capital ones for
 * powers of 1024; without a unit: MiB. */
static bool parse_bytes(const char *text, uint64_t *out)
{
    static const char units[] = "kKmMgGtT";
    uint64_t factor = 1 << 20, n;
    const char *unit;
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    n = strtoull(text, &end, 10);
    unit = *end ? strchr(units, *end) : NULL;
    if (*end && (!unit || end[1]))
        return false;
    if (unit) {
        factor = 1;
        for (int i = (int)(unit - units) / 2; i >= 0; i--)
            factor *= (unit - units) % 2 ? 1024 : 1000;
    }
    return !__builtin_mul_overflow(n, factor, out);
}

static unsigned small_number(const struct cc_args *args, const char *name,
                             int64_t otherwise, unsigned most)
{
    int64_t n = cc_args_get_int(args, name, otherwise);

    return n < 0 ? 0 : n > most ? most : (unsigned)n;
}

/* Seeds are asked over IP, and know addresses of IP. */
static bool reaches_internet(const struct cc_net_options *o)
{
    for (size_t i = 0; i < o->onlynet_count; i++) {
        unsigned n = cc_reach_network(o->onlynet[i]);

        if (n == CC_NET_IPV4 || n == CC_NET_IPV6)
            return true;
    }
    return !o->onlynet_count;
}

enum cc_status cc_option_reach(const struct cc_args *args,
                               struct cc_net_options *out,
                               struct cc_net_lists *lists, struct cc_error *err)
{
    const char *target = cc_args_get(args, "maxuploadtarget", "0");
    struct cc_reach reach;

    lists->list[7] = cc_option_list(args, "onlynet", &out->onlynet_count);
    out->onlynet = lists->list[7];
    out->proxy = cc_args_get(args, "proxy", NULL);
    out->onion = cc_args_get(args, "onion", NULL);
    out->i2p_sam = cc_args_get(args, "i2psam", NULL);
    out->i2p_accept = cc_args_get_bool(args, "i2pacceptincoming", out->listen);
    out->listen_onion = cc_args_get_bool(args, "listenonion", false);
    out->tor_control = cc_args_get(args, "torcontrol", NULL);
    out->tor_password = cc_args_get(args, "torpassword", NULL);
    if (out->listen_onion && !out->listen)
        return cc_fail(err, CC_INVALID,
                       "Cannot set -listen=0 together with -listenonion=1");
    out->proxy_plain = !cc_args_get_bool(args, "proxyrandomize", true);
    out->no_dns = !cc_args_get_bool(args, "dns", true);
    out->cjdns_reachable = cc_args_get_bool(args, "cjdnsreachable", false);
    out->dns_seed_set = cc_args_is_set(args, "dnsseed");
    out->dns_seed =
        cc_args_get_bool(args, "dnsseed",
                         !out->connect_count && !out->connect_none &&
                             out->max_connections > 0 && reaches_internet(out));
    out->fixed_seeds = cc_args_get_bool(args, "fixedseeds", true);
    out->force_dns_seed = cc_args_get_bool(args, "forcednsseed", false);
    if (out->force_dns_seed && out->dns_seed_set && !out->dns_seed)
        return cc_fail(err, CC_INVALID,
                       "Cannot set -forcednsseed to true when setting "
                       "-dnsseed to false.");
    /* Nobody is told of an address that the proxy is there to hide. */
    out->discover = cc_args_get_bool(
        args, "discover",
        out->listen && !out->external_ip_count &&
            (!out->proxy || !*out->proxy || !strcmp(out->proxy, "0")));
    if (!cc_args_is_negated(args, "asmap"))
        out->asmap = cc_args_get(args, "asmap", NULL);
    out->capture = cc_args_get_bool(args, "capturemessages", false);
    out->check_book = cc_args_get_int(args, "checkaddrman", 0) > 0;
    if (!parse_bytes(target, &out->max_upload_bytes))
        return cc_fail(err, CC_INVALID,
                       "Unable to parse -maxuploadtarget: '%s'", target);
    out->max_orphans = small_number(args, "maxorphantx", 100, 100000);
    out->extra_txs =
        small_number(args, "blockreconstructionextratxn", 100, 100000);
    return cc_reach_init(&reach, out, err);
}
