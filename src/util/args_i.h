/* args_i.h: what args.c and args_help.c share. */
#ifndef CC_UTIL_ARGS_I_H
#define CC_UTIL_ARGS_I_H

#include "util/args.h"

#define CC_ARGS_FILE_MAX (1u << 20)

/* Strongest first. */
enum source {
    FORCED,
    FROM_COMMAND_LINE,
    FROM_SAVED, /* settings.json */
    FROM_SECTION,
    FROM_TOP,
    SOURCES
};

struct setting {
    enum source source;
    char *section; /* "" unless FROM_SECTION */
    char *name, *value;
    bool negated;
    bool doubled; /* -noname=0: yes */
    char *line;   /* of a saved one: as the log tells it; NULL: not told */
    bool mute;    /* only there for its line */
};

struct cc_args {
    const struct cc_arg_option *options;
    size_t option_count;
    struct setting *settings;
    size_t count, cap;
    char *section; /* that counts */
    char **warnings, **strange;
    size_t warning_count, warning_cap, strange_count, strange_cap;
};

const struct cc_arg_option *cc_args_option(const struct cc_args *a,
                                           const char *name);

#endif
