/// Elementary functions on vectors of one ISA pass. Included in a pass only, after Vector.h. No include guard.
///
/// Everything here is lane by lane: a lane's result depends on that lane alone. Denormals may be flushed at will (the
/// pool flushes them anyway). Bounds in ULP are of the correctly rounded result, over all finite floats of the range.
#define vdw SDX_FN(sdx_vdw)
#define vmax_nan SDX_FN(sdx_vmax_nan)
#define vmin_nan SDX_FN(sdx_vmin_nan)
#define vabs SDX_FN(sdx_vabs)
#define vcopysign SDX_FN(sdx_vcopysign)
#define vfloor SDX_FN(sdx_vfloor)
#define vceil SDX_FN(sdx_vceil)
#define vround SDX_FN(sdx_vround)
#define vsqrt SDX_FN(sdx_vsqrt)
#define vexp SDX_FN(sdx_vexp)
#define vexp_reduce SDX_FN(sdx_vexp_reduce)
#define vexpm1 SDX_FN(sdx_vexpm1)
#define vlog SDX_FN(sdx_vlog)
#define vlog1p SDX_FN(sdx_vlog1p)
#define vsigmoid SDX_FN(sdx_vsigmoid)
#define vtanh SDX_FN(sdx_vtanh)
#define verf SDX_FN(sdx_verf)
#define vsoftplus SDX_FN(sdx_vsoftplus)
#define vmish SDX_FN(sdx_vmish)
#define vpow SDX_FN(sdx_vpow)
#define vhmax SDX_FN(sdx_vhmax)
#define vhmin SDX_FN(sdx_vhmin)
#define vdw_sum SDX_FN(sdx_vdw_sum)

/// SDX_V doubles.
typedef double vdw __attribute__((ext_vector_type(SDX_V)));
typedef int64_t SDX_FN(sdx_vlw) __attribute__((ext_vector_type(SDX_V)));

/// The larger (smaller) lane; NaN where either is NaN.
SDX_INLINE vf vmax_nan(vf a, vf b) { return a != a ? a : (a > b ? a : b); }
SDX_INLINE vf vmin_nan(vf a, vf b) { return a != a ? a : (a < b ? a : b); }

SDX_INLINE vf vabs(vf x) { return vas_float(vas_int(x) & 0x7fffffff); }
SDX_INLINE vf vcopysign(vf x, vf sign) {
    return vas_float((vas_int(x) & 0x7fffffff) | (vas_int(sign) & (int32_t)0x80000000));
}

/// To the nearest integer, ties to even. Exact; −0 and infinities stay.
SDX_INLINE vf vround(vf x) {
#if SDX_TARGET_BASELINE
    vf t = vabs(x);
    vf r = (t + 0x1p23f) - 0x1p23f;
    return t < 0x1p23f ? vcopysign(r, x) : x;
#else
    return __builtin_elementwise_roundeven(x);
#endif
}
SDX_INLINE vf vfloor(vf x) {
#if SDX_TARGET_BASELINE
    vf r = vround(x);
    return vcopysign(r > x ? r - 1.0f : r, x);
#else
    return __builtin_elementwise_floor(x);
#endif
}
SDX_INLINE vf vceil(vf x) {
#if SDX_TARGET_BASELINE
    vf r = vround(x);
    return vcopysign(r < x ? r + 1.0f : r, x);
#else
    return __builtin_elementwise_ceil(x);
#endif
}
SDX_INLINE vf vsqrt(vf x) { return __builtin_elementwise_sqrt(x); }

/// x = n·ln 2 + r for |x| <= 105: returns r and sets *n; *p is (eʳ − 1 − r) / r².
SDX_INLINE vf vexp_reduce(vf x, vf *n, vf *p) {
    // Adding 1.5·2²³ rounds to an integer, which then stands in the low bits.
    vf t = vfma(x, vsplat(1.44269504f), vsplat(12582912.0f)) - 12582912.0f;
    vf r = vfma(t, vsplat(-0.693359375f), x);
    r = vfma(t, vsplat(2.12194440e-4f), r);
    vf q = vfma(vsplat(1.9875691500e-4f), r, vsplat(1.3981999507e-3f));
    q = vfma(q, r, vsplat(8.3334519073e-3f));
    q = vfma(q, r, vsplat(4.1665795894e-2f));
    q = vfma(q, r, vsplat(1.6666665459e-1f));
    *p = vfma(q, r, vsplat(5.0000001201e-1f));
    *n = t;
    return r;
}

/// eˣ. inf from 88.7229, 0 below −87.3365 (where flushed); 1 ULP.
SDX_INLINE vf vexp(vf x) {
    vf n, p, c = vmax(vsplat(-104.0f), vmin(vsplat(89.0f), x)); // this order of arguments keeps a NaN
    vf r = vexp_reduce(c, &n, &p);
    vf y = vfma(p, r * r, r) + 1.0f;
#if SDX_TARGET_AVX512
    return (vf)_mm512_scalef_ps((__m512)y, (__m512)n);
#else
    // 2ⁿ in two factors, so that neither overflows.
    vi i = vas_int(n + 12582912.0f) - 0x4b400000;
    vi half = i >> 1;
    return y * vas_float((half + 127) << 23) * vas_float((i - half + 127) << 23);
#endif
}

/// eˣ − 1 for x <= 88, larger x count as 88; 1 ULP.
SDX_INLINE vf vexpm1(vf x) {
    vf n, p, c = vmax(vsplat(-80.0f), vmin(vsplat(88.0f), x));
    vf r = vexp_reduce(c, &n, &p);
    vf e = vfma(p, r * r, r);
    vf s = vas_float((vas_int(n + 12582912.0f) - 0x4b400000 + 127) << 23);
    return vfma(s, e, s - 1.0f);
}

/// ln x. −inf at 0 and at denormals, NaN below, inf at inf; 1 ULP.
SDX_INLINE vf vlog(vf x) {
    vi ix = vas_int(x) - 0x3f3504f3; // √½: m in [√½, √2)
    vf e = __builtin_convertvector(ix >> 23, vf);
    vf z = vas_float((ix & 0x7fffff) + 0x3f3504f3) - 1.0f;
    vf zz = z * z;
    vf p = vfma(vsplat(7.0376836292e-2f), z, vsplat(-1.1514610310e-1f));
    p = vfma(p, z, vsplat(1.1676998740e-1f));
    p = vfma(p, z, vsplat(-1.2420140846e-1f));
    p = vfma(p, z, vsplat(1.4249322787e-1f));
    p = vfma(p, z, vsplat(-1.6668057665e-1f));
    p = vfma(p, z, vsplat(2.0000714765e-1f));
    p = vfma(p, z, vsplat(-2.4999993993e-1f));
    p = vfma(p, z, vsplat(3.3333331174e-1f));
    vf y = p * z * zz;
    y = vfma(e, vsplat(-2.12194440e-4f), y);
    y = vfma(zz, vsplat(-0.5f), y);
    y = vfma(e, vsplat(0.693359375f), z + y);
    vf inf = vsplat(__builtin_inff());
    vf special = x < 0x1p-126f ? (x < 0.0f ? vsplat(__builtin_nanf("")) : -inf) : x;
    return ((x >= 0x1p-126f) & (x < inf)) ? y : special;
}

/// ln(1 + x) for x in [0, 1]; 2 ULP.
SDX_INLINE vf vlog1p(vf x) {
    vf u = x + 1.0f;
    return vlog(u) + (x - (u - 1.0f)) / u; // the quotient restores what 1 + x lost
}

/// 1 / (1 + e⁻ˣ), by e^−|x|, which never overflows; 3 ULP.
SDX_INLINE vf vsigmoid(vf x) {
    vf e = vexp(vas_float(vas_int(x) | (int32_t)0x80000000));
    return (x < 0.0f ? e : vsplat(1.0f)) / (e + 1.0f);
}

/// 2 ULP.
SDX_INLINE vf vtanh(vf x) {
    vf t = vabs(x), z = x * x;
    vf p = vfma(vsplat(-5.70498872745e-3f), z, vsplat(2.06390887954e-2f));
    p = vfma(p, z, vsplat(-5.37397155531e-2f));
    p = vfma(p, z, vsplat(1.33314422036e-1f));
    p = vfma(p, z, vsplat(-3.33332819422e-1f));
    p = vfma(p * z, x, x);
    vf big = 1.0f - 2.0f / (vexp(t + t) + 1.0f);
    return t < 0.625f ? p : vcopysign(big, x);
}

/// 2 ULP (1 with FMA).
SDX_INLINE vf verf(vf x) {
    vf t = vmin(vsplat(10.0f), vabs(x)), s = t * t;
    vf r = vfma(vsplat(-1.72853470e-5f), t, vsplat(3.83197126e-4f));
    vf u = vfma(vsplat(-3.88396438e-3f), t, vsplat(2.42546219e-2f));
    r = vfma(r, s, u);
    r = vfma(r, t, vsplat(-1.06777877e-1f));
    r = vfma(r, t, vsplat(-6.34846687e-1f));
    r = vfma(r, t, vsplat(-1.28717512e-1f));
    r = vfma(r, t, -t);
    vf big = vcopysign(1.0f - vexp(r), x);
    vf p = vfma(vsplat(-5.96761703e-4f), s, vsplat(4.99119423e-3f));
    p = vfma(p, s, vsplat(-2.67681349e-2f));
    p = vfma(p, s, vsplat(1.12819925e-1f));
    p = vfma(p, s, vsplat(-3.76125336e-1f));
    p = vfma(p, s, vsplat(1.28379166e-1f));
    p = vfma(p, x, x);
    return t > 0.921875f ? big : p;
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|); 2 ULP.
SDX_INLINE vf vsoftplus(vf x) {
    vf e = vexp(vas_float(vas_int(x) | (int32_t)0x80000000));
    return vmax(vsplat(0), x) + vlog1p(e);
}

/// x·tanh(ln(1 + eˣ)) = x·n/(n + 2), n = eˣ·(eˣ + 2): no cancellation; 4 ULP.
SDX_INLINE vf vmish(vf x) {
    vf e = vexp(vmin(vsplat(20.0f), x)); // the quotient rounds to 1 from there on
    vf n = e * (e + 2.0f);
    return x * (n / (n + 2.0f));
}

/// xʸ as C's powf, with its special cases; 1 ULP. Computed in double.
SDX_INLINE vf vpow(vf x, vf y) {
    typedef SDX_FN(sdx_vlw) vlw;
    vf ax = vabs(x);
    vdw d = __builtin_convertvector(ax, vdw);
    vlw id = (vlw)d - 0x3fe6a09e667f3bcdll;
    vdw e = __builtin_convertvector(__builtin_convertvector(id >> 52, vi), vdw);
    vdw m = (vdw)((id & 0xfffffffffffffll) + 0x3fe6a09e667f3bcdll);
    vdw s = (m - 1.0) / (m + 1.0), z = s * s; // ln m = 2·atanh s
    vdw q = (((z * (2.0 / 15) + 2.0 / 13) * z + 2.0 / 11) * z + 2.0 / 9) * z + 2.0 / 7;
    q = (q * z + 2.0 / 5) * z + 2.0 / 3;
    vdw log2x = e + (s * 2.0 + s * z * q) * 1.4426950408889634;
    vdw t = log2x * __builtin_convertvector(y, vdw);
    t = t > 1000.0 ? (vdw)(1000.0) : t;
    t = t < -1000.0 ? (vdw)(-1000.0) : t;
    vdw big = (t + 0x1.8p52) - 0x1.8p52;
    vdw r = (t - big) * 0.6931471805599453;
    vdw p = (((r * (1.0 / 362880) + 1.0 / 40320) * r + 1.0 / 5040) * r + 1.0 / 720) * r + 1.0 / 120;
    p = ((((p * r + 1.0 / 24) * r + 1.0 / 6) * r + 0.5) * r + 1.0) * r + 1.0;
    vlw n = (vlw)(big + 0x1.8p52) - 0x4338000000000000ll;
    vf v = __builtin_convertvector(p * (vdw)((n + 1023) << 52), vf);
    vf inf = vsplat(__builtin_inff()), nan = vsplat(__builtin_nanf(""));
    // y is an integer if rounding keeps it, odd if its half is no integer; from 2²⁴ on all are even.
    vf ay = vabs(y), half = y * 0.5f;
    vi is_int = vround(y) == y;
    vi odd = is_int & (vround(half) != half) & (ay < 0x1p24f);
    vi grows = (ax > 1.0f) == (y > 0.0f); // of ∞ in either operand: to ∞, else to 0
    v = ((ax == 0.0f) | (ax == inf) | (ay == inf)) ? (grows ? inf : vsplat(0)) : v;
    v = ax == 1.0f ? vsplat(1.0f) : v;
    v = (odd & (vas_int(x) < 0)) ? -v : v;
    v = ((x < 0.0f) & ~is_int & (ax != inf)) ? nan : v;
    v = ((x != x) | (y != y)) ? nan : v;
    return ((y == 0.0f) | (x == 1.0f)) ? vsplat(1.0f) : v;
}

/// The largest (smallest) lane; NaN if any is NaN. The sum of the lanes in double. All as trees over halves.
SDX_INLINE float vhmax(vf v) {
#if SDX_V == 16
    float __attribute__((ext_vector_type(8))) a = v.lo, b = v.hi;
    a = a != a ? a : (a > b ? a : b);
#elif SDX_V == 8
    vf a = v;
#endif
#if SDX_V >= 8
    float __attribute__((ext_vector_type(4))) c = a.lo, d = a.hi;
    c = c != c ? c : (c > d ? c : d);
#else
    vf c = v;
#endif
    float __attribute__((ext_vector_type(2))) e = c.lo, f = c.hi;
    e = e != e ? e : (e > f ? e : f);
    return e.x != e.x || e.x > e.y ? e.x : e.y;
}
SDX_INLINE float vhmin(vf v) { return -vhmax(-v); }
SDX_INLINE double vdw_sum(vf v) {
    vdw d = __builtin_convertvector(v, vdw);
#if SDX_V == 16
    double __attribute__((ext_vector_type(8))) a = d.lo + d.hi;
#elif SDX_V == 8
    vdw a = d;
#endif
#if SDX_V >= 8
    double __attribute__((ext_vector_type(4))) b = a.lo + a.hi;
#else
    vdw b = d;
#endif
    double __attribute__((ext_vector_type(2))) c = b.lo + b.hi;
    return c.x + c.y;
}
