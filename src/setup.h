/*
 * setup.h: what daemon and command line do alike before anything else: read
 * the options, find the data folder, its configuration file and the chain.
 */
#ifndef CC_SETUP_H
#define CC_SETUP_H

#include "consensus/params.h"
#include "util/args.h"
#include "util/error.h"

struct cc_setup {
    struct cc_args *args;
    const struct cc_params *params; /* NULL until the chain is known */
    bool bitcoin;                   /* -bitcoin */
    char *datadir;                  /* absolute */
    char *first_datadir;            /* before the file named another */
    char *chaindir;                 /* <datadir>/<folder of the chain> */
    char *conf;                     /* the configuration file, there or not */
    int rest;                       /* first word that is no option */
};

/* options: the table of struct cc_arg_option. argv without the program. The
 * data folder must exist if it was named; nothing is made here. err's text is
 * fit for "Error: %s". With -help or -version among the options, it stops
 * after reading the command line, params being NULL. */
enum cc_status cc_setup_load(struct cc_setup *s,
                             const struct cc_arg_option *options, size_t count,
                             int argc, char **argv, bool words,
                             struct cc_error *err);
/* A configuration file in a data folder that another file named, which its
 * owner may think is read: an error, or with -allowignoredconf a warning. */
enum cc_status cc_setup_check_conf(const struct cc_setup *s,
                                   struct cc_error *err);
void cc_setup_clear(struct cc_setup *s);

/* A path of an option: absolute, or below the chain's folder. For free. */
char *cc_setup_path(const struct cc_setup *s, const char *path);

/* "CloudCoin version v0.1.0" and who may do what with it. */
const char *cc_setup_version(void);
const char *cc_setup_license(void);

#endif
