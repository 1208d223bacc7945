/// Names of one element type in one ISA pass. The includer defines SDX_T_IS_DOUBLE as 0 or 1. No include guard.
#undef T
#undef TN
#undef VT
#undef TV
#undef TLOAD
#undef TSTORE
#undef TFMA
#undef TZIP_LOW
#undef TZIP_HIGH
#undef TLOAD_FIRST
#undef TSTORE_FIRST
#if SDX_T_IS_DOUBLE
#define T double
#define TN(name) SDX_FN(name##_f64)
#define VT vd
#define TV (SDX_V / 2)
#define TLOAD vloadd
#define TSTORE vstored
#define TFMA vfmad
#else
#define T float
#define TN(name) SDX_FN(name##_f32)
#define VT vf
#define TV SDX_V
#define TLOAD vload
#define TSTORE vstore
#define TFMA vfma
#endif

#if SDX_T_IS_DOUBLE
SDX_INLINE VT TN(load_first)(const T *p, int64_t n) {
    VT v = {0};
    for (int i = 0; i < TV; i++)
        if (i < n) v[i] = p[i];
    return v;
}
SDX_INLINE void TN(store_first)(T *p, int64_t n, VT v) {
    for (int i = 0; i < TV; i++)
        if (i < n) p[i] = v[i];
}
#define TLOAD_FIRST TN(load_first)
#define TSTORE_FIRST TN(store_first)
#else
#define TLOAD_FIRST vload_first
#define TSTORE_FIRST vstore_first
#endif

/// Lanes a0 b0 a1 b1 … of the low and high halves.
#if TV == 2
#define TZIP_LOW SDX_ZIP_LOW_2
#define TZIP_HIGH SDX_ZIP_HIGH_2
#elif TV == 4
#define TZIP_LOW SDX_ZIP_LOW_4
#define TZIP_HIGH SDX_ZIP_HIGH_4
#elif TV == 8
#define TZIP_LOW SDX_ZIP_LOW_8
#define TZIP_HIGH SDX_ZIP_HIGH_8
#else
#define TZIP_LOW SDX_ZIP_LOW_16
#define TZIP_HIGH SDX_ZIP_HIGH_16
#endif
