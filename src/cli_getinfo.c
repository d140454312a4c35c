/* cloudcoin-cli -getinfo: node, chain and wallets, for people to read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "util/mem.h"

/* --- -getinfo ---------------------------------------------------------- */

struct colors {
    const char *reset, *green, *blue, *yellow, *magenta, *cyan;
};

/* By -color, or else whether a terminal shows them. */
static bool choose_colors(struct colors *out, const struct cc_args *args)
{
    static const struct colors none = {"", "", "", "", "", ""},
                               all = {"\x1b[0m",  "\x1b[32m", "\x1b[34m",
                                      "\x1b[33m", "\x1b[35m", "\x1b[36m"};
    const char *when = cc_args_get(args, "color", "auto");

    if (!strcmp(when, "auto"))
        *out = isatty(STDOUT_FILENO) ? all : none;
    else if (!strcmp(when, "always") || !strcmp(when, "never"))
        *out = when[0] == 'a' ? all : none;
    else
        return false;
    return true;
}

/* A member of a member, as the text it would be in JSON; in buf. */
static const char *text_of(const json_t *o, const char *a, const char *b,
                           char buf[64])
{
    const json_t *v = json_object_get(o, a);

    if (b)
        v = json_object_get(v, b);
    if (cc_json_is_string(v))
        return json_string_value(v);
    if (cc_json_is_number(v)) {
        char number[32];

        snprintf(buf, 64, "%s", cc_json_number_text(v, number));
        return buf;
    }
    return "";
}

static void print_progress(const json_t *chain)
{
    double p = 0;
    char bar[3 * 21 + 1] = "";

    cc_json_get_double(json_object_get(chain, "verificationprogress"), &p);
    if (p < 0.99) {
        for (int i = 0; i < 21; i++)
            strcat(bar, i < (int)(p * 21) ? "\xe2\x96\x92" : "\xe2\x96\x91");
        printf("Verification progress: %s %.4f%%\n", bar, p * 100);
    } else {
        printf("Verification progress: %.4f%%\n", p * 100);
    }
}

/* "proxy (net, net), proxy (net)", each proxy once; for free. */
static char *proxies_of(const json_t *network)
{
    const json_t *list = json_object_get(network, "networks"), *n, *m;
    char b[64], *out = cc_strdup(""), *grown;
    size_t i, k;

    json_array_foreach(list, i, n)
    {
        char *proxy = cc_strdup(text_of(n, "proxy", NULL, b));
        bool first = *proxy != '\0';

        for (k = 0; k < i; k++)
            if (!strcmp(text_of(json_array_get(list, k), "proxy", NULL, b),
                        proxy))
                first = false; /* told already */
        for (k = i; first && k < json_array_size(list); k++) {
            m = json_array_get(list, k);
            if (strcmp(text_of(m, "proxy", NULL, b), proxy) != 0)
                continue;
            grown = k == i ? cc_asprintf("%s%s%s (%s", out, *out ? ", " : "",
                                         proxy, text_of(m, "name", NULL, b))
                           : cc_asprintf("%s, %s", out,
                                         text_of(m, "name", NULL, b));
            free(out);
            out = grown;
        }
        if (first) {
            grown = cc_asprintf("%s)", out);
            free(out);
            out = grown;
        }
        free(proxy);
    }
    return out;
}

static void print_node(const json_t *network, const json_t *chain,
                       const char *unit, const struct colors *c)
{
    char b[64], *proxies = proxies_of(network);

    printf("%sChain: %s%s\n", c->blue, text_of(chain, "chain", NULL, b),
           c->reset);
    printf("Blocks: %s\n", text_of(chain, "blocks", NULL, b));
    printf("Headers: %s\n", text_of(chain, "headers", NULL, b));
    print_progress(chain);
    printf("Difficulty: %s\n\n", text_of(chain, "difficulty", NULL, b));
    printf("%sNetwork: in %s, ", c->green,
           text_of(network, "connections_in", NULL, b));
    printf("out %s, ", text_of(network, "connections_out", NULL, b));
    printf("total %s%s\n", text_of(network, "connections", NULL, b), c->reset);
    printf("Version: %s\n", text_of(network, "version", NULL, b));
    printf("Time offset (s): %s\n", text_of(network, "timeoffset", NULL, b));
    printf("Proxies: %s\n", *proxies ? proxies : "n/a");
    printf("Min tx relay fee rate (%s/kvB): %s\n\n", unit,
           text_of(network, "relayfee", NULL, b));
    free(proxies);
}

static void print_wallet(const json_t *wallet, const json_t *balances,
                         const char *unit, const struct colors *c)
{
    char b[64];

    if (!json_is_object(wallet))
        return;
    printf("%sWallet: %s%s\n", c->magenta,
           *text_of(wallet, "walletname", NULL, b)
               ? text_of(wallet, "walletname", NULL, b)
               : "\"\"",
           c->reset);
    printf("Keypool size: %s\n", text_of(wallet, "keypoolsize", NULL, b));
    if (json_object_get(wallet, "unlocked_until"))
        printf("Unlocked until: %s\n",
               text_of(wallet, "unlocked_until", NULL, b));
    printf("Transaction fee rate (-paytxfee) (%s/kvB): %s\n\n", unit,
           text_of(wallet, "paytxfee", NULL, b));
    printf("%sBalance:%s %s\n\n", c->cyan, c->reset,
           text_of(json_object_get(balances, "mine"), "trusted", NULL, b));
}

/* --- Several wallets --------------------------------------------------- */

/* The result of one call; NULL if there is none. For json_decref. */
static json_t *ask(struct cc_cli *c, const char *method, const char *wallet)
{
    json_t *request = cc_cli_request(method, NULL, 1), *answer = NULL,
           *result = NULL;
    struct cc_error err;

    cc_error_init(&err);
    c->wallet = wallet;
    if (cc_cli_call(c, request, &answer, &err) == CC_OK) {
        result = json_incref(json_object_get(answer, "result"));
        json_decref(answer);
    }
    c->wallet = NULL;
    json_decref(request);
    return result;
}

/* What each of several loaded wallets has, unless one is named. */
static void print_balances(struct cc_cli *c, const struct colors *colors)
{
    json_t *names, *amounts, *balances;
    const json_t *name;
    size_t i, width = 10;
    char b[64];

    if (cc_args_get(c->setup.args, "rpcwallet", NULL))
        return;
    names = ask(c, "listwallets", NULL);
    amounts = json_array();
    json_array_foreach(names, i, name)
    {
        const char *text;

        if (json_array_size(names) < 2)
            break;
        balances = ask(c, "getbalances", json_string_value(name));
        text = text_of(json_object_get(balances, "mine"), "trusted", NULL, b);
        width = strlen(text) > width ? strlen(text) : width;
        json_array_append_new(amounts, json_string(text));
        json_decref(balances);
    }
    if (json_array_size(amounts))
        printf("%sBalances%s\n", colors->cyan, colors->reset);
    for (i = 0; i < json_array_size(amounts); i++) {
        const char *shown = json_string_value(json_array_get(names, i));

        printf("%*s %s\n", (int)width,
               json_string_value(json_array_get(amounts, i)),
               *shown ? shown : "\"\"");
    }
    if (json_array_size(amounts))
        printf("\n");
    json_decref(amounts);
    json_decref(names);
}

/* --- The whole --------------------------------------------------------- */

/* Result of the request with this id, NULL if it failed. */
static const json_t *result_of(const json_t *batch, int id)
{
    for (size_t i = 0; i < json_array_size(batch); i++) {
        const json_t *v = json_array_get(batch, i);
        int64_t n = -1;

        if (cc_json_get_int(json_object_get(v, "id"), &n) && n == id)
            return json_object_get(v, "result");
    }
    return NULL;
}

int cc_cli_getinfo(struct cc_cli *c)
{
    static const char *const methods[] = {"getnetworkinfo", "getblockchaininfo",
                                          "getwalletinfo", "getbalances"};
    json_t *batch = json_array(), *answer = NULL;
    const char *unit = c->setup.bitcoin ? "BTC" : "CLC", *warnings;
    struct cc_error err;
    enum cc_status st;
    struct colors colors;
    char b[64];

    cc_error_init(&err);
    if (c->count) {
        json_decref(batch);
        return cc_cli_fault("-getinfo takes no arguments");
    }
    if (!choose_colors(&colors, c->setup.args)) {
        json_decref(batch);
        return cc_cli_fault("Invalid value for -color option. Valid values: "
                            "always, auto, never.");
    }
    for (int i = 0; i < 4; i++)
        json_array_append_new(batch, cc_cli_request(methods[i], NULL, i));
    st = cc_cli_call(c, batch, &answer, &err);
    json_decref(batch);
    if (st != CC_OK)
        return cc_cli_fault(err.text);
    if (json_is_object(answer) || !json_is_object(result_of(answer, 0)) ||
        !json_is_object(result_of(answer, 1))) {
        const json_t *first =
            json_is_array(answer) ? json_array_get(answer, 0) : answer;
        int status = cc_cli_print_error(json_object_get(first, "error"));

        json_decref(answer);
        return status;
    }
    print_node(result_of(answer, 0), result_of(answer, 1), unit, &colors);
    print_wallet(result_of(answer, 2), result_of(answer, 3), unit, &colors);
    print_balances(c, &colors);
    warnings = text_of(result_of(answer, 0), "warnings", NULL, b);
    printf("%sWarnings:%s %s\n", colors.yellow, colors.reset,
           *warnings ? warnings : "(none)");
    json_decref(answer);
    return EXIT_SUCCESS;
}
