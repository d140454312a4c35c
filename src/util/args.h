/*
 * args.h: options, as bitcoind reads them.
 *
 * Command line: -name, -name=value, --name=value, -noname (= -name=0). The
 * configuration file: name=value, [section] per chain, '#' comments,
 * includeconf=. The command line wins over settings.json (cc_args_add_saved),
 * that over the chain's section, that over the lines above all sections; of
 * several values on the command line the last
 * counts, in the file the first; a negation on the command line forgets the
 * values before it and hides the file's. Options marked CC_ARG_NETWORK
 * (-port, -bind, -wallet, ...) above all sections count for main only.
 *
 * The program gives a table of known options. Not thread safe while being
 * parsed; read-only afterwards. Strings got from here live as long as the
 * struct.
 */
#ifndef CC_UTIL_ARGS_H
#define CC_UTIL_ARGS_H

#include "util/bytes.h"
#include "util/error.h"

enum cc_arg_flags {
    CC_ARG_NETWORK = 1,   /* above the sections of the file: main only */
    CC_ARG_DEBUG = 2,     /* shown by -help -help-debug only */
    CC_ARG_HIDDEN = 4,    /* never shown */
    CC_ARG_NO_NEGATE = 8, /* -noname is an error */
    CC_ARG_CLI_ONLY = 16, /* not in the file: -conf */
    CC_ARG_SECRET = 32,   /* cc_args_line hides its value */
    CC_ARG_VALUE = 64,    /* -name alone is an error */
};

struct cc_arg_option {
    const char *name;     /* without dash: "rpcport" */
    const char *usage;    /* what stands behind it: "=<port>", or "" */
    const char *category; /* heading: "Connection options:" */
    const char *help;
    unsigned flags;
};

struct cc_args;

/* options is borrowed for ever; the first of each category fixes the order of
 * headings. */
struct cc_args *cc_args_new(const struct cc_arg_option *options, size_t count);
void cc_args_free(struct cc_args *a);

/* argv without the program's name. Stops at the first word without a dash
 * (or at "-"): *rest (may be NULL: then such a word is an error) is its
 * index, argc if there is none. */
enum cc_status cc_args_parse(struct cc_args *a, int argc, char **argv,
                             int *rest, struct cc_error *err);

/* Which section of the file counts: "main", "test", "regtest". Set before
 * options marked CC_ARG_NETWORK are read. */
void cc_args_select(struct cc_args *a, const char *section);

/* The chain that -chain, -testnet, -signet and -regtest choose: "main" without
 * any. If several do: CC_INVALID, with bitcoind's sentence. *name lives as long
 * as a. */
enum cc_status cc_args_chain(const struct cc_args *a, const char **name,
                             struct cc_error *err);

/* The configuration file. Its includeconf lines, at the top and in the section
 * of the chain it or the command line chooses, are read after it, and relative
 * ones are looked for in
 * directory. CC_NOTFOUND if path is not there. Unknown names become warnings.
 */
enum cc_status cc_args_read_file(struct cc_args *a, const char *path,
                                 const char *directory, struct cc_error *err);
/* The same from memory (path is for messages). */
enum cc_status cc_args_read_text(struct cc_args *a, const char *text,
                                 size_t len, const char *path,
                                 const char *directory, struct cc_error *err);
/* One more sentence for cc_args_warning. */
void cc_args_warn(struct cc_args *a, const char *text);
/* Option name as settings.json has it: weaker than the command line, stronger
 * than the file; of several values the last counts. json: for the log. A name
 * that is no option becomes a warning. */
void cc_args_add_saved(struct cc_args *a, const char *name,
                       const char *const *values, size_t count, bool negated,
                       const char *json);
/* Sentence i, NULL past the last. */
const char *cc_args_warning(const struct cc_args *a, size_t i);

bool cc_args_is_set(const struct cc_args *a, const char *name);
bool cc_args_is_negated(const struct cc_args *a, const char *name);
/* The deciding value; "0" when negated, "" for a bare -name; otherwise,
 * if not set. */
const char *cc_args_get(const struct cc_args *a, const char *name,
                        const char *otherwise);
/* As bitcoind: leading digits count, what is no number is 0. */
int64_t cc_args_get_int(const struct cc_args *a, const char *name,
                        int64_t otherwise);
/* "" and numbers other than 0 are true. */
bool cc_args_get_bool(const struct cc_args *a, const char *name,
                      bool otherwise);
/* Value i of all (command line first, then section, then top); NULL past the
 * last. None when negated. */
const char *cc_args_get_nth(const struct cc_args *a, const char *name,
                            size_t i);
/* -name=value if it is not set in any way. */
void cc_args_soft_set(struct cc_args *a, const char *name, const char *value);
/* -name=value over everything (tests, -regtest to -chain). */
void cc_args_force(struct cc_args *a, const char *name, const char *value);

/* Network options that stand above the sections, count for main only and so
 * are ignored now: name i, NULL past the last. For bitcoind's warning. */
const char *cc_args_ignored(const struct cc_args *a, size_t i);
/* "file:line Section [moon] is not recognized." for section i of the file that
 * no chain has; NULL past the last. */
const char *cc_args_unknown_section(const struct cc_args *a, size_t i);

/* Setting i as bitcoind's log tells it: 'Config file arg: [regtest] port="1"'
 * or 'Command-line arg: debug=""', "****" for a secret; the caller's to free.
 * NULL past the last. */
char *cc_args_line(const struct cc_args *a, size_t i);

/* The body of -help: headings and options in bitcoind's shape, wrapped at 79
 * columns; the caller's to free. debug: with CC_ARG_DEBUG ones. */
char *cc_args_help(const struct cc_args *a, bool debug);

#endif
