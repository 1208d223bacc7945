/// Conversions: halves, bytes, quantisation.
#include "Table.h"

static const int64_t lengths[] = {0, 1, 3, 4, 5, 8, 9, 15, 16, 17, 31, 33, 64, 100, 70001};

static bool is_nan_f16(uint16_t h) { return (h & 0x7fff) > 0x7c00; }
static bool is_nan_bf16(uint16_t h) { return (h & 0x7fff) > 0x7f80; }

static double half_value(uint16_t h) {
    int exponent = h >> 10 & 31, fraction = h & 1023;
    double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                  : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                 : ldexp(fraction, -24);
    return h & 0x8000 ? -size : size;
}

static uint16_t half_of(float x) {
    _Float16 half = (_Float16)x;
    uint16_t bits;
    memcpy(&bits, &half, sizeof bits);
    return bits;
}

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static uint16_t bfloat_of(float x) {
    uint32_t bits = bits_of(x);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16); // to nearest, ties to even
}

static void check_every_half(table *t) {
    table_row(t, "every half and bfloat16");
    enum { ALL = 65536 };
    uint16_t *h = input_bytes(t, ALL, 2);
    for (int i = 0; i < ALL; i++) h[i] = (uint16_t)i;
    result floats = output(t, ALL, 4), back = output(t, ALL, 2);
    EACH_POOL(p) {
        sdx_convert_f16_f32(t->pools[p], h, floats.of[p], ALL);
        sdx_convert_f32_f16(t->pools[p], floats.of[p], back.of[p], ALL);
    }
    const float *x = floats.of[0];
    const uint16_t *again = back.of[0];
    for (int i = 0; i < ALL; i++) {
        double want = half_value(h[i]);
        table_near(t, "from half", i, x[i], want, 0);
        if (!isnan(want) && signbit(want) != signbit(x[i])) table_fail(t, "half %04x loses its sign", i);
        if (again[i] != h[i] && !(isnan(want) && again[i] == (h[i] | 0x200)))
            table_fail(t, "half %04x becomes %04x", i, again[i]);
    }
    EACH_POOL(p) sdx_convert_bf16_f32(t->pools[p], h, floats.of[p], ALL);
    for (int i = 0; i < ALL; i++)
        if (bits_of(x[i]) != (uint32_t)i << 16) table_fail(t, "bfloat16 %04x becomes %08x", i, bits_of(x[i]));
}

/// Floats of all sizes, many of them near halves and halfway between two.
static float awkward_float(table *t) {
    uint32_t bits = (uint32_t)random_bits(t);
    if (random_chance(t, 2)) bits = (bits & 0x8fffffff) | 0x30000000 | (uint32_t)random_in(t, 0, 2) << 28;
    if (random_chance(t, 5)) bits &= 0xfffff000;
    if (random_chance(t, 5)) bits &= 0xffff8000;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x != 0 && fabsf(x) < FLT_MIN ? 0 : x; // denormals count as 0
}

static void check_to_halves(table *t, int64_t count) {
    table_row(t, "%lld floats to halves", (long long)count);
    float *x = input_bytes(t, count, 4);
    for (int64_t i = 0; i < count; i++) x[i] = awkward_float(t);
    result h = output(t, count, 2), b = output(t, count, 2);
    EACH_POOL(p) {
        sdx_convert_f32_f16(t->pools[p], x, h.of[p], count);
        sdx_convert_f32_bf16(t->pools[p], x, b.of[p], count);
    }
    const uint16_t *half = h.of[0], *bfloat = b.of[0];
    for (int64_t i = 0; i < count; i++) {
        bool sign = signbit(x[i]);
        bool half_right = isnan(x[i]) ? is_nan_f16(half[i]) && half[i] >> 15 == sign : half[i] == half_of(x[i]);
        bool bfloat_right = isnan(x[i]) ? is_nan_bf16(bfloat[i]) && bfloat[i] >> 15 == sign
                                        : bfloat[i] == bfloat_of(x[i]);
        if (!half_right) table_fail(t, "%a becomes the half %04x", x[i], half[i]);
        if (!bfloat_right) table_fail(t, "%a becomes the bfloat16 %04x", x[i], bfloat[i]);
    }
}

static int quantized(float x, float scale, int32_t zero, int low, int high) {
    float value = nearbyintf(x / scale) + (float)zero;
    return isnan(value) || value < (float)low ? low : value > (float)high ? high : (int)value;
}

static void check_bytes(table *t, int64_t count) {
    float scale = 0.5f + fabsf(random_normal(t));
    int32_t zero = (int32_t)random_in(t, 0, 200), signed_zero = zero - 100;
    table_row(t, "%lld bytes, scale %g, zero %d", (long long)count, scale, zero);
    float *x = input_floats(t, count);
    for (int64_t i = 0; i < count; i++) x[i] *= random_chance(t, 2) ? 100 : 3;
    for (int64_t i = 0; i < count; i += 5) x[i] = scale * ((float)random_in(t, -90, 90) + 0.5f); // ties
    sprinkle_specials(t, x, count);
    uint8_t *bytes = input_bytes(t, count, 1);
    for (int64_t i = 0; i < count; i++) bytes[i] = (uint8_t)random_bits(t);
    const int8_t *signed_bytes = (const int8_t *)bytes;
    result u8 = output(t, count, 1), i8 = output(t, count, 1), cast = output(t, count, 1);
    result from_u8 = output(t, count, 4), from_i8 = output(t, count, 4);
    EACH_POOL(p) {
        sdx_quantize_f32_u8(t->pools[p], x, u8.of[p], count, scale, zero);
        sdx_quantize_f32_i8(t->pools[p], x, i8.of[p], count, scale, signed_zero);
        sdx_cast_f32_8bit(t->pools[p], x, cast.of[p], count);
        sdx_convert_u8_f32(t->pools[p], bytes, from_u8.of[p], count, scale, zero);
        sdx_convert_i8_f32(t->pools[p], signed_bytes, from_i8.of[p], count, scale, signed_zero);
    }
    for (int64_t i = 0; i < count; i++) {
        bool fits = fabsf(x[i]) < 2147483648.0f; // false for NaN
        table_near(t, "quantised to u8", i, ((uint8_t *)u8.of[0])[i], quantized(x[i], scale, zero, 0, 255), 0);
        table_near(t, "quantised to i8", i, ((int8_t *)i8.of[0])[i], quantized(x[i], scale, signed_zero, -128, 127), 0);
        table_near(t, "cast to 8 bits", i, ((uint8_t *)cast.of[0])[i], (uint8_t)(fits ? (int)x[i] : 0), 0);
        table_near(t, "from u8", i, ((float *)from_u8.of[0])[i], scale * (float)(bytes[i] - zero), 0);
        table_near(t, "from i8", i, ((float *)from_i8.of[0])[i], scale * (float)(signed_bytes[i] - signed_zero), 0);
    }
}

int kernel_table_convert(char *message, size_t size) {
    table t = table_begin(message, size, 8);
    check_every_half(&t);
    for (size_t i = 0; i < COUNT(lengths); i++) {
        check_to_halves(&t, lengths[i]);
        check_bytes(&t, lengths[i]);
    }
    return table_end(&t);
}
