/* Passwords, the cookie, and Base64 below them. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rpc/auth.h"
#include "util/base64.h"
#include "util/fs.h"
#include "util/mem.h"

static bool knows(const struct cc_auth *a, const char *who)
{
    char *text = cc_base64_encode(who, strlen(who));
    char *header = cc_asprintf("Basic %s", text);
    bool ok = cc_auth_check(a, header, NULL, 0);

    free(header);
    free(text);
    return ok;
}

static void test_password(void **state)
{
    struct cc_auth *a;

    (void)state;
    assert_int_equal(cc_auth_new(&a, "me", "a:b", NULL, 0, "/nowhere/x", NULL),
                     CC_OK);
    assert_true(knows(a, "me:a:b"));
    assert_false(knows(a, "me:a:"));
    assert_false(knows(a, "me:a:bb"));
    assert_false(knows(a, "you:a:b"));
    assert_false(knows(a, "me"));
    assert_false(knows(a, ""));
    assert_false(cc_auth_check(a, NULL, NULL, 0));
    assert_false(cc_auth_check(a, "bWU6YTpi", NULL, 0));
    assert_true(cc_auth_check(a, "Basic bWU6YTpi", NULL, 0));
    assert_false(cc_auth_check(a, "Basic bWU6YTpi=", NULL, 0));
    assert_false(cc_auth_check(a, "Basic bWU6YTpiAA==", NULL, 0)); /* NUL */
    cc_auth_free(a);
}

/* HMAC-SHA256 of "secret" under "5alt", from Python's hmac. */
static void test_hashed(void **state)
{
    const char *const rows[] = {
        "bob:5alt$"
        "0face2a78041960f30408390bdb68edfc333ab4a9c700c7359c1bc509df15395",
        "eve:5alt$"
        "0face2a78041960f30408390bdb68edfc333ab4a9c700c7359c1bc509df15396",
    };
    const char *const broken[] = {
        "bob", "bob:salt", "bob:salt$12:", "bob:salt$12$34", "bob$12:salt", ""};
    const char *const closed[] = {"bob:salt$", "bob:salt$12", "bob:salt$zz"};
    struct cc_auth *a;

    (void)state;
    assert_int_equal(cc_auth_new(&a, NULL, NULL, rows, 2, NULL, NULL), CC_OK);
    assert_true(knows(a, "bob:secret"));
    assert_false(knows(a, "bob:secrets"));
    assert_false(knows(a, "eve:secret"));
    assert_false(knows(a, "joe:secret"));
    assert_false(knows(a, ":"));
    cc_auth_free(a);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
        assert_int_equal(cc_auth_new(&a, NULL, NULL, &broken[i], 1, NULL, NULL),
                         CC_INVALID);
    assert_int_equal(cc_auth_new(&a, NULL, NULL, closed, 3, NULL, NULL), CC_OK);
    assert_false(knows(a, "bob:"));
    cc_auth_free(a);
}

static void test_cookie(void **state)
{
    char *folder = cc_test_mkdir(), *path, *header, *text;
    struct cc_auth *a;
    struct stat st;
    uint8_t *cookie;
    size_t len;

    (void)state;
    path = cc_fs_join(folder, "cookie");
    assert_int_equal(cc_auth_new(&a, "me", "", NULL, 0, path, NULL), CC_OK);
    assert_int_equal(cc_fs_read(path, 1000, &cookie, &len, NULL), CC_OK);
    assert_int_equal(len, 11 + 64);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    text = cc_base64_encode(cookie, len);
    header = cc_asprintf("Basic %s", text);
    assert_true(cc_auth_check(a, header, NULL, 0));
    assert_false(knows(a, "me:"));
    assert_false(knows(a, "__cookie__:"));
    cc_auth_free(a);
    assert_false(cc_fs_exists(path));
    cc_test_rmdir(folder);
    assert_int_equal(cc_auth_new(&a, NULL, NULL, NULL, 0, path, NULL), CC_IO);
    free(cookie);
    free(header);
    free(text);
    free(path);
}

static void test_base64(void **state)
{
    /* RFC 4648 10 */
    static const char *const plain[] = {"",     "f",     "fo",    "foo",
                                        "foob", "fooba", "foobar"};
    static const char *const coded[] = {
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    static const char *const bad[] = {"Z",    "Zg",       "Zg=",  "Zg===",
                                      "Z===", "Zh==",     "Zm9=", "Zm9v\n",
                                      "====", "Zg==Zg==", "Zm 9", "Zm9v="};
    size_t len;

    (void)state;
    for (size_t i = 0; i < 7; i++) {
        char *text = cc_base64_encode(plain[i], strlen(plain[i]));
        uint8_t *back = cc_base64_decode(coded[i], &len);

        assert_string_equal(text, coded[i]);
        assert_non_null(back);
        assert_int_equal(len, strlen(plain[i]));
        assert_string_equal((char *)back, plain[i]);
        free(back);
        free(text);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (cc_base64_decode(bad[i], &len))
            fail_msg("taken: %s", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password),
        cmocka_unit_test(test_hashed),
        cmocka_unit_test(test_cookie),
        cmocka_unit_test(test_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
