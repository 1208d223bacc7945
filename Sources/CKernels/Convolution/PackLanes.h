/// Weights from rows to lanes, in one ISA pass. No include guard: on purpose.

typedef float SDX_FN(packed_eight) __attribute__((ext_vector_type(8)));
typedef float SDX_FN(packed_eight_any) __attribute__((ext_vector_type(8), aligned(1), may_alias));

/// Transposes 8 rows of `count` weights, of which `rows` exist, into lanes: weight j goes to row j of packed, or where
/// the weights are 8 channels of `taps` (else 0) to the row of its tap and channel.
static void SDX_FN(pack_lanes)(
    const sdx_unaligned_f32 *w, int64_t stride, int64_t rows, int64_t count, int64_t taps, float *packed, int64_t lanes) {
    int64_t tap = 0, channel = 0;
    for (int64_t j = 0; j < count; j += 8) {
        int64_t n = count - j < 8 ? count - j : 8;
        SDX_FN(packed_eight) v[8], u[8];
        for (int r = 0; r < 8; r++) {
            v[r] = (SDX_FN(packed_eight)){0};
            if (r >= rows) continue;
            if (n == 8) v[r] = *(const SDX_FN(packed_eight_any) *)(w + r * stride + j);
            else memcpy(&v[r], w + r * stride + j, (size_t)n * sizeof(float));
        }
        // Zipping first with second half three times transposes the square.
        for (int step = 0; step < 3; step++) {
#pragma clang loop unroll(full)
            for (int r = 0; r < 4; r++) {
                u[2 * r] = SDX_ZIP_LOW_8(v[r], v[r + 4]);
                u[2 * r + 1] = SDX_ZIP_HIGH_8(v[r], v[r + 4]);
            }
#pragma clang loop unroll(full)
            for (int r = 0; r < 8; r++) v[r] = u[r];
        }
        for (int64_t r = 0; r < n; r++) {
            int64_t row = taps ? tap * 8 + channel : j + r;
            *(SDX_FN(packed_eight_any) *)(packed + row * lanes) = v[r];
            if (++tap == taps) {
                tap = 0;
                channel++;
            }
        }
    }
}
