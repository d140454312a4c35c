#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/fs.h"
#include "util/mem.h"

static char *read_file(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *data;
    long size;

    if (!f)
        return NULL;
    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);
    assert_true(size >= 0);
    data = malloc((size_t)size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)size, f), size);
    data[size] = 0;
    fclose(f);
    if (len)
        *len = (size_t)size;
    return data;
}

char *cc_test_load(const char *name, size_t *len)
{
    const char *dirs[] = {CC_TEST_DATA, getenv("CC_VECTORS"), CC_VECTORS};
    char path[1024], *data;

    for (size_t i = 0; i < 3; i++) {
        if (!dirs[i])
            continue;
        snprintf(path, sizeof(path), "%s/%s", dirs[i], name);
        data = read_file(path, len);
        if (data)
            return data;
    }
    print_message("%s: not found; set CC_VECTORS to its folder\n", name);
    return NULL;
}

json_t *cc_test_load_json(const char *name)
{
    json_error_t e;
    size_t len;
    char *data = cc_test_load(name, &len);
    json_t *root;

    if (!data)
        return NULL;
    root = json_loadb(data, len, JSON_ALLOW_NUL, &e);
    if (!root)
        fail_msg("%s:%d: %s", name, e.line, e.text);
    free(data);
    return root;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    fail_msg("no hex digit: '%c'", c);
    return 0;
}

uint8_t *cc_test_unhex(const char *hex, size_t *len)
{
    size_t n = strlen(hex);
    uint8_t *out = malloc(n / 2 + 1);

    assert_non_null(out);
    assert_int_equal(n % 2, 0);
    for (size_t i = 0; i < n / 2; i++)
        out[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    *len = n / 2;
    return out;
}

void cc_test_unhex_into(void *out, size_t len, const char *hex)
{
    size_t n;
    uint8_t *data = cc_test_unhex(hex, &n);

    assert_int_equal(n, len);
    memcpy(out, data, len);
    free(data);
}

const char *cc_test_hex(const void *data, size_t len)
{
    static char ring[4][2 * 1024 + 1];
    static unsigned next;
    char *out = ring[next++ % 4];

    if (len > 1024)
        len = 1024;
    for (size_t i = 0; i < len; i++)
        snprintf(out + 2 * i, 3, "%02x", ((const uint8_t *)data)[i]);
    out[2 * len] = 0;
    return out;
}

const char *cc_test_string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));

    if (!s)
        fail_msg("no string \"%s\"", key);
    return s;
}

int64_t cc_test_int(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);

    if (!json_is_integer(v))
        fail_msg("no integer \"%s\"", key);
    return json_integer_value(v);
}

void cc_test_random_init(struct cc_test_random *r, uint64_t seed)
{
    const char *given = getenv("CC_SEED");

    r->state = given ? strtoull(given, NULL, 0) : seed;
    print_message("seed: CC_SEED=%llu\n", (unsigned long long)r->state);
}

uint64_t cc_test_random(struct cc_test_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void cc_test_ran(const char *what, size_t cases)
{
    print_message("%s: %zu cases ran\n", what, cases);
}

/* Long: only what fails takes so long, and machines may be busy. */
#define DEADLINE_MS 180000

void cc_test_until(bool (*cond)(void *arg), void *arg, const char *what)
{
    int64_t end = cc_clock_monotonic_ms() + DEADLINE_MS;
    struct timespec pause = {0, 2000000};

    while (!cond(arg)) {
        if (cc_clock_monotonic_ms() > end)
            fail_msg("not so after %d ms: %s", DEADLINE_MS, what);
        nanosleep(&pause, NULL);
    }
}

/* Those that are there now, and whose they are: a child that a test forked
 * has no business with them. */
static char **folders;
static size_t folder_count, folder_cap;
static pid_t folder_owner;

static void remove_folders(void)
{
    while (folder_count && getpid() == folder_owner) {
        cc_fs_remove_tree(folders[--folder_count], NULL);
        free(folders[folder_count]);
    }
    free(folders);
    folders = NULL;
}

char *cc_test_mkdir(void)
{
    const char *base = getenv("TMPDIR");
    char *path = cc_asprintf("%s/cloudcoin-unit-XXXXXX", base ? base : "/tmp");

    assert_non_null(mkdtemp(path));
    if (!folder_owner) {
        folder_owner = getpid();
        assert_int_equal(atexit(remove_folders), 0);
    }
    folders = cc_grow(folders, &folder_cap, folder_count + 1, sizeof(*folders));
    folders[folder_count++] = cc_strdup(path);
    return path;
}

void cc_test_rmdir(char *path)
{
    struct cc_error err;

    if (cc_fs_remove_tree(path, &err) != CC_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < folder_count; i++) {
        if (strcmp(folders[i], path) != 0)
            continue;
        free(folders[i]);
        folders[i] = folders[--folder_count];
    }
    free(path);
}
