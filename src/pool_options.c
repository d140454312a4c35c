/* Options of the pool, of policy and of blocks made here. */
#include <string.h>

#include "mempool/policy.h"
#include "node_options.h"

#define MAX_MEGABYTES (1 << 20)
#define BLOCKS_ONLY_MEGABYTES 5

/* No more than a pool could ever hold. */
#define MAX_KNOWN_MIB 16384

static size_t option_size(const struct cc_args *args, const char *name,
                          int64_t otherwise, int64_t unit)
{
    int64_t n = cc_args_get_int(args, name, otherwise);

    return n < 0 || n > INT64_MAX / 2 / unit ? SIZE_MAX / 4
                                             : (size_t)(n * unit);
}

/* Room for many of the largest families, or one of them could push out all. */
static enum cc_status option_room(const struct cc_args *args,
                                  struct cc_mempool_config *out,
                                  struct cc_error *err)
{
    bool silent = cc_args_get_bool(args, "blocksonly", false);
    int64_t megabytes = cc_args_get_int(args, "maxmempool",
                                        silent ? BLOCKS_ONLY_MEGABYTES : 300);
    size_t least = out->descendant_size_limit < SIZE_MAX / 80
                       ? out->descendant_size_limit * 40
                       : SIZE_MAX / 2;

    if (megabytes < 0 ||
        (megabytes <= MAX_MEGABYTES && (size_t)megabytes * 1000000 < least))
        return cc_fail(err, CC_INVALID, "-maxmempool must be at least %zu MB",
                       (least + 999999) / 1000000);
    if (megabytes > MAX_MEGABYTES)
        megabytes = MAX_MEGABYTES;
    out->max_bytes = (size_t)megabytes * 1000000;
    return CC_OK;
}

static enum cc_status option_feerates(const struct cc_args *args, cc_amount max,
                                      struct cc_mempool_config *out,
                                      struct cc_error *err)
{
    enum cc_status st;

    out->min_relay_feerate = CC_OPTION_MIN_RELAY;
    out->incremental_feerate = 1000;
    out->dust_feerate = 3000;
    out->block_min_feerate = 1000;
    st = cc_option_amount(args, "incrementalrelayfee", max,
                          &out->incremental_feerate, err);
    if (st == CC_OK && out->min_relay_feerate < out->incremental_feerate)
        out->min_relay_feerate = out->incremental_feerate;
    if (st == CC_OK)
        st = cc_option_amount(args, "minrelaytxfee", max,
                              &out->min_relay_feerate, err);
    if (st == CC_OK)
        st = cc_option_amount(args, "dustrelayfee", max, &out->dust_feerate,
                              err);
    if (st == CC_OK)
        st = cc_option_amount(args, "blockmintxfee", max,
                              &out->block_min_feerate, err);
    return st;
}

static void option_blocks(const struct cc_args *args,
                          struct cc_mempool_config *out)
{
    const int64_t most = 3996000;
    int64_t weight = cc_args_get_int(args, "blockmaxweight", most);

    out->block_max_weight = (size_t)(weight < 4000   ? 4000
                                     : weight > most ? most
                                                     : weight);
    out->block_version = (int32_t)cc_args_get_int(args, "blockversion", 0);
    out->print_priority = cc_args_get_bool(args, "printpriority", false);
}

/* -checkmempool; on test chains all is looked at, within reason. */
static void option_check(const struct cc_args *args,
                         const struct cc_params *params,
                         struct cc_mempool_config *out)
{
    int64_t n =
        cc_args_get_int(args, "checkmempool", !strcmp(params->name, "regtest"));

    out->check = n < 0 ? 0 : (uint64_t)n;
    out->check_bounded = !cc_args_is_set(args, "checkmempool");
}

enum cc_status cc_option_mempool(const struct cc_args *args,
                                 const struct cc_params *params,
                                 struct cc_mempool_config *out,
                                 struct cc_error *err)
{
    bool carrier = cc_args_get_bool(args, "datacarrier", true);
    int64_t known;
    size_t sigop;
    enum cc_status st;

    out->ancestor_limit =
        (unsigned)cc_args_get_int(args, "limitancestorcount", 25);
    out->descendant_limit =
        (unsigned)cc_args_get_int(args, "limitdescendantcount", 25);
    out->ancestor_size_limit =
        option_size(args, "limitancestorsize", 101, 1000);
    out->descendant_size_limit =
        option_size(args, "limitdescendantsize", 101, 1000);
    st = option_room(args, out, err);
    if (st == CC_OK)
        st = option_feerates(args, params->max_money, out, err);
    if (st != CC_OK)
        return st;
    out->expiry_s = cc_option_time(args, "mempoolexpiry", 336) * 3600;
    sigop = option_size(args, "bytespersigop", CC_BYTES_PER_SIGOP, 1);
    out->bytes_per_sigop = sigop > UINT32_MAX ? UINT32_MAX : (unsigned)sigop;
    out->require_standard = !cc_args_get_bool(args, "acceptnonstdtxn", false);
    if (!strcmp(params->name, "main") && !out->require_standard)
        return cc_fail(err, CC_INVALID,
                       "acceptnonstdtxn is not currently supported for main "
                       "chain");
    out->full_rbf = cc_args_get_bool(args, "mempoolfullrbf", false);
    out->bare_multisig = cc_args_get_bool(args, "permitbaremultisig", true);
    out->datacarrier_bytes =
        carrier ? option_size(args, "datacarriersize", 83, 1) : 0;
    option_blocks(args, out);
    option_check(args, params, out);
    known = cc_args_get_int(args, "maxsigcachesize", 32);
    known = known < 0 ? 0 : known > MAX_KNOWN_MIB ? MAX_KNOWN_MIB : known;
    out->known_bytes = (size_t)known << 20;
    out->persist_v1 = cc_args_get_bool(args, "persistmempoolv1", false);
    return CC_OK;
}
