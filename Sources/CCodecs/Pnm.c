// PBM, PGM and PPM, plain (P1 … P3) and raw (P4 … P6), with 1 … 16 bits a sample. Samples are scaled by the greatest
// value that the header names, and rounded.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "Picture.h"

typedef struct {
    int kind;  // 1 … 6
    unsigned greatest;
    size_t pixels;
} pnm;

static bool is_space(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

// Moves behind white space and comments, which reach to the end of their line.
static void skip_space(const cco_picture *picture, size_t *at) {
    for (; *at < picture->count; ++*at) {
        uint8_t byte = picture->bytes[*at];
        if (byte == '#') {
            while (*at < picture->count && picture->bytes[*at] != '\n' && picture->bytes[*at] != '\r') ++*at;
            if (*at == picture->count) return;
        } else if (!is_space(byte)) {
            return;
        }
    }
}

static int read_number(const cco_picture *picture, size_t *at, uint32_t *value, char *message) {
    skip_space(picture, at);
    if (*at == picture->count) return cco_fail(CCO_ERROR_DATA, message, "it is cut short");
    uint64_t number = 0;
    size_t start = *at;
    for (; *at < picture->count && picture->bytes[*at] >= '0' && picture->bytes[*at] <= '9'; ++*at) {
        number = number * 10 + (picture->bytes[*at] - '0');
        if (*at - start >= 10) return cco_fail(CCO_ERROR_DATA, message, "a number has more than 10 digits");
    }
    bool ends = *at == picture->count || is_space(picture->bytes[*at]) || picture->bytes[*at] == '#';
    if (*at == start || !ends) {
        return cco_fail(CCO_ERROR_DATA, message, "byte %zu is no digit: 0x%02x", *at, picture->bytes[*at]);
    }
    if (number > UINT32_MAX) return cco_fail(CCO_ERROR_DATA, message, "a number is too large");
    *value = (uint32_t)number;
    return CCO_OK;
}

static uint8_t scale(unsigned value, unsigned greatest) {
    return value >= greatest ? 255 : (uint8_t)rint((double)value / greatest * 255);
}

static int decode_plain(cco_picture *picture, uint8_t *raster, char *message) {
    const pnm *state = picture->state;
    size_t across = (size_t)picture->width * picture->layout, count = across * picture->height, at = state->pixels;
    for (size_t i = 0; i < count; i++) {
        int code = i % across == 0 ? cco_check_cancelled(picture, message) : CCO_OK;
        if (code != CCO_OK) return code;
        if (state->kind == 1) {
            // Digits need no space between them.
            skip_space(picture, &at);
            if (at == picture->count) return cco_fail(CCO_ERROR_DATA, message, "it is cut short");
            uint8_t digit = picture->bytes[at++];
            if (digit != '0' && digit != '1') {
                return cco_fail(CCO_ERROR_DATA, message, "byte %zu is neither 0 nor 1: 0x%02x", at - 1, digit);
            }
            raster[i] = digit == '1' ? 0 : 255;
            continue;
        }
        uint32_t value;
        code = read_number(picture, &at, &value, message);
        if (code != CCO_OK) return code;
        if (value > state->greatest) {
            return cco_fail(CCO_ERROR_DATA, message, "a sample is %u; the greatest is %u", value, state->greatest);
        }
        raster[i] = scale(value, state->greatest);
    }
    return CCO_OK;
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    (void)work;
    const pnm *state = picture->state;
    if (state->kind <= 3) return decode_plain(picture, raster, message);
    size_t across = (size_t)picture->width * picture->layout;
    unsigned bits = state->kind == 4 ? 1 : state->greatest > 255 ? 16 : 8;
    size_t stride = (across * bits + 7) / 8;
    const uint8_t *from = picture->bytes + state->pixels;
    for (size_t y = 0; y < picture->height; y++, from += stride, raster += across) {
        int code = cco_check_cancelled(picture, message);
        if (code != CCO_OK) return code;
        if (bits == 1) {
            for (size_t x = 0; x < across; x++) raster[x] = cco_packed_sample(from, x, 1) ? 0 : 255;
        } else if (state->greatest == 255) {
            memcpy(raster, from, across);
        } else {
            for (size_t x = 0; x < across; x++) raster[x] = scale(cco_packed_sample(from, x, bits), state->greatest);
        }
    }
    return CCO_OK;
}

static void close_pnm(cco_picture *picture) { free(picture->state); }

int cco_open_pnm(cco_picture *picture, char *message) {
    pnm *state = picture->state = calloc(1, sizeof *state);
    if (!state) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->close = close_pnm;
    picture->decode = decode;
    state->kind = picture->bytes[1] - '0';
    picture->layout = state->kind == 3 || state->kind == 6 ? RASTER_RGB : RASTER_GREY;
    size_t at = 2;
    uint32_t width, height, greatest = 1;
    int code = read_number(picture, &at, &width, message);
    if (code == CCO_OK) code = read_number(picture, &at, &height, message);
    if (code == CCO_OK && state->kind != 1 && state->kind != 4) code = read_number(picture, &at, &greatest, message);
    if (code == CCO_OK) code = cco_set_size(picture, width, height, message);
    if (code != CCO_OK) return code;
    if (greatest == 0 || greatest > 65535) {
        return cco_fail(CCO_ERROR_DATA, message, "the greatest sample is %u; it must be 1 … 65535", greatest);
    }
    state->greatest = greatest;
    if (picture->is_whole && greatest > 255) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its samples go to %u; at most 255 is read", greatest);
    }
    // One white-space byte stands before raw samples.
    state->pixels = at < picture->count ? at + 1 : at;
    size_t samples = cco_times((size_t)width * height, picture->layout), needed = samples;
    if (state->kind == 4) needed = cco_times(((size_t)width + 7) / 8, height);
    if (state->kind > 4 && greatest > 255) needed = cco_times(samples, 2);
    if (needed > picture->count - state->pixels) return cco_fail(CCO_ERROR_DATA, message, "it is cut short");
    return CCO_OK;
}
