/* The Miniscript that a script is. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wallet/miniscript.h"

static void check_row(char *line)
{
    char *want = strchr(line, '\t');
    struct cc_writer w;
    uint8_t *script;
    size_t len;
    bool found;

    assert_non_null(want);
    *want++ = '\0';
    want[strcspn(want, "\n")] = '\0';
    script = cc_test_unhex(line, &len);
    cc_writer_init_heap(&w);
    found = cc_miniscript_infer(&w, cc_bytes(script, len));
    cc_write_u8(&w, 0);
    if (strcmp(found ? (const char *)w.data : "-", want))
        print_message("%s:\n%s\nis not\n%s\n", line, (const char *)w.data,
                      want);
    assert_string_equal(found ? (const char *)w.data : "-", want);
    assert_true(found || w.len == 1);
    cc_writer_clear(&w);
    free(script);
}

static void test_rows(void **state)
{
    size_t len, count = 0;
    char *data = cc_test_load("miniscript.txt", &len), *line, *next;

    (void)state;
    if (!data)
        skip();
    for (line = data; *line; line = next) {
        next = line + strcspn(line, "\n");
        if (*next)
            *next++ = '\0';
        if (*line == '#')
            continue;
        check_row(line);
        count++;
    }
    cc_test_ran("rows of miniscript.txt", count);
    free(data);
}

static void put_hex(struct cc_writer *w, const char *hex)
{
    size_t len;
    uint8_t *data = cc_test_unhex(hex, &len);

    cc_write_bytes(w, data, len);
    free(data);
}

/* Of letters keys, and of other words hex: "A ac 73" is pk(A) and more. */
static void expect(const char *words, const char *want)
{
    struct cc_writer script, w;
    char expected[1000] = "", word[16];

    cc_writer_init_heap(&script);
    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");

        snprintf(word, sizeof(word), "%.*s", (int)len, at);
        at += len;
        if (len == 1) {
            put_hex(&script, "2102");
            for (int i = 0; i < 32; i++)
                cc_write_u8(&script, (uint8_t)word[0]);
        } else {
            put_hex(&script, word);
        }
    }
    for (; *want; want++) {
        char text[8];

        snprintf(text, sizeof(text),
                 *want >= 'A' && *want <= 'F' ? "%02x" : "%c", *want);
        if (strlen(text) == 2) {
            strcat(expected, "02");
            for (int i = 0; i < 32; i++)
                strcat(expected, text);
        } else {
            strcat(expected, text);
        }
    }
    cc_writer_init_heap(&w);
    assert_int_equal(cc_miniscript_infer(&w, cc_bytes(script.data, script.len)),
                     *expected != '\0');
    cc_write_u8(&w, 0);
    assert_string_equal((char *)w.data, expected);
    cc_writer_clear(&w);
    cc_writer_clear(&script);
}

/* One key in two places, wherever they are. */
static void test_repeated_keys(void **state)
{
    (void)state;
    expect("A ad B ac", "and_v(v:pk(A),pk(B))");
    expect("A ad A ac", "");
    expect("A ad B ad C ac", "and_v(and_v(v:pk(A),v:pk(B)),pk(C))");
    expect("A ad B ad A ac", "");
    expect("51 A B 52 ae", "multi(1,A,B)");
    expect("51 A B A 53 ae", "");
    expect("B ad 51 A B 52 ae", "");
}

static void test_zero_and_one(void **state)
{
    (void)state;
    expect("A ac 73 64 00 68", "or_d(pk(A),0)");
    expect("A ac 6b 51 6c 9a", "and_b(pk(A),a:1)");
    expect("A ad 51", "tv:pk(A)"); /* as a wrapper where it is one */
    expect("63 00 67 A ac 68", "l:pk(A)");
    expect("63 A ac 67 00 68", "u:pk(A)");
}

/* Written as nobody writes it. */
static void test_not_minimal(void **state)
{
    (void)state;
    expect("A ac 6b 03e90300 b2 6c 9a", "");
    expect("A ac 6b 02e903 b2 6c 9a", "and_b(pk(A),a:older(1001))");
}

/* As deep as a script can nest, and as wide. */
static void test_bounds(void **state)
{
    uint8_t script[3600];
    struct cc_writer w;

    (void)state;
    cc_writer_init_heap(&w);
    memset(script, 0x92, sizeof(script)); /* 0NOTEQUAL */
    script[0] = 0x51;
    assert_false(cc_miniscript_infer(&w, cc_bytes(script, sizeof(script))));
    memset(script, 0x68, sizeof(script)); /* ENDIF */
    assert_false(cc_miniscript_infer(&w, cc_bytes(script, sizeof(script))));
    for (size_t i = 0; i < sizeof(script); i++)
        script[i] = i % 3 == 1 ? 0x7c : i % 3 == 2 ? 0x00 : 0x93;
    script[0] = 0x00; /* 0 SWAP 0 ADD SWAP 0 ADD .. */
    script[3598] = 0x52;
    script[3599] = 0x87;
    assert_false(cc_miniscript_infer(&w, cc_bytes(script, sizeof(script))));
    assert_int_equal(w.len, 0);
    cc_writer_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_repeated_keys),
        cmocka_unit_test(test_zero_and_one),
        cmocka_unit_test(test_not_minimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
