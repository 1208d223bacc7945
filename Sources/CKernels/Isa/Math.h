/// Vector functions of one ISA pass: include inside `#if SDX_ISA_PASS`. No include guard: on purpose.
#define vexp SDX_FN(sdx_vexp)
#define vsigmoid SDX_FN(sdx_vsigmoid)
#define vtanh SDX_FN(sdx_vtanh)
#define verf SDX_FN(sdx_verf)
#define vactivate SDX_FN(sdx_vactivate)

/// eˣ: at most 2 ULP where the result is normal; +inf above 88.73, 0 or denormal below -87.34.
SDX_INLINE vf vexp(vf x) {
    x = vmin(vsplat(89.0f), vmax(vsplat(-104.0f), x));
    vf n = __builtin_convertvector(vtoint_nearest(x * 1.44269504088896341f), vf);
    // ln 2 in two parts, so that n · ln 2 is exact to the last bit of r
    vf r = vfma(n, vsplat(2.12194440e-4f), vfma(n, vsplat(-0.693359375f), x));
    vf p = vsplat(1.9875691500e-4f);
    p = vfma(p, r, vsplat(1.3981999507e-3f));
    p = vfma(p, r, vsplat(8.3334519073e-3f));
    p = vfma(p, r, vsplat(4.1665795894e-2f));
    p = vfma(p, r, vsplat(1.6666665459e-1f));
    p = vfma(p, r, vsplat(5.0000001201e-1f));
    p = vfma(p, r * r, r) + 1.0f;
    vi e = vtoint_nearest(n);
    vi half = e >> 1; // 2ⁿ in two factors: each is normal, where 2ⁿ itself may not be
    return p * vas_float((half + 127) << 23) * vas_float((e - half + 127) << 23);
}

/// 1 / (1 + e⁻ˣ): at most 4 ULP above -87.
SDX_INLINE vf vsigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }

/// tanh x: at most 4 ULP.
SDX_INLINE vf vtanh(vf x) {
    vf size = vas_float(vas_int(x) & 0x7fffffff);
    vf z = x * x;
    vf p = vsplat(-5.70498872745e-3f);
    p = vfma(p, z, vsplat(2.06390887954e-2f));
    p = vfma(p, z, vsplat(-5.37397155531e-2f));
    p = vfma(p, z, vsplat(1.33314422036e-1f));
    p = vfma(p, z, vsplat(-3.33332819422e-1f));
    vf small = vfma(p * z, x, x);
    vf large = 1.0f - 2.0f / (vexp(size + size) + 1.0f);
    large = vas_float(vas_int(large) | (vas_int(x) & (int32_t)0x80000000));
    return size < 0.625f ? small : large;
}

/// erf x: absolute error at most 2e-7.
SDX_INLINE vf verf(vf x) {
    x = vmin(vsplat(4.0f), vmax(vsplat(-4.0f), x));
    vf z = x * x;
    vf p = vsplat(-2.72614225801306e-10f);
    p = vfma(p, z, vsplat(2.77068142495902e-08f));
    p = vfma(p, z, vsplat(-2.10102402082508e-06f));
    p = vfma(p, z, vsplat(-5.69250639462346e-05f));
    p = vfma(p, z, vsplat(-7.34990630326855e-04f));
    p = vfma(p, z, vsplat(-2.95459980854025e-03f));
    p = vfma(p, z, vsplat(-1.60960333262415e-02f));
    vf q = vsplat(-1.45660718464996e-05f);
    q = vfma(q, z, vsplat(-2.13374055278905e-04f));
    q = vfma(q, z, vsplat(-1.68282697438203e-03f));
    q = vfma(q, z, vsplat(-7.37332916720468e-03f));
    q = vfma(q, z, vsplat(-1.42647390514189e-02f));
    return x * p / q;
}

/// The activation of each lane.
SDX_INLINE vf vactivate(sdx_activation act, vf x) {
    switch (act.kind) {
    case SDX_ACTIVATION_RELU: return vmax(vsplat(0), x);
    case SDX_ACTIVATION_LEAKY_RELU: return x < 0.0f ? x * act.a : x;
    case SDX_ACTIVATION_CLIP: return vmin(vsplat(act.b), vmax(vsplat(act.a), x));
    case SDX_ACTIVATION_SIGMOID: return vsigmoid(x);
    case SDX_ACTIVATION_TANH: return vtanh(x);
    case SDX_ACTIVATION_HARD_SIGMOID: return vmin(vsplat(1), vmax(vsplat(0), vfma(x, vsplat(act.a), vsplat(act.b))));
    case SDX_ACTIVATION_HARD_SWISH:
        return x * vmin(vsplat(1), vmax(vsplat(0), vfma(x, vsplat(1.0f / 6), vsplat(0.5f))));
    case SDX_ACTIVATION_SILU: return x * vsigmoid(x);
    case SDX_ACTIVATION_GELU: return 0.5f * x * (1.0f + verf(x * 0.70710678118654752f));
    case SDX_ACTIVATION_GELU_TANH: {
        vf cubic = vfma(x * x * x, vsplat(0.044715f), x);
        return 0.5f * x * (1.0f + vtanh(cubic * 0.79788456080286536f));
    }
    case SDX_ACTIVATION_ELU: return x < 0.0f ? act.a * (vexp(x) - 1.0f) : x;
    case SDX_ACTIVATION_NONE: break;
    }
    return x;
}
