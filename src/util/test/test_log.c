#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"
#include "util/clock.h"
#include "util/fs.h"
#include "util/log.h"

static char *dir, *path;

static int setup(void **state)
{
    (void)state;
    dir = cc_test_mkdir();
    path = cc_fs_join(dir, "debug.log");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cc_test_rmdir(dir);
    free(path);
    return 0;
}

static struct cc_log *open_log(struct cc_log_options o)
{
    struct cc_log *log;

    cc_fs_remove(path, NULL);
    o.path = path;
    assert_int_equal(cc_log_open(&log, &o, NULL), CC_OK);
    return log;
}

static char *content(void)
{
    uint8_t *data;
    size_t len;

    assert_int_equal(cc_fs_read(path, 1 << 20, &data, &len, NULL), CC_OK);
    return (char *)data;
}

static void test_lines(void **state)
{
    struct cc_log *log =
        open_log((struct cc_log_options){.categories = CC_LOG_NET});
    char *text;

    (void)state;
    cc_log(log, "hello %d", 7);
    cc_debug(log, CC_LOG_NET, "peer=%d\n", 3);
    cc_debug(log, CC_LOG_RPC, "unseen");
    cc_log_set_categories(log, CC_LOG_RPC);
    cc_debug(log, CC_LOG_NET, "unseen");
    cc_debug(log, CC_LOG_RPC, "two\nlines \x1b[31m");
    cc_log_close(log);
    text = content();
    assert_string_equal(text, "hello 7\n[net] peer=3\n"
                              "[rpc] two\\x0alines \\x1b[31m\n");
    free(text);
    cc_log(NULL, "silence is fine");
}

static void test_heads(void **state)
{
    struct cc_log *log = open_log((struct cc_log_options){
        .timestamps = true, .thread_names = true, .source_locations = true});
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ [b-test] [";
    static const char micros[] = "dddd-dd-ddTdd:dd:dd.ddddddZ x\n";
    char *text;

    (void)state;
    cc_log_name_thread("b-test");
    cc_log(log, "x");
    cc_log_close(log);
    text = content();
    for (size_t i = 0; shape[i]; i++)
        assert_true(shape[i] == 'd' ? isdigit((unsigned char)text[i])
                                    : shape[i] == text[i]);
    assert_non_null(strstr(text, "test_log.c:"));
    free(text);

    log = open_log(
        (struct cc_log_options){.timestamps = true, .time_micros = true});
    cc_log(log, "x");
    cc_log_close(log);
    text = content();
    assert_int_equal(strlen(text), strlen(micros));
    for (size_t i = 0; micros[i]; i++)
        assert_true(micros[i] == 'd' ? isdigit((unsigned char)text[i])
                                     : micros[i] == text[i]);
    free(text);
}

static void test_long_lines_are_cut(void **state)
{
    struct cc_log *log = open_log((struct cc_log_options){0});
    static char big[20000];
    char *text;

    (void)state;
    memset(big, 1, sizeof(big) - 1); /* each byte becomes four */
    cc_log(log, "%s", big);
    memset(big, 'y', sizeof(big) - 1);
    cc_log(log, "%s", big);
    cc_log_close(log);
    text = content();
    assert_true(strlen(text) < 10000);
    assert_non_null(strstr(text, "\nyyy"));
    free(text);
}

static void *chatter(void *arg)
{
    for (int i = 0; i < 500; i++)
        cc_log((struct cc_log *)arg, "abcdefghij");
    return NULL;
}

static void test_threads_write_whole_lines(void **state)
{
    struct cc_log *log = open_log((struct cc_log_options){0});
    pthread_t t[4];
    char *text, *p;

    (void)state;
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, chatter, log);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    cc_log_close(log);
    text = content();
    assert_int_equal(strlen(text), 4 * 500 * 11);
    for (p = text; *p; p += 11)
        assert_int_equal(strncmp(p, "abcdefghij\n", 11), 0);
    free(text);
}

static void test_reopen(void **state)
{
    struct cc_log *log = open_log((struct cc_log_options){0});
    char *old = cc_fs_join(dir, "old"), *text;

    (void)state;
    cc_log(log, "one");
    assert_int_equal(rename(path, old), 0);
    cc_log(log, "two");
    cc_log_reopen(log);
    cc_log(log, "three");
    cc_log_close(log);
    text = content();
    assert_string_equal(text, "three\n");
    free(text);
    free(old);
}

static void test_categories(void **state)
{
    uint32_t all = cc_log_category_find("all"), seen = 0;

    (void)state;
    assert_int_equal(cc_log_category_find("net"), CC_LOG_NET);
    assert_int_equal(cc_log_category_find("util"), CC_LOG_UTIL);
    assert_int_equal(cc_log_category_find("wallet"), CC_LOG_WALLET);
    assert_true(cc_log_category_find("zmq") > CC_LOG_UTIL);
    assert_int_equal(cc_log_category_find("moon"), 0);
    for (unsigned i = 0; cc_log_category_name(i); i++)
        seen |= cc_log_category_find(cc_log_category_name(i));
    assert_int_equal(seen, all);
    assert_int_equal(cc_log_category_find("1"), all);
}

static void test_unwritable_file_is_told(void **state)
{
    struct cc_log_options o = {.path = "/nowhere/debug.log"};
    struct cc_error err;
    struct cc_log *log;

    (void)state;
    assert_int_equal(cc_log_open(&log, &o, &err), CC_IO);
    assert_non_null(
        strstr(err.text, "Could not open debug log file /nowhere/debug.log"));
}

static void test_limit(void **state)
{
    struct cc_log_limit limit = {.burst = 3, .per_minute = 1};
    struct cc_log *log =
        open_log((struct cc_log_options){.categories = CC_LOG_NET});
    char *text;

    (void)state;
    for (int i = 0; i < 5; i++)
        cc_log_limited(log, &limit, CC_LOG_NET, "line %d", i);
    /* silenced by category: takes nothing from the bucket */
    cc_log_limited(log, &limit, CC_LOG_RPC, "unseen");
    atomic_store(&limit.until_us, cc_clock_monotonic_us());
    cc_log_limited(log, &limit, CC_LOG_NET, "last");
    cc_log_close(log);
    text = content();
    assert_string_equal(text, "[net] line 0\n[net] line 1\n[net] line 2\n"
                              "[net] 2 similar lines left out\n[net] last\n");
    free(text);
}

static void test_clock(void **state)
{
    struct cc_clock c;
    char text[32];

    (void)state;
    cc_clock_init(&c);
    assert_true(cc_clock_now(&c) > 1700000000);
    cc_clock_set_mock(&c, 1296688602);
    assert_int_equal(cc_clock_now(&c), 1296688602);
    assert_int_equal(cc_clock_now_ms(&c), INT64_C(1296688602000));
    assert_int_equal(cc_clock_now_fn(&c), 1296688602);
    assert_int_equal(cc_clock_mock(&c), 1296688602);
    cc_clock_format(text, 1296688602);
    assert_string_equal(text, "2011-02-02T23:16:42Z");
    cc_clock_set_mock(&c, 0);
    assert_true(cc_clock_now(&c) > 1700000000);
    assert_true(cc_clock_now(NULL) > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_threads_write_whole_lines),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_categories),
        cmocka_unit_test(test_unwritable_file_is_told),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_clock),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
