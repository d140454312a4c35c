/*
 * convert_list: prints, from the tables of methods, which arguments are not
 * strings, as rows of struct cc_convert (cli_params.h). Run by the build.
 */
#include <stdio.h>
#include <string.h>

#include "rpc/rpc.h"

static void print_arg(const char *method, int position,
                      const struct cc_rpc_arg *a)
{
    const char *name = a->name, *kind;

    if (a->type == CC_RPC_STR || a->type == CC_RPC_HEX || a->plain)
        return;
    kind = a->type == CC_RPC_ANY || a->type == CC_RPC_AMOUNT ||
                   a->type == CC_RPC_RANGE
               ? "CC_CONVERT_TRY"
               : "CC_CONVERT_JSON";
    while (*name) {
        size_t n = strcspn(name, "|");

        printf("    {\"%s\", %d, \"%.*s\", %s},\n", method, position, (int)n,
               name, kind);
        name += n;
        name += *name == '|';
    }
}

static void print_method(void *arg, const struct cc_rpc_method *m)
{
    (void)arg;
    for (size_t i = 0; i < m->arg_count; i++) {
        print_arg(m->name, (int)i, &m->args[i]);
        for (size_t j = 0; j < m->args[i].inner_count; j++)
            print_arg(m->name, -1, &m->args[i].inner[j]);
    }
}

int main(void)
{
    struct cc_rpc *rpc = cc_rpc_new();

    cc_rpc_register_all(rpc, true, true);
    cc_rpc_each(rpc, print_method, NULL);
    cc_rpc_free(rpc);
    return 0;
}
