#include "crypto/sealfield.h"

#include "crypto/aes.h"
#include "crypto/mtree.h"
#include "support.h"

#include <stdlib.h>

#include <gmp.h>

static const struct cc_sealfield main_field = {4096, 2549};
static const struct cc_sealfield regtest_field = {1024, 179};

static void prime(mpz_t p, const struct cc_sealfield *f)
{
    mpz_ui_pow_ui(p, 2, f->bits);
    mpz_sub_ui(p, p, f->c);
}

/* Raw leaf to sealed leaf and back (doc/protocol.md 6), with the vectors' K. */
static void test_vectors(void **state)
{
    json_t *root = cc_test_load_json("storage_seal.json"), *row;
    size_t i, ran = 0;

    (void)state;
    if (!root)
        skip();
    json_array_foreach(json_object_get(root, "seals"), i, row)
    {
        const struct cc_sealfield *f =
            strcmp(cc_test_string(row, "chain"), "main") ? &regtest_field
                                                         : &main_field;
        uint8_t k[32], counter[16] = {0}, *raw, *sealed, *data;
        size_t len, elems = CC_LEAF_SIZE / (f->bits / 8);

        cc_test_unhex_into(k, 32, cc_test_string(row, "K"));
        raw = cc_test_unhex(cc_test_string(row, "raw"), &len);
        assert_int_equal(len, CC_LEAF_SIZE);
        sealed = cc_test_unhex(cc_test_string(row, "sealed"), &len);
        assert_int_equal(len, CC_LEAF_SIZE);
        data = malloc(len);
        assert_non_null(data);
        cc_put_u64be(counter + 8,
                     (uint64_t)cc_test_int(row, "leaf_index") * 64);
        memcpy(data, raw, len);
        cc_aes256_ctr(data, len, k, counter);
        cc_sealfield_root(f, data, elems);
        assert_memory_equal(data, sealed, len);
        cc_sealfield_cube(f, data, elems);
        cc_aes256_ctr(data, len, k, counter);
        assert_memory_equal(data, raw, len);
        free(raw);
        free(sealed);
        free(data);
        ran++;
    }
    cc_test_ran("storage_seal seals", ran);
    json_decref(root);
}

/* Against GMP's plain integers, at the edges and at random. */
static void test_against_integers(void **state)
{
    const struct cc_sealfield *fields[] = {&regtest_field, &main_field};
    struct cc_test_random r;

    (void)state;
    cc_test_random_init(&r, 3);
    for (int k = 0; k < 2; k++) {
        const struct cc_sealfield *f = fields[k];
        size_t size = f->bits / 8;
        uint8_t *in = calloc(1, size), *out = malloc(size);
        mpz_t p, x, y, e;

        assert_true(in && out);
        mpz_inits(p, x, y, e, NULL);
        prime(p, f);
        assert_int_equal(mpz_fdiv_ui(p, 3), 2);
        mpz_mul_ui(e, p, 2);
        mpz_sub_ui(e, e, 1);
        mpz_divexact_ui(e, e, 3);
        for (int i = 0; i < 40; i++) {
            size_t n;

            if (i < 6) { /* p - 3 … p + 2 */
                mpz_add_ui(x, p, (unsigned)i);
                mpz_sub_ui(x, x, 3);
            } else if (i < 10) { /* 0 … 3 */
                mpz_set_ui(x, (unsigned)i - 6);
            } else if (i == 10) { /* 2^bits - 1 */
                mpz_ui_pow_ui(x, 2, f->bits);
                mpz_sub_ui(x, x, 1);
            } else if (i == 11) { /* only the lowest word looks like p's */
                mpz_ui_pow_ui(x, 2, 64);
                mpz_sub_ui(x, x, 1);
            } else if (i == 12) { /* all but the highest word do */
                mpz_ui_pow_ui(x, 2, f->bits - 64);
                mpz_sub_ui(x, x, 1);
            } else if (i == 13) { /* all but the second one do */
                mpz_ui_pow_ui(x, 2, f->bits);
                mpz_sub_ui(x, x, 1);
                mpz_clrbit(x, 64);
            } else {
                mpz_set_ui(x, 0);
                for (size_t j = 0; j < size / 8; j++) {
                    mpz_mul_2exp(x, x, 64);
                    mpz_add_ui(x, x, cc_test_random(&r));
                }
            }
            memset(in, 0, size);
            mpz_export(in, &n, -1, 1, -1, 0, x);
            /* cube */
            memcpy(out, in, size);
            cc_sealfield_cube(f, out, 1);
            if (mpz_cmp(x, p) >= 0)
                mpz_set(y, x);
            else
                mpz_powm_ui(y, x, 3, p);
            mpz_import(x, size, -1, 1, -1, 0, out);
            assert_int_equal(mpz_cmp(x, y), 0);
            /* root, and the way back */
            mpz_import(x, size, -1, 1, -1, 0, in);
            memcpy(out, in, size);
            cc_sealfield_root(f, out, 1);
            if (mpz_cmp(x, p) >= 0)
                mpz_set(y, x);
            else
                mpz_powm(y, x, e, p);
            mpz_import(x, size, -1, 1, -1, 0, out);
            assert_int_equal(mpz_cmp(x, y), 0);
            cc_sealfield_cube(f, out, 1);
            assert_memory_equal(in, out, size);
        }
        mpz_clears(p, x, y, e, NULL);
        free(in);
        free(out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_against_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
