#include "chain_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "node_options.h"
#include "util/fs.h"
#include "util/hex.h"
#include "util/log.h"

/* As bitcoind reads a number of 256 bits: highest digit first, as many as
 * there are, of which the last 64 count. False: another character follows. */
static bool read_number(uint8_t le[32], const char *text)
{
    char digits[65];
    size_t n;

    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        text += 2;
    n = strspn(text, "0123456789abcdefABCDEF");
    memset(digits, '0', 64);
    digits[64] = '\0';
    if (n > 64)
        memcpy(digits, text + n - 64, 64);
    else
        memcpy(digits + 64 - n, text, n);
    return cc_hex_decode_rev(le, 32, digits) && n && !text[n];
}

enum cc_status cc_option_min_work(const struct cc_args *args,
                                  struct cc_params *params,
                                  struct cc_chain_options *own,
                                  struct cc_error *err)
{
    const char *text = cc_args_get(args, "minimumchainwork", NULL);
    uint8_t le[32];

    own->usual_work = params->minimum_chain_work;
    if (!text)
        return CC_OK;
    if (!read_number(le, text))
        return cc_fail(err, CC_INVALID,
                       "Invalid non-hex (%s) minimum chain work value "
                       "specified",
                       text);
    params->minimum_chain_work = cc_u256_from_le(le);
    return CC_OK;
}

#define MIN_PRUNE_MIB 550

static enum cc_status prune_options(const struct cc_args *args,
                                    struct cc_chain_config *out,
                                    struct cc_error *err)
{
    int64_t mib = cc_args_get_int(args, "prune", 0);
    bool main_chain = !strcmp(out->params->name, "main");

    out->small_files = cc_args_get_bool(args, "fastprune", false);
    out->prune_after = main_chain ? 100000 : out->small_files ? 100 : 1000;
    if (mib < 0)
        return cc_fail(err, CC_INVALID,
                       "Prune cannot be configured with a negative value.");
    if (!mib)
        return CC_OK;
    if (mib != 1 && mib < MIN_PRUNE_MIB)
        return cc_fail(err, CC_INVALID,
                       "Prune configured below the minimum of %d MiB.  Please "
                       "use a higher number.",
                       MIN_PRUNE_MIB);
    if (cc_args_get_bool(args, "txindex", false))
        return cc_fail(err, CC_INVALID,
                       "Prune mode is incompatible with -txindex.");
    if (cc_args_get_bool(args, "reindex-chainstate", false))
        return cc_fail(err, CC_INVALID,
                       "Prune mode is incompatible with -reindex-chainstate. "
                       "Use full -reindex instead.");
    out->prune = true;
    if (mib != 1)
        out->prune_target =
            (uint64_t)(mib > INT64_C(1) << 40 ? INT64_C(1) << 40 : mib) << 20;
    return CC_OK;
}

void cc_chain_options_clear(struct cc_chain_options *own)
{
    free(own->blocks);
    own->blocks = NULL;
}

static enum cc_status blocks_option(const struct cc_args *args,
                                    struct cc_chain_options *own,
                                    struct cc_chain_config *out,
                                    struct cc_error *err)
{
    const char *dir = cc_args_get(args, "blocksdir", NULL);
    char *below;

    if (!dir)
        return CC_OK;
    if (!cc_fs_is_dir(dir))
        return cc_fail(err, CC_INVALID,
                       "Specified blocks directory \"%s\" does not exist.",
                       dir);
    below = cc_fs_join(dir, out->params->directory);
    own->blocks = cc_fs_join(below, "blocks");
    free(below);
    out->blocks_directory = own->blocks;
    return CC_OK;
}

/* A bare -checkblockindex is 1. */
static uint64_t check_index_option(const struct cc_args *args)
{
    const char *text = cc_args_get(args, "checkblockindex", "0");
    int64_t n = cc_args_get_int(args, "checkblockindex", 0);

    return !*text ? 1 : n > 0 ? (uint64_t)n : 0;
}

enum cc_status cc_option_chain(const struct cc_args *args,
                               struct cc_chain_options *own,
                               struct cc_chain_config *out,
                               struct cc_error *err)
{
    static const uint8_t nothing[32];
    int64_t cache = cc_args_get_int(args, "dbcache", 450);
    int64_t check = cc_args_get_int(args, "checkblocks", 6);
    int64_t level = cc_args_get_int(args, "checklevel", CC_VERIFY_COINS);
    int64_t batch = cc_args_get_int(args, "dbbatchsize", 0);
    int64_t height = cc_args_get_int(args, "stopatheight", 0);
    enum cc_status st = prune_options(args, out, err);

    if (st == CC_OK)
        st = blocks_option(args, own, out, err);
    if (st != CC_OK)
        return st;
    out->threads = cc_option_threads(args);
    out->stop_height =
        height > 0 && height <= UINT32_MAX ? (uint32_t)height : 0;
    out->max_tip_age_s = cc_option_time(args, "maxtipage", 24 * 60 * 60);
    cache = cache < 4 ? 4 : cache > 16384 ? 16384 : cache;
    out->cache_bytes = (size_t)cache << 20;
    out->check_blocks = check > 0 && check < UINT32_MAX ? (uint32_t)check
                                                        : UINT32_MAX; /* all */
    out->check_level = level < 0 ? CC_VERIFY_READ
                       : level > CC_VERIFY_CONNECT
                           ? CC_VERIFY_CONNECT
                           : (enum cc_verify_level)level;
    out->check_index = check_index_option(args);
    out->batch_bytes = batch > 0 ? (uint64_t)batch : 0;
    out->reindex = cc_args_get_bool(args, "reindex", false);
    out->reindex_chainstate =
        cc_args_get_bool(args, "reindex-chainstate", false);
    read_number(own->assume_valid, cc_args_get(args, "assumevalid", "0"));
    out->assume_valid =
        memcmp(own->assume_valid, nothing, 32) != 0 ? own->assume_valid : NULL;
    return CC_OK;
}

uint64_t cc_option_crash_ratio(const struct cc_args *args)
{
    int64_t n = cc_args_get_int(args, "dbcrashratio", 0);

    return n > 0 ? (uint64_t)n : 0;
}

static void log_work(struct cc_log *log, const char *what,
                     const struct cc_u256 *work)
{
    uint8_t be[32];
    char hex[65];

    cc_u256_to_be(be, work);
    cc_hex_encode(hex, be, 32);
    cc_log(log, "%s%s", what, hex);
}

void cc_option_chain_log(const struct cc_chain_config *config,
                         const struct cc_chain_options *own)
{
    const struct cc_u256 *work = &config->params->minimum_chain_work;
    struct cc_log *log = config->log;
    char hex[65];

    cc_log(log, "Script verification uses %u additional threads",
           config->threads);
    if (config->prune && config->prune_target)
        cc_log(log,
               "Prune configured to target %" PRIu64
               " MiB on disk for block and undo files.",
               config->prune_target >> 20);
    else if (config->prune)
        cc_log(log, "Block pruning enabled.  Use RPC call "
                    "pruneblockchain(height) to manually prune block and undo "
                    "files.");
    if (config->assume_valid) {
        cc_hex_encode_rev(hex, config->assume_valid, 32);
        cc_log(log, "Assuming ancestors of block %s have valid signatures.",
               hex);
    } else {
        cc_log(log, "Validating signatures for all blocks.");
    }
    log_work(log, "Setting nMinimumChainWork=", work);
    if (cc_u256_cmp(work, &own->usual_work) < 0)
        log_work(log, "Warning: nMinimumChainWork set below default value of ",
                 &own->usual_work);
}

enum cc_status cc_option_filters(const struct cc_args *args, bool *keep,
                                 bool *serve, struct cc_error *err)
{
    const char *value = cc_args_get(args, "blockfilterindex", "0");

    *keep = strcmp(value, "0") != 0;
    for (size_t i = 0; *keep && *value && strcmp(value, "1"); i++) {
        const char *name = cc_args_get_nth(args, "blockfilterindex", i);

        if (!name)
            break;
        if (strcmp(name, "basic"))
            return cc_fail(err, CC_INVALID,
                           "Unknown -blockfilterindex value %s.", name);
    }
    *serve = cc_args_get_bool(args, "peerblockfilters", false);
    if (*serve && !*keep)
        return cc_fail(err, CC_INVALID,
                       "Cannot set -peerblockfilters without "
                       "-blockfilterindex.");
    return CC_OK;
}
