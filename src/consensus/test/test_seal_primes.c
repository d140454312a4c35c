/*
 * The seal's moduli are prime: certificates in test/data, checked step by step
 * (Goldwasser, Kilian, "Almost all primes can be quickly certified", 1986;
 * Atkin, Morain, "Elliptic curves and primality proving", 1993).
 *
 * Let E: y^2 = x^3 + ax + b over Z/N, gcd(N, 6) = gcd(4a^3 + 27b^2, N) = 1, P
 * on it, q prime with q > (N^(1/4) + 1)^2. If Q = sP is no zero modulo any
 * prime of N and qQ is zero modulo each, then N is prime: else its least prime
 * r <= sqrt(N) has a curve of at least q > (sqrt(r) + 1)^2 points, over
 * Hasse's bound. That q is prime is the next step's matter; the last is below
 * 2^64, where Miller-Rabin with the first twelve primes decides (Sorenson,
 * Webster 2015).
 */
#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#include "consensus/params.h"
#include "support.h"

/* Jacobian coordinates: x = X / Z^2, y = Y / Z^3. The formulas are not
 * complete: where they do not hold modulo some prime of N, Z becomes zero
 * modulo it and stays so. Whoever then finds gcd(Z, N) = 1 knows that they
 * held throughout. */
struct point {
    mpz_t x, y, z;
};

struct curve {
    mpz_t n, a, b;
    mpz_t t[8];
};

static void curve_init(struct curve *c)
{
    mpz_inits(c->n, c->a, c->b, NULL);
    for (size_t i = 0; i < 8; i++)
        mpz_init(c->t[i]);
}

static void curve_clear(struct curve *c)
{
    mpz_clears(c->n, c->a, c->b, NULL);
    for (size_t i = 0; i < 8; i++)
        mpz_clear(c->t[i]);
}

static void point_init(struct point *p) { mpz_inits(p->x, p->y, p->z, NULL); }

static void point_clear(struct point *p) { mpz_clears(p->x, p->y, p->z, NULL); }

static void mul(mpz_t out, const mpz_t a, const mpz_t b, const struct curve *c)
{
    mpz_mul(out, a, b);
    mpz_mod(out, out, c->n);
}

/* p = 2p: S = 4XY^2, M = 3X^2 + aZ^4; X' = M^2 - 2S, Y' = M(S - X') - 8Y^4,
 * Z' = 2YZ. */
static void point_double(struct point *p, struct curve *c)
{
    mpz_t *t = c->t;

    mul(t[0], p->y, p->y, c);
    mul(t[1], p->x, t[0], c);
    mpz_mul_2exp(t[1], t[1], 2); /* S */
    mul(t[2], p->x, p->x, c);
    mpz_mul_ui(t[2], t[2], 3);
    mul(t[3], p->z, p->z, c);
    mul(t[3], t[3], t[3], c);
    mul(t[3], t[3], c->a, c);
    mpz_add(t[2], t[2], t[3]); /* M */
    mul(p->z, p->y, p->z, c);
    mpz_mul_2exp(p->z, p->z, 1);
    mpz_mod(p->z, p->z, c->n);
    mul(p->x, t[2], t[2], c);
    mpz_submul_ui(p->x, t[1], 2);
    mpz_mod(p->x, p->x, c->n);
    mul(t[0], t[0], t[0], c);
    mpz_sub(t[1], t[1], p->x);
    mul(p->y, t[2], t[1], c);
    mpz_submul_ui(p->y, t[0], 8);
    mpz_mod(p->y, p->y, c->n);
}

/* p = p + q, q affine: H = xZ^2 - X, R = yZ^3 - Y; X' = R^2 - H^3 - 2XH^2,
 * Y' = R(XH^2 - X') - YH^3, Z' = ZH. */
static void point_add(struct point *p, const struct point *q, struct curve *c)
{
    mpz_t *t = c->t;

    mul(t[0], p->z, p->z, c);
    mul(t[1], q->x, t[0], c);
    mpz_sub(t[1], t[1], p->x); /* H */
    mul(t[0], t[0], p->z, c);
    mul(t[2], q->y, t[0], c);
    mpz_sub(t[2], t[2], p->y); /* R */
    mul(t[3], t[1], t[1], c);
    mul(t[4], t[3], t[1], c); /* H^3 */
    mul(t[3], t[3], p->x, c); /* XH^2 */
    mul(p->z, p->z, t[1], c);
    mul(p->x, t[2], t[2], c);
    mpz_sub(p->x, p->x, t[4]);
    mpz_submul_ui(p->x, t[3], 2);
    mpz_mod(p->x, p->x, c->n);
    mpz_sub(t[3], t[3], p->x);
    mul(t[3], t[2], t[3], c);
    mul(t[4], t[4], p->y, c);
    mpz_sub(p->y, t[3], t[4]);
    mpz_mod(p->y, p->y, c->n);
}

/* out = k·p in affine form (Z = 1), k >= 1; false if the formulas failed or
 * the result is zero modulo some prime of N. */
static bool point_times(struct point *out, const mpz_t k, const struct point *p,
                        struct curve *c)
{
    struct point r;
    bool ok;

    point_init(&r);
    mpz_set(r.x, p->x);
    mpz_set(r.y, p->y);
    mpz_set_ui(r.z, 1);
    for (size_t bit = mpz_sizeinbase(k, 2) - 1; bit-- > 0;) {
        point_double(&r, c);
        if (mpz_tstbit(k, bit))
            point_add(&r, p, c);
    }
    ok = mpz_invert(c->t[5], r.z, c->n) != 0;
    mul(c->t[6], c->t[5], c->t[5], c);
    mul(out->x, r.x, c->t[6], c);
    mul(c->t[6], c->t[6], c->t[5], c);
    mul(out->y, r.y, c->t[6], c);
    mpz_set_ui(out->z, 1);
    point_clear(&r);
    return ok;
}

/* b from the point, and is the curve one modulo every prime of N? */
static bool curve_through(struct curve *c, const struct point *p)
{
    mul(c->b, p->y, p->y, c);
    mul(c->t[0], p->x, p->x, c);
    mpz_add(c->t[0], c->t[0], c->a);
    mul(c->t[0], c->t[0], p->x, c);
    mpz_sub(c->b, c->b, c->t[0]);
    mpz_mod(c->b, c->b, c->n);
    mul(c->t[0], c->a, c->a, c);
    mul(c->t[0], c->t[0], c->a, c);
    mpz_mul_2exp(c->t[0], c->t[0], 2);
    mul(c->t[1], c->b, c->b, c);
    mpz_addmul_ui(c->t[0], c->t[1], 27);
    mpz_mul_ui(c->t[0], c->t[0], 6);
    mpz_gcd(c->t[0], c->t[0], c->n);
    return mpz_cmp_ui(c->t[0], 1) == 0;
}

/* q > (N^(1/4) + 1)^2, roots rounded so that it is surely so. */
static bool large_enough(const mpz_t q, const mpz_t n)
{
    mpz_t r;
    bool ok;

    mpz_init(r);
    mpz_root(r, n, 4);
    mpz_add_ui(r, r, 2);
    mpz_mul(r, r, r);
    ok = mpz_cmp(q, r) > 0;
    mpz_clear(r);
    return ok;
}

/* One step: N is prime if q, which is put in its place, is. */
static bool check_step(struct curve *c, const mpz_t trace, const mpz_t s,
                       struct point *p)
{
    struct point q_point, minus;
    mpz_t q, k;
    bool ok;

    point_init(&q_point);
    point_init(&minus);
    mpz_inits(q, k, NULL);
    mpz_add_ui(q, c->n, 1);
    mpz_sub(q, q, trace);
    ok = mpz_sgn(s) > 0 && mpz_divisible_p(q, s);
    if (ok) {
        mpz_divexact(q, q, s);
        mpz_sub_ui(k, q, 1);
        ok = large_enough(q, c->n) && curve_through(c, p) &&
             point_times(&q_point, s, p, c) &&
             point_times(&minus, k, &q_point, c);
        /* (q - 1)Q = -Q modulo every prime of N. */
        mpz_add(k, minus.y, q_point.y);
        ok = ok && mpz_cmp(minus.x, q_point.x) == 0 && mpz_divisible_p(k, c->n);
        mpz_set(c->n, q);
    }
    mpz_clears(q, k, NULL);
    point_clear(&minus);
    point_clear(&q_point);
    return ok;
}

/* Deterministic below 2^64. */
static bool small_prime(const mpz_t n)
{
    static const unsigned bases[] = {2,  3,  5,  7,  11, 13,
                                     17, 19, 23, 29, 31, 37};
    mpz_t d, x, minus;
    unsigned twos = 0;
    bool ok =
        mpz_sizeinbase(n, 2) <= 64 && mpz_cmp_ui(n, 40) > 0 && mpz_odd_p(n);

    mpz_inits(d, x, minus, NULL);
    mpz_sub_ui(minus, n, 1);
    mpz_set(d, minus);
    while (ok && mpz_even_p(d)) {
        mpz_tdiv_q_2exp(d, d, 1);
        twos++;
    }
    for (size_t i = 0; ok && i < sizeof(bases) / sizeof(*bases); i++) {
        mpz_set_ui(x, bases[i]);
        mpz_powm(x, x, d, n);
        if (mpz_cmp_ui(x, 1) == 0 || mpz_cmp(x, minus) == 0)
            continue;
        ok = false;
        for (unsigned r = 1; r < twos && !ok; r++) {
            mpz_powm_ui(x, x, 2, n);
            ok = mpz_cmp(x, minus) == 0;
        }
    }
    mpz_clears(d, x, minus, NULL);
    return ok;
}

static bool read_step(char **at, mpz_t trace, mpz_t s, struct curve *c,
                      struct point *p)
{
    mpz_t *fields[5] = {(mpz_t *)trace, (mpz_t *)s, &c->a, &p->x, &p->y};
    char *end;

    for (size_t i = 0; i < 5; i++) {
        end = strpbrk(*at, " \n");
        if (!end)
            return false;
        *end = 0;
        if (mpz_set_str(*fields[i], *at, 16))
            return false;
        *at = end + 1;
    }
    mpz_set_ui(p->z, 1);
    return true;
}

/* Number of steps; 0 if the certificate does not prove 2^bits - c prime.
 * spoil: change one digit of that step first. */
static size_t check_certificate(const char *file, unsigned bits, unsigned less,
                                size_t spoil)
{
    char *text = cc_test_load(file, NULL), *at = text;
    struct curve c;
    struct point p;
    mpz_t trace, s;
    size_t steps = 0;
    bool ok = true;

    if (!text)
        return 0;
    curve_init(&c);
    point_init(&p);
    mpz_inits(trace, s, NULL);
    while (*at == '#')
        at = strchr(at, '\n') + 1;
    mpz_set_ui(c.n, 1);
    mpz_mul_2exp(c.n, c.n, bits);
    mpz_sub_ui(c.n, c.n, less);
    at = strchr(at, '\n') + 1; /* the number, for the reader */
    while (ok && *at) {
        ok = read_step(&at, trace, s, &c, &p);
        steps++;
        if (ok && steps == spoil)
            mpz_add_ui(p.x, p.x, 1);
        ok = ok && check_step(&c, trace, s, &p);
    }
    ok = ok && small_prime(c.n);
    mpz_clears(trace, s, NULL);
    point_clear(&p);
    curve_clear(&c);
    free(text);
    return ok ? steps : 0;
}

static void check_chain(enum cc_chain_id id, const char *file)
{
    const struct cc_storage_params *p = &cc_params_get(id)->storage;
    size_t steps = check_certificate(file, p->seal_bits, p->seal_c, 0);

    assert_true(steps > 0);
    cc_test_ran(file, steps);
    /* p = 2 mod 3, so that every residue has exactly one cube root: 2^even is
     * 1 mod 3, so c must be 2. */
    assert_int_equal(p->seal_bits % 2, 0);
    assert_int_equal(p->seal_c % 3, 2);
}

static void test_regtest(void **state)
{
    (void)state;
    check_chain(CC_CHAIN_REGTEST, "seal_prime_1024.txt");
}

static void test_main(void **state)
{
    (void)state;
    check_chain(CC_CHAIN_MAIN, "seal_prime_4096.txt");
}

/* The checker is no rubber stamp. */
static void test_refused(void **state)
{
    static const unsigned composites[] = {1, 3, 177, 181};
    mpz_t n;

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(
            check_certificate("seal_prime_1024.txt", 1024, composites[i], 0),
            0);
    for (size_t i = 1; i <= 20; i++)
        assert_int_equal(check_certificate("seal_prime_1024.txt", 1024, 179, i),
                         0);
    mpz_init(n);
    mpz_set_str(n, "3825123056546413051", 10); /* strong pseudoprime to 2-23 */
    assert_false(small_prime(n));
    mpz_set_str(n, "18446744073709551557", 10); /* greatest below 2^64 */
    assert_true(small_prime(n));
    mpz_clear(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regtest),
        cmocka_unit_test(test_main),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
