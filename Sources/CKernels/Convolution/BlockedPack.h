/// Packs the weights of channel-blocked convolutions, in one ISA pass; after PackLanes.h, BlockedDensePlan.h, BlockedDot.h
/// and BlockedPairs.h. No include guard. Their layouts stand with the kernels that read them.

static void SDX_FN(dot_pack)(const sdx_conv_params *p, const sdx_unaligned_f32 *w, float *packed) {
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    for (int64_t k = 0, channels; k < p->k; k += channels) {
        channels = SDX_FN(dot_panel)(p->k - k);
        for (int64_t b = 0; b < p->c; b += 8)
            for (int64_t t = 0; t < taps; t++)
                for (int64_t i = 0; i < channels; i++)
                    for (int64_t c = 0; c < 8; c++) *packed++ = w[((k + i) * p->c + b + c) * taps + t];
    }
}

static void SDX_FN(dense_pack)(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_unaligned_f32 *w, float *packed) {
    if (layout == SDX_CONV_C8_TO_PLAIN && p->k <= BLOCKED_MOST_DOTS) {
        SDX_FN(dot_pack)(p, w, packed);
        return;
    }
    // A block of all channels in their order, or of 8 with the taps first.
    int64_t channels = p->c / p->groups, k = p->k / p->groups, m = (k + 7) / 8 * 8;
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    int64_t block = layout == SDX_CONV_PLAIN_TO_C8 ? channels * taps : 8 * taps;
    int64_t order = layout == SDX_CONV_PLAIN_TO_C8 ? 0 : taps;
    for (int64_t group = 0; group < p->groups; group++, w += k * channels * taps)
        for (int64_t lane = 0, lanes; lane < m; lane += lanes) {
            lanes = SDX_FN(panel_lanes)(m - lane);
            for (int64_t from = 0; from < channels * taps; from += block, packed += block * lanes) {
                for (int64_t l = 0; l < lanes; l += 8)
                    SDX_FN(pack_lanes)(
                        w + (lane + l) * channels * taps + from, channels * taps, k - lane - l, block, order,
                        packed + l, lanes);
#if SDX_TARGET_AVX512
                if (lanes <= 16 && lanes == m && order) SDX_FN(pair_rows)(packed, block, lanes);
#endif
            }
        }
}

static void SDX_FN(blocked_depthwise_pack)(const sdx_conv_params *p, const sdx_unaligned_f32 *w, float *packed) {
    int64_t taps = p->kernel[0] * p->kernel[1] * p->kernel[2];
    for (int64_t b = 0; b < p->c; b += 8)
        for (int64_t t = 0; t < taps; t++)
            for (int64_t c = 0; c < 8; c++) *packed++ = w[(b + c) * taps + t];
}
