// Rows of a TIFF's strips and tiles, as libtiff decodes them, into the raster.
#include <math.h>
#include <string.h>

#include "Tiff.h"

// Sample `index` of a row: as wide as it is stored, in the machine's byte order.
static unsigned stored_sample(const tiff_reader *state, const uint8_t *row, size_t index) {
    if (state->bits != 16) return cco_packed_sample(row, index, state->bits);
    uint16_t value;
    memcpy(&value, row + 2 * index, 2);
    return value;
}

// The float nearest to a binary16.
static float half(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float value = exponent == 0    ? ldexpf((float)fraction, -24)
                  : exponent == 31 ? (fraction ? NAN : INFINITY)
                                   : ldexpf((float)(fraction + 1024), exponent - 25);
    return bits >> 15 ? -value : value;
}

// A sample that is signed, wider than 16 bits or floating.
static float stored_number(const tiff_reader *state, const uint8_t *row, size_t index) {
    union {
        uint8_t bytes[8];
        int8_t i8;
        int16_t i16;
        int32_t i32;
        int64_t i64;
        uint32_t u32;
        uint64_t u64;
        float f32;
        double f64;
    } value;
    size_t size = state->bits / 8;
    memcpy(value.bytes, row + size * index, size);
    if (state->format == FLOATING) {
        return state->bits == 64 ? (float)value.f64 : state->bits == 32 ? value.f32 : half((uint16_t)value.i16);
    }
    bool is_signed = state->format == SIGNED;
    switch (state->bits) {
    case 8: return value.i8;
    case 16: return value.i16;
    case 32: return is_signed ? (float)value.i32 : (float)value.u32;
    default: return is_signed ? (float)value.i64 : (float)value.u64;
    }
}

static void put_stored(const tiff_reader *state, int size, const uint8_t *row, size_t index, uint8_t *to, size_t i) {
    if (size == CCO_FLOAT32) {
        float value = stored_number(state, row, index);
        memcpy(to + 4 * i, &value, 4);
        return;
    }
    unsigned value = stored_sample(state, row, index);
    if (state->photometric == WHITE_IS_ZERO) value = ((1u << state->bits) - 1) - value;
    cco_put_sample(to, i, size, value, state->bits);
}

void cco_convert_tiff_row(
    const tiff_reader *state, const cco_picture *picture, const uint8_t *row, size_t count, unsigned plane,
    uint8_t *to) {
    size_t samples = cco_raster_samples(picture->layout), bytes = cco_raster_bytes(picture);
    size_t step = state->is_in_planes ? 1 : state->samples;
    size_t first = state->is_in_planes ? plane : 0, last = state->is_in_planes ? plane + 1 : samples;
    size_t colours = picture->layout == RASTER_GREY ? 1 : 3;
    bool is_plain = state->photometric != COLOUR_PALETTE && state->photometric != WHITE_IS_ZERO;
    bool is_kept = picture->sample != CCO_FLOAT32 || state->format == FLOATING;
    if (is_plain && is_kept && state->bits == 8 * picture->sample && step == samples && !state->is_in_planes) {
        memcpy(to, row, count * bytes);
        return;
    }
    for (size_t x = 0; x < count; x++, to += bytes) {
        if (state->photometric == COLOUR_PALETTE) {
            unsigned index = stored_sample(state, row, x * step);
            for (int i = 0; i < 3; i++) to[i] = (uint8_t)(state->map[i][index] >> 8);
            continue;
        }
        for (size_t i = first; i < last; i++) put_stored(state, picture->sample, row, x * step + (i - first), to, i);
        if (!state->is_multiplied) continue;
        unsigned alpha = cco_to_byte(stored_sample(state, row, x * step + colours), state->bits);
        for (size_t i = 0; alpha > 0 && i < colours; i++) {
            unsigned value = to[i] * 255u / alpha;
            to[i] = (uint8_t)(value > 255 ? 255 : value);
        }
    }
}
