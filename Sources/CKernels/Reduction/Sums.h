/// Blocked reductions of one ISA pass, for reductions and normalisations. Included in a pass only, after VectorMath.h.
///
/// A kind maps an element and folds it: float over a short block, then double. The order depends on the length alone.
#ifndef SDX_FOLD_KINDS
#define SDX_FOLD_KINDS
typedef enum { FOLD_SUM, FOLD_SQUARE, FOLD_ABS, FOLD_EXP, FOLD_MAX, FOLD_MIN, FOLD_PROD } fold_kind;
/// Floats of a row, and rows of a column, that are folded in float.
enum { FOLD_ROW_BLOCK = 512, FOLD_COLUMN_BLOCK = 16 };
#endif

#define vload_fill SDX_FN(fold_load_fill)
#define fold_map SDX_FN(fold_map_)
#define fold_join SDX_FN(fold_join_)
#define fold_row_block SDX_FN(fold_row_block_)
#define fold_row_kind SDX_FN(fold_row_kind_)
#define fold_row SDX_FN(fold_row_)
#define fold_moments SDX_FN(fold_moments_)

/// n floats at p (0 <= n <= SDX_V), the other lanes `fill`.
SDX_INLINE vf vload_fill(const float *p, int64_t n, float fill) {
    vi lane;
    for (int i = 0; i < SDX_V; i++) lane[i] = i;
    return lane < (vi)((int32_t)n) ? vload_first(p, n) : vsplat(fill);
}

/// shift is for FOLD_EXP only: e^(x − shift).
SDX_INLINE vf fold_map(fold_kind kind, vf x, vf shift) {
    switch (kind) {
    case FOLD_SQUARE: return x * x;
    case FOLD_ABS: return vabs(x);
    case FOLD_EXP: return vexp(x - shift);
    default: return x;
    }
}
SDX_INLINE vf fold_join(fold_kind kind, vf a, vf b) {
    switch (kind) {
    case FOLD_MAX: return vmax_nan(a, b);
    case FOLD_MIN: return vmin_nan(a, b);
    default: return a + b;
    }
}

/// At most FOLD_ROW_BLOCK floats, in four vectors of partial results. `fill` is an element that changes nothing.
SDX_INLINE double fold_row_block(fold_kind kind, const float *x, int64_t n, vf shift, float fill) {
    const vf start = fold_map(kind, vsplat(fill), shift);
    vf a[4] = {start, start, start, start};
    int64_t i = 0;
    for (; i + 4 * SDX_V <= n; i += 4 * SDX_V)
        for (int k = 0; k < 4; k++) a[k] = fold_join(kind, a[k], fold_map(kind, vload(x + i + k * SDX_V), shift));
    for (; i + SDX_V <= n; i += SDX_V) a[0] = fold_join(kind, a[0], fold_map(kind, vload(x + i), shift));
    if (i < n) a[1] = fold_join(kind, a[1], fold_map(kind, vload_fill(x + i, n - i, fill), shift));
    vf all = fold_join(kind, fold_join(kind, a[0], a[1]), fold_join(kind, a[2], a[3]));
    return kind == FOLD_MAX ? vhmax(all) : kind == FOLD_MIN ? vhmin(all) : vdw_sum(all);
}

SDX_INLINE double fold_row_kind(fold_kind kind, const float *x, int64_t n, float shift, float fill) {
    const vf s = vsplat(shift);
    double r = fill;
    if (kind == FOLD_EXP) r = 0;
    for (int64_t i = 0; i < n; i += FOLD_ROW_BLOCK) {
        double b = fold_row_block(kind, x + i, n - i < FOLD_ROW_BLOCK ? n - i : FOLD_ROW_BLOCK, s, fill);
        if (kind == FOLD_MAX) r = r != r || r > b ? r : b;
        else if (kind == FOLD_MIN) r = r != r || r < b ? r : b;
        else r += b;
    }
    return r;
}

/// The fold of n floats.
static __attribute__((unused, noinline)) double fold_row(fold_kind kind, const float *x, int64_t n, float shift) {
    switch (kind) {
    case FOLD_SUM: return fold_row_kind(FOLD_SUM, x, n, 0, 0);
    case FOLD_SQUARE: return fold_row_kind(FOLD_SQUARE, x, n, 0, 0);
    case FOLD_ABS: return fold_row_kind(FOLD_ABS, x, n, 0, 0);
    case FOLD_EXP: return fold_row_kind(FOLD_EXP, x, n, shift, -INFINITY);
    case FOLD_MAX: return fold_row_kind(FOLD_MAX, x, n, 0, -INFINITY);
    case FOLD_MIN: return fold_row_kind(FOLD_MIN, x, n, 0, INFINITY);
    case FOLD_PROD: {
        vdw p = (vdw)(1.0);
        int64_t i = 0;
        for (; i + SDX_V <= n; i += SDX_V) p *= __builtin_convertvector(vload(x + i), vdw);
        if (i < n) p *= __builtin_convertvector(vload_fill(x + i, n - i, 1), vdw);
        double r = 1;
        for (int k = 0; k < SDX_V; k++) r *= p[k];
        return r;
    }
    }
    return 0;
}

/// sums[0] = Σ(x − shift), sums[1] = Σ(x − shift)². With shift near the mean, the mean shift + sums[0]/n and the
/// squared deviations sums[1] − sums[0]²/n are nearly those of double arithmetic, whatever the rounding of shift.
static __attribute__((unused, noinline)) void fold_moments(const float *x, int64_t n, float shift, double *sums) {
    const vf m = vsplat(shift);
    sums[0] = sums[1] = 0;
    for (int64_t b = 0; b < n; b += FOLD_ROW_BLOCK) {
        int64_t end = b + FOLD_ROW_BLOCK < n ? b + FOLD_ROW_BLOCK : n, i = b;
        vf s[2] = {{0}, {0}}, q[2] = {{0}, {0}};
        for (; i + 2 * SDX_V <= end; i += 2 * SDX_V) {
            for (int k = 0; k < 2; k++) {
                vf d = vload(x + i + k * SDX_V) - m;
                s[k] += d;
                q[k] = vfma(d, d, q[k]);
            }
        }
        for (; i < end; i += SDX_V) {
            vf d = vload_fill(x + i, end - i < SDX_V ? end - i : SDX_V, shift) - m;
            s[0] += d;
            q[0] = vfma(d, d, q[0]);
        }
        sums[0] += vdw_sum(s[0] + s[1]);
        sums[1] += vdw_sum(q[0] + q[1]);
    }
}
