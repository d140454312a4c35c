/* control: the daemon itself. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/ec.h"
#include "net/net.h"
#include "rpc/families.h"
#include "rpc/internal.h"
#include "util/args.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/log.h"
#include "util/mem.h"

/* [method, position, name, a string as it is], for each name of an argument.
 * echojson stands there as echo does, whose arguments it has. */
static void add_conversion(json_t *out, const char *method, size_t position,
                           const struct cc_rpc_arg *a)
{
    bool is_string = a->type == CC_RPC_STR || a->type == CC_RPC_HEX ||
                     a->plain || !strcmp(method, "echojson");
    const char *name = a->name;

    while (*name) {
        size_t n = strcspn(name, "|");
        json_t *row = json_array();

        json_array_append_new(row, json_string(method));
        json_array_append_new(row, json_integer((json_int_t)position));
        json_array_append_new(row, json_stringn(name, n));
        json_array_append_new(row, json_boolean(is_string));
        json_array_append_new(out, row);
        name += n;
        name += *name == '|';
    }
    for (size_t i = 0; i < a->inner_count; i++)
        add_conversion(out, method, position, &a->inner[i]);
}

static void add_conversions(void *arg, const struct cc_rpc_method *m)
{
    for (size_t i = 0; i < m->arg_count; i++)
        add_conversion(arg, m->name, i, &m->args[i]);
}

static json_t *help(struct cc_rpc_call *call)
{
    const char *name = cc_rpc_str(call, 0, NULL);
    json_t *result;
    char *text;

    if (name && !strcmp(name, "dump_all_command_conversions")) {
        result = json_array();
        cc_rpc_each(call->env->rpc, add_conversions, result);
        return result;
    }
    text = cc_rpc_help(call->env->rpc, name);
    if (!text)
        text = cc_asprintf("help: unknown command: %s", name);
    result = json_string(text);
    free(text);
    return result ? result : json_string("help: unknown command");
}

static json_t *stop(struct cc_rpc_call *call)
{
    int wait_ms = 0;
    struct timespec wait;
    char text[32];

    if (!cc_rpc_get_int32(call, 0, &wait_ms))
        return NULL;
    call->env->stop(call->env->stop_arg);
    if (wait_ms > 0 && wait_ms <= 60000) {
        wait =
            (struct timespec){wait_ms / 1000, (long)(wait_ms % 1000) * 1000000};
        nanosleep(&wait, NULL);
    }
    snprintf(text, sizeof(text), "%s stopping",
             cc_params_product(call->env->params));
    return json_string(text);
}

static json_t *uptime(struct cc_rpc_call *call)
{
    int64_t ran_ms =
        cc_clock_monotonic_ms() - cc_rpc_started_ms(call->env->rpc);
    int64_t mock = cc_clock_mock(call->env->clock);

    if (mock > 0) /* as far as the mock clock is ahead of our start */
        ran_ms += (mock - cc_clock_now(NULL)) * 1000;
    return json_integer(ran_ms / 1000);
}

static json_t *getrpcinfo(struct cc_rpc_call *call)
{
    json_t *o = json_object();
    char *path =
        cc_fs_join(call->env->chaindir,
                   cc_args_get(call->env->args, "debuglogfile", "debug.log"));

    cc_json_set(o, "active_commands", cc_rpc_active(call->env->rpc));
    cc_json_set_str(o, "logpath", path);
    free(path);
    return o;
}

/* What the allocator says of itself, as XML. */
static json_t *malloc_json(struct cc_rpc_call *call)
{
#ifdef __GLIBC__
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    bool ok = f && malloc_info(0, f) == 0;
    json_t *v = NULL;

    if (f)
        ok = fclose(f) == 0 && ok;
    if (ok)
        v = json_stringn(text, len);
    free(text);
    return v ? v
             : cc_rpc_error(call, CC_RPC_INTERNAL_ERROR,
                            "mallocinfo is not to be had");
#else
    return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                        "mallocinfo mode not available");
#endif
}

/* One chunk is used: what blinds the secrets. */
static json_t *getmemoryinfo(struct cc_rpc_call *call)
{
    const char *mode = cc_rpc_str(call, 0, "stats");
    struct cc_ec_memory m = cc_ec_memory(call->env->ec);
    json_t *o, *locked;

    if (!strcmp(mode, "mallocinfo"))
        return malloc_json(call);
    if (strcmp(mode, "stats") != 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER, "unknown mode %s",
                            mode);
    o = json_object();
    locked = json_object();
    cc_json_set(locked, "used", cc_json_u64(m.used));
    cc_json_set(locked, "free", cc_json_u64(m.total - m.used));
    cc_json_set(locked, "total", cc_json_u64(m.total));
    cc_json_set(locked, "locked", cc_json_u64(m.locked));
    cc_json_set_int(locked, "chunks_used", 1);
    cc_json_set_int(locked, "chunks_free", m.total > m.used);
    cc_json_set(o, "locked", locked);
    return o;
}

/* Adds up the bits of an array of names; false and error for an unknown. */
static bool log_bits(struct cc_rpc_call *call, const json_t *names,
                     uint32_t *bits)
{
    *bits = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name;
        uint32_t bit;

        if (!cc_rpc_get_str(call, json_array_get(names, i), &name))
            return false;
        bit = *name ? cc_log_category_find(name) : 0;
        if (!bit) {
            cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                         "unknown logging category %s", name);
            return false;
        }
        *bits |= bit;
    }
    return true;
}

static json_t *logging(struct cc_rpc_call *call)
{
    struct cc_log *log = call->env->log;
    uint32_t on = cc_log_categories(log), bits;
    const char *sorted[32];
    size_t count;
    json_t *o;

    if (!log_bits(call, cc_rpc_arg(call, 0), &bits))
        return NULL;
    on |= bits;
    if (!log_bits(call, cc_rpc_arg(call, 1), &bits))
        return NULL;
    on &= ~bits;
    cc_log_set_categories(log, on);
    o = json_object();
    count = cc_log_category_list(sorted, call->env->params->storage_active);
    for (size_t i = 0; i < count; i++)
        cc_json_set_bool(o, sorted[i],
                         (on & cc_log_category_find(sorted[i])) != 0);
    return o;
}

#define MAX_TIME 9223372036LL /* seconds whose nanoseconds an int64 holds */

static json_t *setmocktime(struct cc_rpc_call *call)
{
    int64_t t = 0;

    if (strcmp(call->env->params->name, "regtest") != 0)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "setmocktime is for regression testing (-regtest "
                            "mode) only");
    if (!cc_rpc_get_int(call, 0, &t))
        return NULL;
    if (t < 0)
        return cc_rpc_error(call, CC_RPC_INVALID_PARAMETER,
                            "Mocktime cannot be negative: %lld.", (long long)t);
    if (t > MAX_TIME)
        return cc_rpc_error(
            call, CC_RPC_INVALID_PARAMETER,
            "Mocktime must be in the range [0, %lld], not %lld.", MAX_TIME,
            (long long)t);
    cc_clock_set_mock(call->env->clock, t);
    return json_null();
}

/* What is done now and then is done sooner: of the node's jobs the one that
 * tests wait for, offering anew what no peer has asked for. */
static json_t *mockscheduler(struct cc_rpc_call *call)
{
    int64_t seconds = 0;

    if (strcmp(call->env->params->name, "regtest") != 0)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "mockscheduler is for regression testing (-regtest "
                            "mode) only");
    if (!cc_rpc_get_int(call, 0, &seconds))
        return NULL;
    if (seconds <= 0 || seconds > 3600)
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "delta_time must be between 1 and 3600 seconds (1 "
                            "hr)");
    cc_net_forward(call->env->net, seconds);
    return json_null();
}

/* There is one process: it answers itself. */
static json_t *echoipc(struct cc_rpc_call *call)
{
    return json_incref(cc_rpc_arg(call, 0));
}

static json_t *echo(struct cc_rpc_call *call)
{
    /* Bitcoin Core's tests look at how an internal bug is told. */
    if (!strcmp(cc_rpc_str(call, 9, ""), "trigger_internal_bug"))
        return cc_rpc_error(call, CC_RPC_MISC_ERROR,
                            "Internal bug detected: request.params[9].get_str()"
                            " != \"trigger_internal_bug\"");
    return json_incref(call->params);
}

static const struct cc_rpc_arg help_args[] = {
    CC_ARG("command", CC_RPC_STR, "all commands", "The command to get help on"),
};
static const struct cc_rpc_arg stop_args[] = {
    {.name = "wait",
     .type = CC_RPC_NUM,
     .fallback = "",
     .help = "how long to wait in ms",
     .hidden = true},
};
static const struct cc_rpc_arg memory_args[] = {
    CC_ARG("mode", CC_RPC_STR, "\"stats\"",
           "determines what kind of information is returned."),
};
static const struct cc_rpc_arg logging_args[] = {
    CC_ARG_AS("include", CC_RPC_ARR, "",
              "The categories to add to debug logging",
              "[\"include_category\",...]"),
    CC_ARG_AS("exclude", CC_RPC_ARR, "",
              "The categories to remove from debug logging",
              "[\"exclude_category\",...]"),
};
static const struct cc_rpc_arg mocktime_args[] = {
    CC_ARG("timestamp", CC_RPC_NUM, NULL,
           "Unix epoch time in seconds; 0 goes back to the real time"),
};
static const struct cc_rpc_arg scheduler_args[] = {
    CC_ARG("delta_time", CC_RPC_NUM, NULL,
           "Number of seconds to forward the scheduler into the future."),
};
static const struct cc_rpc_arg ipc_args[] = {
    CC_ARG("arg", CC_RPC_STR, NULL, "The string to echo"),
};
static const struct cc_rpc_arg echo_args[] = {
    CC_ARG("arg0", CC_RPC_ANY, "", ""), CC_ARG("arg1", CC_RPC_ANY, "", ""),
    CC_ARG("arg2", CC_RPC_ANY, "", ""), CC_ARG("arg3", CC_RPC_ANY, "", ""),
    CC_ARG("arg4", CC_RPC_ANY, "", ""), CC_ARG("arg5", CC_RPC_ANY, "", ""),
    CC_ARG("arg6", CC_RPC_ANY, "", ""), CC_ARG("arg7", CC_RPC_ANY, "", ""),
    CC_ARG("arg8", CC_RPC_ANY, "", ""), CC_ARG("arg9", CC_RPC_ANY, "", ""),
};
/* The same, but the command line hands its words on as they are. */
static const struct cc_rpc_arg echo_plain_args[] = {
    {.name = "arg0", .fallback = "", .help = "", .plain = true},
    {.name = "arg1", .fallback = "", .help = "", .plain = true},
    {.name = "arg2", .fallback = "", .help = "", .plain = true},
    {.name = "arg3", .fallback = "", .help = "", .plain = true},
    {.name = "arg4", .fallback = "", .help = "", .plain = true},
    {.name = "arg5", .fallback = "", .help = "", .plain = true},
    {.name = "arg6", .fallback = "", .help = "", .plain = true},
    {.name = "arg7", .fallback = "", .help = "", .plain = true},
    {.name = "arg8", .fallback = "", .help = "", .plain = true},
    {.name = "arg9", .fallback = "", .help = "", .plain = true},
};

/* On Bitcoin's chain nothing is about storage. */
#define LOGGING(extension, storage, wallet)                                    \
    "Gets and sets the logging configuration: adds and removes categories of " \
    "debug logging,\nthen tells which are on.\nThe valid logging categories "  \
    "are: addrman, bench, blockstorage, cmpctblock, coindb, "                  \
    "estimatefee, " extension                                                  \
    "http, i2p, ipc, leveldb, libevent, mempool, mempoolrej, net, "            \
    "proxy, prune, qt, rand, reindex, rpc, scan, selectcoins, " storage        \
    "tor, txpackages, txreconciliation, util, validation, " wallet             \
    "walletdb, "                                                               \
    "zmq\nIn addition, \"all\" and \"1\" are all of them."

static const struct cc_rpc_method methods[] = {
    {"control", "getmemoryinfo", getmemoryinfo, CC_RPC_ARGS(memory_args),
     "Returns an object containing information about memory usage.",
     "{...}    locked: used, free, total, locked, chunks_used, chunks_free; "
     "with mode \"mallocinfo\": what the allocator says, as XML",
     "", 0},
    {"control", "getrpcinfo", getrpcinfo, CC_RPC_NO_ARGS,
     "Returns details of the RPC server.",
     "{...}    active_commands (method and duration in microseconds of each), "
     "logpath",
     "", 0},
    {"control", "help", help, CC_RPC_ARGS(help_args),
     "List all commands, or get help for a specified command.",
     "\"str\"    (string) The help text", "getblock", 0},
    {"control", "logging", logging, CC_RPC_ARGS(logging_args),
     LOGGING("", "", ""),
     "{...}    (json object) of each category whether it is on",
     "'[\"all\"]' '[\"http\"]'", 0},
    /* takes its place where storage is active */
    {"control", "logging", logging, CC_RPC_ARGS(logging_args),
     LOGGING("extension, ", "storage, ", "wallet, "),
     "{...}    (json object) of each category whether it is on",
     "'[\"all\"]' '[\"http\"]'", CC_RPC_STORAGE_ONLY},
    {"control", "stop", stop, CC_RPC_ARGS(stop_args),
     "Request a graceful shutdown of CloudCoin.",
     "\"str\"    (string) A string with the content 'CloudCoin stopping'", "",
     0},
    {"control", "uptime", uptime, CC_RPC_NO_ARGS,
     "Returns the total uptime of the server.",
     "n    (numeric) The number of seconds that the server has been running",
     "", 0},
    {"hidden", "echo", echo, CC_RPC_ARGS(echo_plain_args),
     "Simply echo back the input arguments. This command is for testing.",
     "[...]    the arguments", NULL, CC_RPC_HIDDEN},
    {"hidden", "echojson", echo, CC_RPC_ARGS(echo_args),
     "Simply echo back the input arguments, which the command line reads as "
     "JSON. This command is for testing.",
     "[...]    the arguments", NULL, CC_RPC_HIDDEN},
    {"hidden", "echoipc", echoipc, CC_RPC_ARGS(ipc_args),
     "Echo back the input argument, passing it through a spawned process in a "
     "multiprocess build.\nThis command is for testing.",
     "\"str\"    (string) The echoed string.", NULL, CC_RPC_HIDDEN},
    {"hidden", "mockscheduler", mockscheduler, CC_RPC_ARGS(scheduler_args),
     "Bump the scheduler into the future (-regtest only)", "null", NULL,
     CC_RPC_HIDDEN},
    {"hidden", "setmocktime", setmocktime, CC_RPC_ARGS(mocktime_args),
     "Set the local time to given timestamp (-regtest only)", "null", NULL,
     CC_RPC_HIDDEN},
};

void cc_rpc_register_control(struct cc_rpc *rpc, bool storage)
{
    cc_rpc_register(rpc, methods, sizeof(methods) / sizeof(methods[0]),
                    storage);
}
