/* Options of the log. */
#include <stdlib.h>

#include "node_options.h"
#include "util/mem.h"

/* bitcoind has it where it was built to look at locks. */
static bool silent_category(const char *name) { return !strcmp(name, "lock"); }

/* -debug and -debugexclude. */
static enum cc_status take_names(const struct cc_args *args, const char *option,
                                 uint32_t *bits, struct cc_error *err)
{
    const char *name;
    uint32_t bit;

    *bits = 0;
    for (size_t i = 0; (name = cc_args_get_nth(args, option, i)); i++) {
        bit = cc_log_category_find(name);
        if (!bit && !silent_category(name))
            return cc_fail(err, CC_INVALID,
                           "Unsupported logging category -%s=%s.", option,
                           name);
        *bits |= bit;
    }
    return CC_OK;
}

static bool wants_none(const struct cc_args *args)
{
    const char *name;

    for (size_t i = 0; (name = cc_args_get_nth(args, "debug", i)); i++)
        if (!strcmp(name, "0") || !strcmp(name, "none"))
            return true;
    return false;
}

/* "info, debug, trace": lines of a category are of the level debug, so only
 * the first makes a difference. False: no level. */
static bool level_of(const char *name, bool *quiet)
{
    *quiet = !strcmp(name, "info");
    return *quiet || !strcmp(name, "debug") || !strcmp(name, "trace");
}

static enum cc_status bad_level(const struct cc_args *args,
                                struct cc_error *err, const char *text)
{
    const char *sorted[32];
    size_t len = 0, count = cc_log_category_list(
                        sorted, !cc_args_get_bool(args, "bitcoin", false));
    char names[400] = "";

    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
                                i ? ", " : "", sorted[i]);
    return cc_fail(err, CC_INVALID,
                   "Unsupported category-specific logging level -loglevel=%s. "
                   "Expected -loglevel=<category>:<loglevel>. Valid "
                   "categories: %s. Valid loglevels: info, debug, trace.",
                   text, names);
}

/* -loglevel=level for all, -loglevel=category:level for one. */
static enum cc_status take_levels(const struct cc_args *args, uint32_t *quiet,
                                  struct cc_error *err)
{
    uint32_t named = 0, hushed = 0, bit;
    const char *text, *colon;
    bool all = false, one;
    char name[32];

    for (size_t i = 0; (text = cc_args_get_nth(args, "loglevel", i)); i++) {
        colon = strchr(text, ':');
        if (!colon) {
            if (!level_of(text, &all))
                return cc_fail(err, CC_INVALID,
                               "Unsupported global logging level -loglevel=%s."
                               " Valid values: info, debug, trace.",
                               text);
            continue;
        }
        snprintf(name, sizeof(name), "%.*s", (int)(colon - text), text);
        bit = cc_log_category_find(name);
        if (!bit || !level_of(colon + 1, &one))
            return bad_level(args, err, text);
        named |= bit;
        hushed = one ? hushed | bit : hushed & ~bit;
    }
    *quiet = all ? hushed | ~named : hushed;
    return CC_OK;
}

enum cc_status cc_option_log(const struct cc_setup *setup,
                             struct cc_log_options *out, char **path,
                             struct cc_error *err)
{
    const struct cc_args *args = setup->args;
    bool background = cc_args_get_bool(args, "daemon", false) ||
                      cc_args_get_bool(args, "daemonwait", false);
    uint32_t excluded = 0;
    enum cc_status st = CC_OK;

    out->categories = 0;
    if (!wants_none(args))
        st = take_names(args, "debug", &out->categories, err);
    if (st == CC_OK)
        st = take_names(args, "debugexclude", &excluded, err);
    if (st == CC_OK)
        st = take_levels(args, &out->quiet, err);
    if (st != CC_OK)
        return st;
    out->categories &= ~excluded;
    *path = NULL;
    if (!cc_args_is_negated(args, "debuglogfile"))
        *path = cc_setup_path(setup,
                              cc_args_get(args, "debuglogfile", "debug.log"));
    out->path = *path;
    out->console = cc_args_get_bool(args, "printtoconsole", !background);
    out->timestamps = cc_args_get_bool(args, "logtimestamps", true);
    out->time_micros = cc_args_get_bool(args, "logtimemicros", false);
    out->thread_names = cc_args_get_bool(args, "logthreadnames", false);
    out->source_locations = cc_args_get_bool(args, "logsourcelocations", false);
    out->shrink =
        cc_args_get_bool(args, "shrinkdebugfile", out->categories == 0);
    return CC_OK;
}
