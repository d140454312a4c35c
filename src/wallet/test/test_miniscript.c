/* The Miniscript that a script is. */
#include "support.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
