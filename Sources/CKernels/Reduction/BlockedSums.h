/// Sums over the pixels of a block of 8 channels, in one ISA pass; after Elementwise/Blocked.h. No include guard.
///
/// Sums are taken in float over 64 pixels (16 values or fewer in a row) and from there on in double, in an order fixed
/// by the number of pixels.
#ifndef SDX_BLOCKED_SUM_PIXELS
#define SDX_BLOCKED_SUM_PIXELS
enum { SUM_PIXELS = 64 };
#endif

#define unit_fold SDX_FN(sdx_unit_fold)
#define block_sum SDX_FN(sdx_block_sum)
#define block_deviations SDX_FN(sdx_block_deviations)

/// The sum of a unit's pixels.
SDX_INLINE v8 unit_fold(const vf u[SDX_UNIT_VECTORS]) {
#if SDX_V == 16
    return u[0].lo + u[0].hi;
#elif SDX_V == 8
    return u[0];
#else
    return __builtin_shufflevector(u[0], u[1], 0, 1, 2, 3, 4, 5, 6, 7);
#endif
}

/// Σ x.
SDX_INLINE d8 block_sum(const float *x, int64_t pixels) {
    d8 sum = (d8)(0.0);
    for (int64_t b = 0; b < pixels; b += SUM_PIXELS) {
        const float *p = x + b * 8, *end = x + (b + SUM_PIXELS < pixels ? b + SUM_PIXELS : pixels) * 8;
        vf s[4][SDX_UNIT_VECTORS];
        memset(s, 0, sizeof s);
        for (; p + 4 * SDX_UNIT <= end; p += 4 * SDX_UNIT)
            for (int i = 0; i < 4; i++)
                for (int k = 0; k < SDX_UNIT_VECTORS; k++) s[i][k] += vload(p + i * SDX_UNIT + k * SDX_V);
        for (; p + SDX_UNIT <= end; p += SDX_UNIT)
            for (int k = 0; k < SDX_UNIT_VECTORS; k++) s[0][k] += vload(p + k * SDX_V);
        if (SDX_V > 8 && p < end) s[1][0] += vload_first(p, 8);
        for (int k = 0; k < SDX_UNIT_VECTORS; k++) s[0][k] = (s[0][k] + s[1][k]) + (s[2][k] + s[3][k]);
        sum += __builtin_convertvector(unit_fold(s[0]), d8);
    }
    return sum;
}

/// *sum = Σ (x − shift), *squares = Σ (x − shift)², shift having a value a channel.
SDX_INLINE void block_deviations(const float *x, int64_t pixels, const float shift[8], d8 *sum, d8 *squares) {
    vf m[SDX_UNIT_VECTORS];
    unit_spread(shift, m);
    *sum = *squares = (d8)(0.0);
    for (int64_t b = 0; b < pixels; b += SUM_PIXELS) {
        const float *p = x + b * 8, *end = x + (b + SUM_PIXELS < pixels ? b + SUM_PIXELS : pixels) * 8;
        vf s[2][SDX_UNIT_VECTORS], q[2][SDX_UNIT_VECTORS];
        memset(s, 0, sizeof s);
        memset(q, 0, sizeof q);
        for (; p + 2 * SDX_UNIT <= end; p += 2 * SDX_UNIT)
            for (int i = 0; i < 2; i++)
                for (int k = 0; k < SDX_UNIT_VECTORS; k++) {
                    const vf d = vload(p + i * SDX_UNIT + k * SDX_V) - m[k];
                    s[i][k] += d;
                    q[i][k] = vfma(d, d, q[i][k]);
                }
        for (; p + SDX_UNIT <= end; p += SDX_UNIT)
            for (int k = 0; k < SDX_UNIT_VECTORS; k++) {
                const vf d = vload(p + k * SDX_V) - m[k];
                s[0][k] += d;
                q[0][k] = vfma(d, d, q[0][k]);
            }
        if (SDX_V > 8 && p < end) {
            const vf d = vload_first(p, 8) - vload_first(shift, 8);
            s[0][0] += d;
            q[0][0] = vfma(d, d, q[0][0]);
        }
        for (int k = 0; k < SDX_UNIT_VECTORS; k++) s[0][k] += s[1][k];
        for (int k = 0; k < SDX_UNIT_VECTORS; k++) q[0][k] += q[1][k];
        *sum += __builtin_convertvector(unit_fold(s[0]), d8);
        *squares += __builtin_convertvector(unit_fold(q[0]), d8);
    }
}
