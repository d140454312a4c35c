#include <stdlib.h>
#include <unistd.h>

#include "support.h"
#include "util/args.h"
#include "util/fs.h"

static const struct cc_arg_option options[] = {
    {"conf", "=<file>", "Options:", "Which file to read.",
     CC_ARG_CLI_ONLY | CC_ARG_NO_NEGATE},
    {"chain", "=<chain>", "Chain selection options:", "Which chain.", 0},
    {"testnet", "", "Chain selection options:", "Same as -chain=test.", 0},
    {"regtest", "", "Chain selection options:", "Same as -chain=regtest.",
     CC_ARG_DEBUG},
    {"includeconf", "=<file>", "Options:", "One more file.", 0},
    {"port", "=<port>", "Connection options:", "Listen there.", CC_ARG_NETWORK},
    {"connect", "=<ip>", "Connection options:",
     "Connect only to the specified node; -noconnect disables automatic "
     "connections (the rules for this peer are the same as for -addnode).",
     CC_ARG_NETWORK},
    {"dbcache", "=<n>", "Options:", "First line.\nSecond line.", 0},
    {"listen", "", "Connection options:", "Accept connections.", 0},
    {"pid", "=<file>", "Options:", "Where the process id goes.",
     CC_ARG_NO_NEGATE | CC_ARG_HIDDEN},
    {"proxy", "=<addr>", "Options:", "A way out.",
     CC_ARG_HIDDEN | CC_ARG_VALUE},
    {"rpcpassword", "=<pw>", "Options:", "Secret.",
     CC_ARG_HIDDEN | CC_ARG_SECRET},
};

#define OPTIONS (sizeof(options) / sizeof(*options))

static struct cc_args *fresh(void) { return cc_args_new(options, OPTIONS); }

/* The words, a NULL behind them. */
static enum cc_status parse(struct cc_args *a, int *rest, struct cc_error *err,
                            const char *const *words)
{
    char *argv[16];
    int n = 0;

    for (; words[n]; n++)
        argv[n] = (char *)words[n];
    return cc_args_parse(a, n, argv, rest, err);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static enum cc_status text(struct cc_args *a, const char *s,
                           struct cc_error *err)
{
    return cc_args_read_text(a, s, strlen(s), "my.conf", "/nowhere", err);
}

static void test_command_line(void **state)
{
    struct cc_args *a = fresh();
    struct cc_error err;
    int rest;

    (void)state;
    assert_int_equal(parse(a, &rest, &err,
                           WORDS("-port=1", "--port=2", "-listen", "-dbcache=x",
                                 "getinfo", "-port=3")),
                     CC_OK);
    assert_int_equal(rest, 4);
    assert_string_equal(cc_args_get(a, "port", "z"), "2");
    assert_int_equal(cc_args_get_int(a, "port", 9), 2);
    assert_true(cc_args_get_bool(a, "listen", false));
    assert_string_equal(cc_args_get(a, "listen", "z"), "");
    assert_int_equal(cc_args_get_int(a, "dbcache", 9), 0);
    assert_int_equal(cc_args_get_int(a, "chain", 9), 9);
    assert_false(cc_args_is_set(a, "chain"));
    assert_string_equal(cc_args_get_nth(a, "port", 0), "1");
    assert_string_equal(cc_args_get_nth(a, "port", 1), "2");
    assert_null(cc_args_get_nth(a, "port", 2));
    cc_args_free(a);
}

static void test_faults_of_the_command_line(void **state)
{
    static const struct {
        const char *word, *text;
    } cases[] = {
        {"-foo", "Invalid parameter -foo"},
        {"--foo=1", "Invalid parameter -foo=1"},
        {"-nofoo", "Invalid parameter -nofoo"},
        {"-regtest.port=1", "Invalid parameter -regtest.port=1"},
        {"-noconf", "Negating of -conf is meaningless and therefore forbidden"},
        {"-includeconf=x", "-includeconf cannot be used from commandline; "
                           "-includeconf=\"x\""},
        {"-noincludeconf=0", "-includeconf cannot be used from commandline; "
                             "-includeconf=true"},
        {"word", "Command line contains unexpected token 'word'"},
        {"-", "Command line contains unexpected token '-'"},
    };
    struct cc_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cc_args *a = fresh();

        assert_int_equal(parse(a, NULL, &err, WORDS(cases[i].word)),
                         CC_INVALID);
        assert_string_equal(err.text, cases[i].text);
        cc_args_free(a);
    }
}

static void test_negation(void **state)
{
    struct cc_args *a = fresh();

    (void)state;
    parse(a, NULL, NULL, WORDS("-connect=a", "-noconnect", "-nolisten=0"));
    assert_true(cc_args_is_negated(a, "connect"));
    assert_string_equal(cc_args_get(a, "connect", "z"), "0");
    assert_null(cc_args_get_nth(a, "connect", 0));
    assert_false(cc_args_is_negated(a, "listen"));
    assert_true(cc_args_get_bool(a, "listen", false));
    assert_string_equal(
        cc_args_warning(a, 0),
        "parsed potentially confusing double-negative -listen=0");
    assert_null(cc_args_warning(a, 1));
    /* The file's values are hidden by a last negation ... */
    assert_int_equal(text(a, "connect=f\n", NULL), CC_OK);
    assert_null(cc_args_get_nth(a, "connect", 0));
    cc_args_free(a);

    /* ... and not by one that has values after it. */
    a = fresh();
    parse(a, NULL, NULL, WORDS("-connect=a", "-noconnect", "-connect=b"));
    assert_int_equal(text(a, "connect=f\n", NULL), CC_OK);
    assert_string_equal(cc_args_get(a, "connect", "z"), "b");
    assert_string_equal(cc_args_get_nth(a, "connect", 0), "b");
    assert_string_equal(cc_args_get_nth(a, "connect", 1), "f");
    assert_null(cc_args_get_nth(a, "connect", 2));
    assert_false(cc_args_is_negated(a, "connect"));
    assert_false(cc_args_is_negated(a, "chain"));
    cc_args_free(a);
}

static void test_file_and_sections(void **state)
{
    static const char conf[] = "# comment\n"
                               "dbcache = 7 # why\r\n"
                               "dbcache=8\n"
                               "port=1\n"
                               "regtest.connect=d\n"
                               "stuff=1\n"
                               " [regtest]\t\n"
                               "  port=2\n"
                               "\n"
                               "connect=e\n"
                               "[moon]\n"
                               "port=3\n";
    struct cc_args *a = fresh();

    (void)state;
    assert_int_equal(text(a, conf, NULL), CC_OK);
    assert_int_equal(cc_args_get_int(a, "dbcache", 0), 7);
    assert_int_equal(cc_args_get_int(a, "port", 0), 1);
    assert_null(cc_args_get(a, "connect", NULL));
    assert_null(cc_args_ignored(a, 0));
    assert_string_equal(cc_args_warning(a, 0),
                        "Ignoring unknown configuration value stuff");
    assert_string_equal(cc_args_unknown_section(a, 0),
                        "my.conf:11 Section [moon] is not recognized.");
    assert_null(cc_args_unknown_section(a, 1));

    cc_args_select(a, "regtest");
    assert_int_equal(cc_args_get_int(a, "port", 0), 2);
    assert_string_equal(cc_args_get_nth(a, "connect", 0), "d");
    assert_string_equal(cc_args_get_nth(a, "connect", 1), "e");
    assert_int_equal(cc_args_get_int(a, "dbcache", 0), 7);
    assert_null(cc_args_ignored(a, 0));

    cc_args_select(a, "test");
    assert_null(cc_args_get(a, "port", NULL));
    assert_null(cc_args_get_nth(a, "port", 0));
    assert_string_equal(cc_args_ignored(a, 0), "port");
    assert_null(cc_args_ignored(a, 1));
    /* the command line wins */
    parse(a, NULL, NULL, WORDS("-port=4", "-dbcache=5"));
    assert_int_equal(cc_args_get_int(a, "port", 0), 4);
    assert_int_equal(cc_args_get_int(a, "dbcache", 0), 5);
    assert_null(cc_args_ignored(a, 0));
    cc_args_free(a);
}

static void test_negation_above_sections_counts_everywhere(void **state)
{
    struct cc_args *a = fresh();

    (void)state;
    assert_int_equal(text(a, "noconnect=1\n", NULL), CC_OK);
    cc_args_select(a, "regtest");
    assert_true(cc_args_is_negated(a, "connect"));
    cc_args_free(a);
}

static void test_faults_of_the_file(void **state)
{
    static const struct {
        const char *conf, *text;
    } cases[] = {
        {"\n-port=1", "parse error on line 2: -port=1, options in "
                      "configuration file must be specified without "
                      "leading -"},
        {"port", "parse error on line 1: port"},
        {"nolisten", "parse error on line 1: nolisten, if you intended to "
                     "specify a negated option, use nolisten=1 instead"},
        {"nopid=1", "Negating of -pid is meaningless and therefore "
                    "forbidden"},
        {"rpcpassword=a#b", "parse error on line 1, using # in rpcpassword "
                            "can be ambiguous and should be avoided"},
        {"regtest=1\ntestnet=1",
         "Invalid combination of -regtest, -signet, -testnet "
         "and -chain. Can use at most one."},
        {"includeconf=gone", "Failed to include configuration file gone"},
        {"includeconf=/tmp", "Included config file \"/tmp\" is a directory."},
        {"conf=other", "conf cannot be set in the configuration file; use "
                       "includeconf= if you want to include additional "
                       "config files"},
    };
    struct cc_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct cc_args *a = fresh();

        assert_int_equal(text(a, cases[i].conf, &err), CC_INVALID);
        assert_string_equal(err.text, cases[i].text);
        cc_args_free(a);
    }
}

static void check_line(const struct cc_args *a, size_t i, const char *want)
{
    char *line = cc_args_line(a, i);

    assert_string_equal(line, want);
    free(line);
}

static void test_lines_for_the_log(void **state)
{
    struct cc_args *a = fresh();

    (void)state;
    parse(a, NULL, NULL,
          WORDS("-connect=a\"\\", "-nolisten", "-rpcpassword=x"));
    assert_int_equal(text(a, "port=1\n[test]\nport=2\n", NULL), CC_OK);
    check_line(a, 0, "Command-line arg: connect=\"a\\\"\\\\\"");
    check_line(a, 1, "Command-line arg: listen=false");
    check_line(a, 2, "Command-line arg: rpcpassword=****");
    check_line(a, 3, "Config file arg: port=\"1\"");
    check_line(a, 4, "Config file arg: [test] port=\"2\"");
    assert_null(cc_args_line(a, 5));
    cc_args_free(a);
}

static void test_sections_in_names(void **state)
{
    struct cc_args *a = fresh();

    (void)state;
    assert_int_equal(text(a, "moon.port=1\ntest.port=2\n", NULL), CC_OK);
    assert_string_equal(cc_args_unknown_section(a, 0),
                        "my.conf:1 Section [moon] is not recognized.");
    assert_null(cc_args_unknown_section(a, 1));
    cc_args_free(a);
}

static void test_zero_bytes_are_refused(void **state)
{
    struct cc_args *a = fresh();

    (void)state;
    assert_int_equal(cc_args_read_text(a, "port=1\0x", 8, "f", "", NULL),
                     CC_INVALID);
    cc_args_free(a);
}

static void test_chain(void **state)
{
    struct cc_args *a = fresh();
    const char *name;

    (void)state;
    assert_int_equal(cc_args_chain(a, &name, NULL), CC_OK);
    assert_string_equal(name, "main");
    assert_int_equal(text(a, "regtest=1\n", NULL), CC_OK);
    assert_int_equal(cc_args_chain(a, &name, NULL), CC_OK);
    assert_string_equal(name, "regtest");
    /* bitcoind's oddity: a negated -regtest does not undo the file's */
    parse(a, NULL, NULL, WORDS("-noregtest"));
    assert_int_equal(cc_args_chain(a, &name, NULL), CC_OK);
    assert_string_equal(name, "regtest");
    parse(a, NULL, NULL, WORDS("-chain=test"));
    assert_int_equal(cc_args_chain(a, &name, NULL), CC_INVALID);
    cc_args_free(a);
    cc_args_free(NULL);
    /* A section cannot say that another one counts. */
    a = fresh();
    assert_int_equal(text(a, "[main]\nregtest=1\n", NULL), CC_OK);
    assert_int_equal(cc_args_chain(a, &name, NULL), CC_OK);
    assert_string_equal(name, "main");
    cc_args_free(a);
}

static void test_includes(void **state)
{
    char *dir = cc_test_mkdir(), *main_path, *sub;
    static const char top[] = "includeconf=sub.conf\nregtest=1\n"
                              "[regtest]\nincludeconf=sub.conf\n"
                              "[test]\nincludeconf=missing.conf\n";
    static const char inner[] = "dbcache=6\nincludeconf=other.conf\n";
    static char *no[] = {"-noincludeconf"};
    struct cc_args *a = fresh();

    (void)state;
    main_path = cc_fs_join(dir, "my.conf");
    sub = cc_fs_join(dir, "sub.conf");
    assert_int_equal(cc_fs_write(main_path, top, strlen(top), 0600, NULL),
                     CC_OK);
    assert_int_equal(cc_fs_write(sub, inner, strlen(inner), 0600, NULL), CC_OK);
    assert_int_equal(cc_args_read_file(a, main_path, dir, NULL), CC_OK);
    assert_int_equal(cc_args_get_int(a, "dbcache", 0), 6);
    assert_string_equal(cc_args_warning(a, 0),
                        "-includeconf cannot be used from included files; "
                        "ignoring -includeconf=other.conf");
    assert_non_null(cc_args_warning(a, 1)); /* read twice: top, section */
    assert_null(cc_args_warning(a, 2));
    cc_args_free(a);

    a = fresh(); /* the command line can forbid it */
    assert_int_equal(cc_args_parse(a, 1, no, NULL, NULL), CC_OK);
    assert_int_equal(cc_args_read_file(a, main_path, dir, NULL), CC_OK);
    assert_false(cc_args_is_set(a, "dbcache"));
    cc_args_free(a);

    a = fresh();
    assert_int_equal(cc_args_read_file(a, "/nowhere/my.conf", dir, NULL),
                     CC_NOTFOUND);
    cc_args_free(a);
    cc_test_rmdir(dir);
    free(main_path);
    free(sub);
}

static void test_soft_set_and_force(void **state)
{
    struct cc_args *a = fresh();

    (void)state;
    cc_args_soft_set(a, "listen", "0");
    assert_false(cc_args_get_bool(a, "listen", true));
    parse(a, NULL, NULL, WORDS("-port=1"));
    cc_args_soft_set(a, "port", "2");
    assert_int_equal(cc_args_get_int(a, "port", 0), 1);
    cc_args_force(a, "port", "3");
    assert_int_equal(cc_args_get_int(a, "port", 0), 3);
    cc_args_free(a);
}

static void test_value_asked_for(void **state)
{
    struct cc_args *a = fresh();
    struct cc_error err;

    (void)state;
    assert_int_equal(parse(a, NULL, &err, WORDS("-proxy")), CC_INVALID);
    assert_string_equal(err.text, "Can not set -proxy with no value. Please "
                                  "specify value with -proxy=value.");
    assert_int_equal(parse(a, NULL, &err, WORDS("-proxy=", "-noproxy")), CC_OK);
    assert_int_equal(parse(a, NULL, &err, WORDS("-noproxy=0")), CC_OK);
    cc_args_free(a);
}

/* settings.json stands between command line and file. */
static void test_saved(void **state)
{
    struct cc_args *a = fresh();
    char *line;

    (void)state;
    assert_int_equal(text(a, "dbcache=1\nlisten=1\n[main]\nport=2\n", NULL),
                     CC_OK);
    cc_args_add_saved(a, "dbcache", WORDS("3", "4"), 2, false, "[3,4]");
    cc_args_add_saved(a, "port", WORDS("5"), 1, false, "5");
    cc_args_add_saved(a, "listen", WORDS("0"), 1, true, "false");
    cc_args_add_saved(a, "moon", WORDS("6"), 1, false, "\"6\"");
    assert_int_equal(cc_args_get_int(a, "dbcache", 0), 4);
    assert_string_equal(cc_args_get_nth(a, "dbcache", 0), "3");
    assert_string_equal(cc_args_get_nth(a, "dbcache", 2), "1");
    assert_int_equal(cc_args_get_int(a, "port", 0), 5);
    assert_true(cc_args_is_negated(a, "listen"));
    assert_string_equal(cc_args_warning(a, 0),
                        "Ignoring unknown rw_settings value moon");
    parse(a, NULL, NULL, WORDS("-dbcache=7"));
    assert_int_equal(cc_args_get_int(a, "dbcache", 0), 7);
    line = cc_args_line(a, 3); /* one per name, after the file's three */
    assert_string_equal(line, "Setting file arg: dbcache = [3,4]");
    free(line);
    line = cc_args_line(a, 7);
    assert_string_equal(line, "Command-line arg: dbcache=\"7\"");
    free(line);
    assert_null(cc_args_line(a, 8));
    cc_args_free(a);
}

static void test_help_has_bitcoinds_shape(void **state)
{
    static const char want[] =
        "Options:\n\n"
        "  -conf=<file>\n       Which file to read.\n\n"
        "  -includeconf=<file>\n       One more file.\n\n"
        "  -dbcache=<n>\n       First line.\n       Second line.\n\n"
        "Chain selection options:\n\n"
        "  -chain=<chain>\n       Which chain.\n\n"
        "  -testnet\n       Same as -chain=test.\n\n"
        "Connection options:\n\n"
        "  -port=<port>\n       Listen there.\n\n"
        "  -connect=<ip>\n"
        "       Connect only to the specified node; -noconnect disables "
        "automatic\n"
        "       connections (the rules for this peer are the same as for "
        "-addnode).\n\n"
        "  -listen\n       Accept connections.\n\n";
    struct cc_args *a = fresh();
    char *help = cc_args_help(a, false);

    (void)state;
    assert_string_equal(help, want);
    free(help);
    help = cc_args_help(a, true);
    assert_non_null(strstr(help, "  -regtest\n"));
    assert_null(strstr(help, "rpcpassword"));
    free(help);
    cc_args_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_faults_of_the_command_line),
        cmocka_unit_test(test_negation),
        cmocka_unit_test(test_file_and_sections),
        cmocka_unit_test(test_negation_above_sections_counts_everywhere),
        cmocka_unit_test(test_faults_of_the_file),
        cmocka_unit_test(test_lines_for_the_log),
        cmocka_unit_test(test_sections_in_names),
        cmocka_unit_test(test_zero_bytes_are_refused),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_soft_set_and_force),
        cmocka_unit_test(test_saved),
        cmocka_unit_test(test_value_asked_for),
        cmocka_unit_test(test_help_has_bitcoinds_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
