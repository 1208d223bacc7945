// From the raster that a reader has decoded to pixels as the caller wants them.
#include <string.h>

#include "Picture.h"

size_t cco_raster_bytes(const cco_picture *picture) {
    return cco_raster_samples(picture->layout) * (size_t)picture->sample;
}

size_t cco_pixel_bytes(const cco_picture *picture, int pixel_format) {
    if (pixel_format != CCO_WHOLE) return pixel_format == CCO_GREY ? 1 : 3;
    bool becomes_rgb = picture->layout == RASTER_RGBX || picture->layout == RASTER_CMYK;
    return becomes_rgb ? 3 * (size_t)picture->sample : cco_raster_bytes(picture);
}

// a · b / 255, rounded, for bytes.
static unsigned scaled(unsigned a, unsigned b) {
    unsigned product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

static void write_pixel(uint8_t *to, int pixel_format, unsigned r, unsigned g, unsigned b) {
    if (pixel_format == CCO_GREY) {
        // The weights, in 65536ths, add up to 65536, so that grey stays as it is.
        to[0] = (uint8_t)((r * 19595 + g * 38470 + b * 7471 + 32768) >> 16);
    } else {
        to[0] = (uint8_t)(pixel_format == CCO_BGR ? b : r);
        to[1] = (uint8_t)g;
        to[2] = (uint8_t)(pixel_format == CCO_BGR ? r : b);
    }
}

static void write_row(
    uint8_t *to, int pixel_format, raster_layout layout, const uint8_t *from, ptrdiff_t step, uint32_t count) {
    size_t stride = pixel_format == CCO_GREY ? 1 : 3;
    for (uint32_t x = 0; x < count; x++, to += stride) {
        const uint8_t *p = from + (ptrdiff_t)x * step;
        switch (layout) {
        case RASTER_GREY: write_pixel(to, pixel_format, p[0], p[0], p[0]); break;
        case RASTER_RGB:
        case RASTER_RGBX: write_pixel(to, pixel_format, p[0], p[1], p[2]); break;
        default: {
            unsigned w = 255u - p[3];
            write_pixel(to, pixel_format, w - scaled(p[0], w), w - scaled(p[1], w), w - scaled(p[2], w));
        }
        }
    }
}

// A sample of a byte or two.
static unsigned sample_at(const uint8_t *from, size_t index, int size) {
    uint16_t wide;
    if (size == CCO_UINT8) return from[index];
    memcpy(&wide, from + 2 * index, 2);
    return wide;
}

static void write_whole_row(
    uint8_t *to, const cco_picture *picture, const uint8_t *from, ptrdiff_t step, uint32_t count) {
    size_t bytes = cco_pixel_bytes(picture, CCO_WHOLE);
    unsigned bits = picture->sample == CCO_UINT8 ? 8 : 16;
    uint64_t most = (1u << bits) - 1;
    for (uint32_t x = 0; x < count; x++, to += bytes, from += step) {
        if (picture->layout != RASTER_CMYK) {
            memcpy(to, from, bytes);
            continue;
        }
        uint64_t white = most - sample_at(from, 3, picture->sample);
        for (size_t i = 0; i < 3; i++) {
            uint64_t dark = (sample_at(from, i, picture->sample) * white + most / 2) / most;
            cco_put_sample(to, i, picture->sample, (unsigned)(white - dark), bits);
        }
    }
}

void cco_divide_alpha(const cco_picture *picture, uint8_t *raster) {
    size_t samples = cco_raster_samples(picture->layout), colours = samples - 1;
    size_t count = (size_t)picture->width * picture->height, bytes = cco_raster_bytes(picture);
    unsigned bits = picture->sample == CCO_UINT8 ? 8 : 16;
    uint64_t most = (1u << bits) - 1;
    for (size_t i = 0; i < count; i++, raster += bytes) {
        if (picture->sample == CCO_FLOAT32) {
            float pixel[4];
            memcpy(pixel, raster, bytes);
            for (size_t j = 0; j < colours && pixel[colours] > 0; j++) pixel[j] /= pixel[colours];
            memcpy(raster, pixel, bytes);
            continue;
        }
        unsigned alpha = sample_at(raster, colours, picture->sample);
        for (size_t j = 0; j < colours && alpha > 0; j++) {
            uint64_t value = sample_at(raster, j, picture->sample) * most / alpha;
            cco_put_sample(raster, j, picture->sample, (unsigned)(value > most ? most : value), bits);
        }
    }
}

int cco_write_turned(
    const cco_picture *picture, int pixel_format, const uint8_t *raster, uint8_t *pixels, char *message) {
    ptrdiff_t across = (ptrdiff_t)cco_raster_bytes(picture), down = across * picture->width;
    ptrdiff_t right = across * (picture->width - 1), bottom = down * (picture->height - 1);
    bool is_turned = picture->orientation > 4;
    bool from_right = picture->orientation == 2 || picture->orientation == 3 || picture->orientation == 7 ||
                      picture->orientation == 8;
    bool from_bottom = picture->orientation == 3 || picture->orientation == 4 || picture->orientation == 6 ||
                       picture->orientation == 7;
    const uint8_t *start = raster + (from_right ? right : 0) + (from_bottom ? bottom : 0);
    if (from_right) across = -across;
    if (from_bottom) down = -down;
    uint32_t width = cco_picture_width(picture), height = cco_picture_height(picture);
    size_t row_bytes = width * cco_pixel_bytes(picture, pixel_format);
    for (uint32_t y = 0; y < height; y++) {
        int code = cco_check_cancelled(picture, message);
        if (code != CCO_OK) return code;
        const uint8_t *from = start + (ptrdiff_t)y * (is_turned ? across : down);
        ptrdiff_t step = is_turned ? down : across;
        if (pixel_format == CCO_WHOLE) {
            write_whole_row(pixels + y * row_bytes, picture, from, step, width);
        } else {
            write_row(pixels + y * row_bytes, pixel_format, picture->layout, from, step, width);
        }
    }
    return CCO_OK;
}
