/*
 * cloudcoin-cli: the daemon's methods from the command line.
 *
 * Exit status: 0, the absolute value of the error code that the server
 * answered, or 1 for faults of our own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "cli_call.h"
#include "cli_params.h"
#include "util/clock.h"
#include "util/mem.h"

/* clang-format off */
#define GENERAL "Options:"
#define CLI "Command options:"
#define CHAIN "Chain selection options:"

static const struct cc_arg_option options[] = {
    {"help", "", GENERAL, "Print this help message and exit (also -h)", CC_ARG_CLI_ONLY},
    {"h", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"?", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"help-debug", "", GENERAL, "", CC_ARG_HIDDEN | CC_ARG_CLI_ONLY},
    {"version", "", GENERAL, "Print version and exit", CC_ARG_CLI_ONLY},
    {"conf", "=<file>", GENERAL, "Specify configuration file. Relative paths are below the data directory (default: cloudcoin.conf, with -bitcoin bitcoin.conf)", CC_ARG_CLI_ONLY},
    {"datadir", "=<dir>", GENERAL, "Specify data directory (default: ~/.cloudcoin, with -bitcoin ~/.bitcoin)", CC_ARG_NO_NEGATE},
    {"named", "", GENERAL, "Pass named instead of positional arguments (default: 0)", 0},
    {"rpcclienttimeout", "=<n>", GENERAL, "Timeout in seconds during HTTP requests, or 0 for no timeout (default: 900)", 0},
    {"rpcconnect", "=<ip>", GENERAL, "Send commands to node running on <ip> (default: 127.0.0.1)", 0},
    {"rpccookiefile", "=<loc>", GENERAL, "Location of the auth cookie, below the chain's folder unless absolute (default: .cookie)", 0},
    {"rpcpassword", "=<pw>", GENERAL, "Password for JSON-RPC connections", 0},
    {"rpcport", "=<port>", GENERAL, "Connect to JSON-RPC on <port> (default: 7732, test: 17732, regtest: 17743)", CC_ARG_NETWORK},
    {"rpcuser", "=<user>", GENERAL, "Username for JSON-RPC connections", 0},
    {"rpcwait", "", GENERAL, "Wait for RPC server to start", 0},
    {"rpcwaittimeout", "=<n>", GENERAL, "Timeout in seconds to wait for the RPC server to start, or 0 for no timeout (default: 0)", 0},
    {"rpcwallet", "=<walletname>", GENERAL, "Send RPC for non-default wallet on RPC server", 0},
    {"stdin", "", GENERAL, "Read extra arguments from standard input, one per line until EOF/Ctrl-D", 0},
    {"stdinrpcpass", "", GENERAL, "Read RPC password from standard input as a single line", 0},
    {"stdinwalletpassphrase", "", GENERAL, "Read wallet passphrase from standard input as a single line", 0},
    {"addrinfo", "", CLI, "Get the number of addresses known to the node, per network and total, after filtering for quality and recency", CC_ARG_CLI_ONLY},
    {"generate", "", CLI, "Generate blocks, equivalent to RPC getnewaddress followed by RPC generatetoaddress. Optional arguments are number of blocks to generate (default: 1) and maximum iterations to try (default: 1000000)", CC_ARG_CLI_ONLY},
    {"color", "=<when>", CLI, "Color setting for CLI output (default: auto). Valid values: always, auto (add color codes when standard output is connected to a terminal and OS is not WIN32), never. Only applies to the output of -getinfo.", CC_ARG_CLI_ONLY | CC_ARG_NO_NEGATE},
    {"getinfo", "", CLI, "Get general information from the remote server: node, chain, wallet", CC_ARG_CLI_ONLY},
    {"netinfo", "", CLI, "Get network peer connection information from the remote server. An optional integer argument from 0 to 4 can be passed for different peers listings (default: 0). Pass \"help\" for detailed help documentation.", CC_ARG_CLI_ONLY},
    {"bitcoin", "", CHAIN, "Follow Bitcoin's rules to the letter; with -regtest only, and on the command line only", CC_ARG_CLI_ONLY},
    {"chain", "=<chain>", CHAIN, "Use the chain <chain> (default: main). Allowed values: main, test, regtest", 0},
    {"regtest", "", CHAIN, "Use the regression test chain. Equivalent to -chain=regtest.", 0},
    {"testnet", "", CHAIN, "Use the test chain. Equivalent to -chain=test.", 0},
};
/* clang-format on */

static void add_word(struct cc_cli *c, const char *word, size_t at)
{
    c->words = cc_grow(c->words, &c->cap, c->count + 1, sizeof(*c->words));
    memmove(c->words + at + 1, c->words + at,
            (c->count - at) * sizeof(*c->words));
    c->words[at] = cc_strdup(word);
    c->count++;
}

int cc_cli_fault(const char *text)
{
    fprintf(stderr, "error: %s\n", text);
    return EXIT_FAILURE;
}

/* --- Standard input ---------------------------------------------------- */

/* One line without its end, for free; NULL at the end. */
static char *read_line(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n = getline(&line, &cap, stdin);

    if (n < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/* What is typed is not shown. */
static char *read_secret(const char *prompt)
{
    struct termios old, silent;
    bool terminal = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &old);
    char *line;

    if (terminal) {
        fprintf(stderr, "%s", prompt);
        silent = old;
        silent.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSANOW, &silent);
    }
    line = read_line();
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &old);
        fprintf(stderr, "\n");
    }
    return line;
}

static const char *read_input(struct cc_cli *c)
{
    const struct cc_args *args = c->setup.args;
    char *line;

    if (cc_args_get_bool(args, "stdinrpcpass", false)) {
        c->password = read_secret("RPC password> ");
        if (!c->password)
            return "-stdinrpcpass specified but failed to read from standard "
                   "input";
    }
    if (cc_args_get_bool(args, "stdinwalletpassphrase", false)) {
        if (!c->count || strncmp(c->words[0], "walletpassphrase", 16) != 0)
            return "-stdinwalletpassphrase is only applicable for "
                   "walletpassphrase(change)";
        line = read_secret("Wallet passphrase> ");
        if (!line)
            return "-stdinwalletpassphrase specified but failed to read from "
                   "standard input";
        add_word(c, line, 1);
        cc_cleanse(line, strlen(line));
        free(line);
    }
    if (cc_args_get_bool(args, "stdin", false))
        while ((line = read_line())) {
            add_word(c, line, c->count);
            free(line);
        }
    return NULL;
}

/* --- Calling ----------------------------------------------------------- */

/* With -rpcwait: again, while nobody answers or the server warms up. */
enum cc_status cc_cli_call(struct cc_cli *c, const json_t *request,
                           json_t **answer, struct cc_error *err)
{
    const struct cc_args *args = c->setup.args;
    bool wait = cc_args_get_bool(args, "rpcwait", false);
    int64_t seconds = cc_args_get_int(args, "rpcwaittimeout", 0);
    int64_t until = cc_clock_monotonic_ms() + seconds * 1000;
    struct timespec pause = {0, 250000000};

    for (;;) {
        struct cc_cli_server server;
        int64_t code = 0;
        enum cc_status st =
            cc_cli_server_init(&server, &c->setup, c->password, c->wallet, err);

        if (st == CC_OK)
            st = cc_cli_exchange(&server, request, &c->setup, answer, err);
        cc_cli_server_clear(&server);
        if (st == CC_OK && wait)
            cc_json_get_int(
                json_object_get(json_object_get(*answer, "error"), "code"),
                &code);
        if (!wait || (st == CC_OK && code != -28) ||
            (st != CC_OK && st != CC_IO &&
             !strstr(err->text, "RPC credentials")))
            return st;
        if (seconds > 0 && cc_clock_monotonic_ms() >= until)
            return st == CC_OK
                       ? st
                       : cc_context(err, st, "timeout on transient error");
        if (st == CC_OK)
            json_decref(*answer);
        nanosleep(&pause, NULL);
    }
}

json_t *cc_cli_request(const char *method, json_t *params, int id)
{
    json_t *o = json_object();

    cc_json_set_str(o, "method", method);
    cc_json_set(o, "params", params ? params : json_array());
    cc_json_set_int(o, "id", id);
    return o;
}

/* --- Answers ----------------------------------------------------------- */

int cc_cli_print_error(const json_t *error)
{
    const json_t *message = json_object_get(error, "message");
    int64_t code = 1;
    bool has_code = cc_json_get_int(json_object_get(error, "code"), &code);
    char *text;

    if (has_code)
        fprintf(stderr, "error code: %lld\n", (long long)code);
    if (cc_json_is_string(message)) {
        fprintf(stderr, "error message:\n%s\n", json_string_value(message));
    } else {
        text = cc_json_dump(error, 0);
        fprintf(stderr, "error: %s\n", text);
        free(text);
    }
    if (code == -19)
        fprintf(stderr, "Try adding \"-rpcwallet=<filename>\" option to "
                        "cloudcoin-cli command line.\n");
    code = code < 0 ? -code : code;
    return (int)(code & 0xff) ? (int)(code & 0xff) : EXIT_FAILURE;
}

static void print_result(const json_t *result)
{
    char *text;

    if (!result || json_is_null(result))
        return;
    if (cc_json_is_string(result)) {
        if (json_string_length(result))
            printf("%s\n", json_string_value(result));
        return;
    }
    text = cc_json_dump(result, 2);
    printf("%s\n", text);
    free(text);
}

static int print_answer(const json_t *answer)
{
    const json_t *error = json_object_get(answer, "error");

    if (!json_is_object(answer))
        return cc_cli_fault(
            "expected reply to have result, error and id properties");
    if (error && !json_is_null(error))
        return cc_cli_print_error(error);
    print_result(json_object_get(answer, "result"));
    return EXIT_SUCCESS;
}

static int run_method(struct cc_cli *c)
{
    bool named = cc_args_get_bool(c->setup.args, "named", false);
    json_t *params = NULL, *request, *answer = NULL;
    struct cc_error err;
    enum cc_status st;
    int status;

    cc_error_init(&err);
    st = (named ? cc_cli_named : cc_cli_positional)(
        c->words[0], c->words + 1, c->count - 1, &params, &err);
    if (st != CC_OK)
        return cc_cli_fault(err.text);
    request = cc_cli_request(c->words[0], params, 1);
    st = cc_cli_call(c, request, &answer, &err);
    json_decref(request);
    if (st != CC_OK)
        return cc_cli_fault(err.text);
    status = print_answer(answer);
    json_decref(answer);
    return status;
}

/* --- -generate --------------------------------------------------------- */

/* The result of a call. If there is none, that has been said and the exit
 * status is returned. */
static int ask(struct cc_cli *c, const char *method, json_t *params,
               json_t **result)
{
    json_t *request = cc_cli_request(method, params, 1), *answer = NULL, *error;
    int status = EXIT_SUCCESS;
    struct cc_error err;
    enum cc_status st;

    cc_error_init(&err);
    st = cc_cli_call(c, request, &answer, &err);
    json_decref(request);
    if (st != CC_OK)
        return cc_cli_fault(err.text);
    error = json_object_get(answer, "error");
    if (error && !json_is_null(error))
        status = cc_cli_print_error(error);
    else
        *result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return status;
}

static int run_generate(struct cc_cli *c)
{
    json_t *address = NULL, *blocks = NULL, *params = NULL, *o;
    struct cc_error err;
    int status;

    cc_error_init(&err);
    if (c->count > 2)
        return cc_cli_fault(
            "too many arguments (maximum 2 for nblocks and maxtries)");
    if (c->count && !strcmp(c->words[0], "0"))
        return cc_cli_fault("the first argument (number of blocks to generate, "
                            "default: 1) must be an integer value greater than "
                            "zero");
    status = ask(c, "getnewaddress", NULL, &address);
    if (status != EXIT_SUCCESS)
        return status;
    if (!c->count)
        add_word(c, "1", 0);
    add_word(c, json_is_string(address) ? json_string_value(address) : "", 1);
    if (cc_cli_positional("generatetoaddress", c->words, c->count, &params,
                          &err) != CC_OK)
        status = cc_cli_fault(err.text);
    else
        status = ask(c, "generatetoaddress", params, &blocks);
    if (status == EXIT_SUCCESS) {
        o = json_object();
        json_object_set(o, "address", address);
        json_object_set(o, "blocks", blocks);
        print_result(o);
        json_decref(o);
    }
    json_decref(address);
    json_decref(blocks);
    return status;
}

/* --- Main -------------------------------------------------------------- */

static void print_help(const struct cc_setup *s)
{
    char *text = cc_args_help(s->args, false);

    printf("CloudCoin RPC client version %s\n\n"
           "Usage:  cloudcoin-cli [options] <command> [params]  Send command "
           "to CloudCoin\n"
           "or:     cloudcoin-cli [options] -named <command> "
           "[name=value]...  Send command to CloudCoin (with named "
           "arguments)\n"
           "or:     cloudcoin-cli [options] help                List "
           "commands\n"
           "or:     cloudcoin-cli [options] help <command>      Get help for "
           "a command\n\n%s",
           cc_setup_version(), text);
    free(text);
}

static int run(struct cc_cli *c)
{
    const struct cc_args *args = c->setup.args;
    const char *wrong = read_input(c);

    if (wrong)
        return cc_cli_fault(wrong);
    if (cc_args_get_bool(args, "getinfo", false))
        return cc_cli_getinfo(c);
    if (cc_args_get_bool(args, "netinfo", false))
        return cc_cli_netinfo(c);
    if (cc_args_get_bool(args, "addrinfo", false))
        return cc_cli_addrinfo(c);
    if (cc_args_get_bool(args, "generate", false))
        return run_generate(c);
    if (!c->count)
        return cc_cli_fault("too few parameters (need at least command)");
    return run_method(c);
}

int main(int argc, char **argv)
{
    struct cc_cli c = {0};
    struct cc_error err;
    int status = EXIT_FAILURE;

    cc_error_init(&err);
    if (argc < 2) {
        if (cc_setup_load(&c.setup, options,
                          sizeof(options) / sizeof(options[0]), 1,
                          (char *[]){(char *)"-help"}, true, &err) == CC_OK)
            print_help(&c.setup);
        fprintf(stderr, "Error: too few parameters\n");
    } else if (cc_setup_load(&c.setup, options,
                             sizeof(options) / sizeof(options[0]), argc - 1,
                             argv + 1, true, &err) != CC_OK) {
        /* Sentences about options and files begin with the word already. */
        fprintf(stderr, "%s%s\n",
                strncmp(err.text, "Error ", 6) ? "Error: " : "", err.text);
    } else if (cc_args_get_bool(c.setup.args, "version", false)) {
        /* Scripts look for the name whose calls these are. */
        printf(cc_args_get_bool(c.setup.args, "bitcoin", false)
                   ? "Bitcoin Core RPC client version v27.0.0 "
                     "(CloudCoin %s)\n%s"
                   : "CloudCoin RPC client version %s\n%s",
               cc_setup_version(), cc_setup_license());
        status = EXIT_SUCCESS;
    } else if (!c.setup.params) {
        print_help(&c.setup);
        status = EXIT_SUCCESS;
    } else {
        for (int i = c.setup.rest + 1; i < argc; i++)
            add_word(&c, argv[i], c.count);
        status = run(&c);
    }
    for (size_t i = 0; i < c.count; i++)
        free(c.words[i]);
    free(c.words);
    free(c.password);
    cc_setup_clear(&c.setup);
    return status;
}
