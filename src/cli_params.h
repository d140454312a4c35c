/*
 * cli_params.h: words of a command line as JSON.
 *
 * Which words are numbers, truth values or objects is known from the tables of
 * methods; the build makes a list of them (rpc/convert_list.c). Words of
 * methods that it does not name, those of extensions, stay strings.
 */
#ifndef CC_CLI_PARAMS_H
#define CC_CLI_PARAMS_H

#include "rpc/json.h"
#include "util/error.h"

/* How a word is read. */
enum cc_convert_kind {
    CC_CONVERT_JSON, /* must be JSON */
    CC_CONVERT_TRY,  /* JSON if it is, else a string */
};

struct cc_convert {
    const char *method;
    int position; /* -1: by name only */
    const char *name;
    enum cc_convert_kind kind;
};

/* Words after the method as an array. */
enum cc_status cc_cli_positional(const char *method, char **words, size_t count,
                                 json_t **out, struct cc_error *err);
/* name=value words as an object; those without '=' become "args". */
enum cc_status cc_cli_named(const char *method, char **words, size_t count,
                            json_t **out, struct cc_error *err);

#endif
