#include "setup.h"

#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/fs.h"
#include "util/mem.h"

static char *home_folder(void)
{
    const char *home = getenv("HOME");
    struct passwd *pw;

    if (home && *home)
        return cc_strdup(home);
    pw = getpwuid(getuid());
    return cc_strdup(pw && pw->pw_dir ? pw->pw_dir : "/");
}

static char *absolute(const char *path)
{
    char *here, *full;

    if (path[0] == '/')
        return cc_strdup(path);
    here = getcwd(NULL, 0);
    full = cc_fs_join(here ? here : ".", path);
    free(here);
    return full;
}

/* From -datadir, wherever it was set by now; the default one may be missing:
 * the daemon makes it. */
static enum cc_status find_datadir(struct cc_setup *s, bool by_file,
                                   struct cc_error *err)
{
    const char *given = cc_args_get(s->args, "datadir", "");
    char *home;

    free(s->datadir);
    s->datadir = NULL;
    if (*given) {
        if (!cc_fs_is_dir(given))
            return cc_fail(err, CC_INVALID,
                           by_file ? "Error reading configuration file: "
                                     "specified data directory \"%s\" does "
                                     "not exist."
                                   : "Specified data directory \"%s\" does "
                                     "not exist.",
                           given);
        s->datadir = absolute(given);
        return CC_OK;
    }
    home = home_folder();
    s->datadir = cc_fs_join(home, s->bitcoin ? ".bitcoin" : ".cloudcoin");
    free(home);
    return CC_OK;
}

static enum cc_status read_conf(struct cc_setup *s, struct cc_error *err)
{
    const char *given = cc_args_get(s->args, "conf", NULL);
    enum cc_status st;

    if (cc_args_is_negated(s->args, "conf"))
        given = NULL;
    s->conf = cc_fs_join(s->datadir, given        ? given
                                     : s->bitcoin ? "bitcoin.conf"
                                                  : "cloudcoin.conf");
    if (cc_args_is_negated(s->args, "conf"))
        return CC_OK;
    st = cc_args_read_file(s->args, s->conf, s->datadir, err);
    if (st == CC_NOTFOUND && !given)
        return CC_OK;
    if (st == CC_NOTFOUND || st == CC_IO)
        return cc_fail(err, CC_INVALID,
                       "Error reading configuration file: specified config "
                       "file \"%s\" could not be opened.",
                       s->conf);
    return cc_context(err, st, "Error reading configuration file");
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;

    return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* A file that its owner may think is read, in a data folder that another file
 * named. */
enum cc_status cc_setup_check_conf(const struct cc_setup *s,
                                   struct cc_error *err)
{
    const char *name = s->bitcoin ? "bitcoin.conf" : "cloudcoin.conf";
    const char *given = cc_args_get(s->args, "conf", "");
    bool allowed = cc_args_get_bool(s->args, "allowignoredconf", false);
    char *here = cc_fs_join(s->datadir, name), *source, *text;
    enum cc_status st = CC_OK;

    if (cc_args_is_negated(s->args, "conf") || !cc_fs_exists(here) ||
        same_file(here, s->conf)) {
        free(here);
        return CC_OK;
    }
    source = *given ? cc_asprintf("command line argument \"-conf=%s\"", given)
                    : cc_asprintf("data directory \"%s\"", s->first_datadir);
    text = cc_asprintf(
        "Data directory \"%s\" contains a \"%s\" file which is ignored, "
        "because a different configuration file \"%s\" from %s is being used "
        "instead. Possible ways to address this would be to:\n"
        "- Delete or rename the \"%s\" file in data directory \"%s\".\n"
        "- Change datadir= or conf= options to specify one configuration file, "
        "not two, and use includeconf= to include any other configuration "
        "files.",
        s->datadir, name, s->conf, source, name, s->datadir);
    if (allowed)
        cc_args_warn(s->args, text);
    else
        st = cc_fail(err, CC_INVALID,
                     "%s\n- Set allowignoredconf=1 option to treat this "
                     "condition as a warning, not an error.",
                     text);
    free(text);
    free(source);
    free(here);
    return st;
}

/* What is for tests only, whether we have the chain or not. */
static enum cc_status check_for_chain(const struct cc_args *args,
                                      const char *chain, struct cc_error *err)
{
    if (!strcmp(chain, "main") &&
        cc_args_get_bool(args, "acceptnonstdtxn", false))
        return cc_fail(err, CC_INVALID,
                       "acceptnonstdtxn is not currently supported for %s "
                       "chain",
                       chain);
    if (strcmp(chain, "regtest") != 0 &&
        cc_args_get_bool(args, "acceptstalefeeestimates", false))
        return cc_fail(err, CC_INVALID,
                       "acceptstalefeeestimates is not supported on %s chain.",
                       chain);
    return CC_OK;
}

static enum cc_status find_chain(struct cc_setup *s, struct cc_error *err)
{
    const char *name;
    enum cc_status st = cc_args_chain(s->args, &name, err);

    if (st != CC_OK)
        return st;
    cc_args_select(s->args, name);
    st = check_for_chain(s->args, name, err);
    if (st != CC_OK)
        return st;
    s->params = cc_params_find(name, s->bitcoin);
    if (!s->params && s->bitcoin) /* maybe the wrong file was read */
        st = cc_setup_check_conf(s, err);
    if (st != CC_OK)
        return st;
    if (!s->params && s->bitcoin)
        return cc_fail(err, CC_INVALID,
                       "-bitcoin is there for regtest alone: say -bitcoin "
                       "-regtest");
    if (!s->params)
        return cc_fail(err, CC_INVALID, "Unknown chain %s.", name);
    return CC_OK;
}

enum cc_status cc_setup_load(struct cc_setup *s,
                             const struct cc_arg_option *options, size_t count,
                             int argc, char **argv, bool words,
                             struct cc_error *err)
{
    enum cc_status st;

    memset(s, 0, sizeof(*s));
    s->args = cc_args_new(options, count);
    s->rest = argc;
    st = cc_args_parse(s->args, argc, argv, words ? &s->rest : NULL, err);
    if (st != CC_OK) {
        /* Core words a stray word differently from a wrong option. */
        if (!strncmp(err->text, "Command line", 12))
            return st;
        return cc_context(err, st, "Error parsing command line arguments");
    }
    if (cc_args_get_bool(s->args, "help", false) ||
        cc_args_get_bool(s->args, "h", false) ||
        cc_args_get_bool(s->args, "?", false) ||
        cc_args_get_bool(s->args, "help-debug", false) ||
        cc_args_get_bool(s->args, "version", false))
        return CC_OK;
    s->bitcoin = cc_args_get_bool(s->args, "bitcoin", false);
    st = find_datadir(s, false, err);
    if (st == CC_OK)
        st = read_conf(s, err);
    if (st == CC_OK) {
        s->first_datadir = cc_strdup(s->datadir);
        st = find_datadir(s, true, err); /* it may have named another */
    }
    if (st == CC_OK)
        st = find_chain(s, err);
    if (st == CC_OK)
        s->chaindir = s->params->directory[0]
                          ? cc_fs_join(s->datadir, s->params->directory)
                          : cc_strdup(s->datadir);
    return st;
}

void cc_setup_clear(struct cc_setup *s)
{
    cc_args_free(s->args);
    free(s->datadir);
    free(s->first_datadir);
    free(s->chaindir);
    free(s->conf);
    memset(s, 0, sizeof(*s));
}

char *cc_setup_path(const struct cc_setup *s, const char *path)
{
    return cc_fs_join(s->chaindir, path);
}

const char *cc_setup_version(void) { return "v" PACKAGE_VERSION; }

const char *cc_setup_license(void)
{
    return "Copyright (C) 2026 The CloudCoin developers\n\n"
           "This is free software under the MIT license; see the file "
           "COPYING.\n";
}
