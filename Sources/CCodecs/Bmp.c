// BMP: headers of OS/2 and Windows, 1 … 32 bits a pixel, bit fields, run lengths.
#include <stdlib.h>
#include <string.h>

#include "Picture.h"

enum { BMP_PLAIN = 0, BMP_RLE8 = 1, BMP_RLE4 = 2, BMP_FIELDS = 3, BMP_ALPHA_FIELDS = 6 };

typedef struct {
    unsigned bits, compression;
    bool is_top_down;
    size_t pixels;  // where they begin in the file
    uint32_t masks[3];
    size_t palette_count;
    uint8_t palette[256][3];
} bmp;

static int cut_short(char *message) { return cco_fail(CCO_ERROR_DATA, message, "it is cut short"); }

static size_t row_bytes(const cco_picture *picture, const bmp *state) {
    return ((size_t)picture->width * state->bits + 31) / 32 * 4;
}

static int write_index(const bmp *state, unsigned index, uint8_t *pixel, char *message) {
    if (index >= state->palette_count) {
        return cco_fail(
            CCO_ERROR_DATA, message, "a pixel has colour %u of a palette of %zu", index, state->palette_count);
    }
    memcpy(pixel, state->palette[index], 3);
    return CCO_OK;
}

static int decode_runs(cco_picture *picture, uint8_t *raster, char *message) {
    const bmp *state = picture->state;
    const uint8_t *p = picture->bytes + state->pixels, *end = picture->bytes + picture->count;
    size_t width = picture->width, x = 0, y = 0;
    bool is_rle4 = state->compression == BMP_RLE4;
    // What no run covers has the first colour.
    for (size_t i = 0; i < width * picture->height; i++) memcpy(raster + 3 * i, state->palette[0], 3);
    for (size_t checked = 0; y < picture->height;) {
        if (checked != y) {
            int code = cco_check_cancelled(picture, message);
            if (code != CCO_OK) return code;
            checked = y;
        }
        if (end - p < 2) return cut_short(message);
        unsigned length = p[0], value = p[1];
        p += 2;
        if (length == 0 && value == 0) {
            x = 0;
            y++;
            continue;
        }
        if (length == 0 && value == 1) return CCO_OK;
        if (length == 0 && value == 2) {
            if (end - p < 2) return cut_short(message);
            x += p[0];
            y += p[1];
            p += 2;
            if (x > width || y >= picture->height) {
                return cco_fail(CCO_ERROR_DATA, message, "its runs leave the picture");
            }
            continue;
        }
        // A run of one colour (two in turn with 4 bits), or colours as they are, padded to 16 bits.
        bool is_literal = length == 0;
        size_t count = is_literal ? value : length;
        size_t stored = is_literal ? (is_rle4 ? (count + 1) / 2 : count) : 0;
        if ((size_t)(end - p) < stored) return cut_short(message);
        if (count > width - x) return cco_fail(CCO_ERROR_DATA, message, "a run is longer than its row");
        uint8_t *row = raster + (state->is_top_down ? y : picture->height - 1 - y) * width * 3;
        for (size_t i = 0; i < count; i++, x++) {
            unsigned byte = is_literal ? p[is_rle4 ? i / 2 : i] : value;
            unsigned index = !is_rle4 ? byte : i % 2 == 0 ? byte >> 4 : byte & 15;
            int code = write_index(state, index, row + 3 * x, message);
            if (code != CCO_OK) return code;
        }
        size_t padded = stored + stored % 2;
        p += (size_t)(end - p) < padded ? stored : padded;
    }
    return CCO_OK;
}

// The bits that the mask names, stretched to 0 … 255.
static uint8_t field(uint32_t pixel, uint32_t mask) {
    if (mask == 0) return 0;
    unsigned shift = (unsigned)__builtin_ctz(mask);
    return (uint8_t)((uint64_t)((pixel & mask) >> shift) * 255 / (mask >> shift));
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    (void)work;
    const bmp *state = picture->state;
    if (state->compression == BMP_RLE8 || state->compression == BMP_RLE4) return decode_runs(picture, raster, message);
    size_t stride = row_bytes(picture, state);
    for (size_t y = 0; y < picture->height; y++) {
        int code = cco_check_cancelled(picture, message);
        if (code != CCO_OK) return code;
        const uint8_t *from = picture->bytes + state->pixels + y * stride;
        uint8_t *to = raster + (state->is_top_down ? y : picture->height - 1 - y) * picture->width * 3;
        for (size_t x = 0; x < picture->width; x++, to += 3) {
            if (state->bits <= 8) {
                code = write_index(state, cco_packed_sample(from, x, state->bits), to, message);
                if (code != CCO_OK) return code;
            } else if (state->bits == 24) {
                for (int i = 0; i < 3; i++) to[i] = from[3 * x + 2 - i];
            } else {
                uint32_t pixel = state->bits == 16 ? cco_u16le(from + 2 * x) : cco_u32le(from + 4 * x);
                for (int i = 0; i < 3; i++) to[i] = field(pixel, state->masks[i]);
            }
        }
    }
    return CCO_OK;
}

static void close_bmp(cco_picture *picture) { free(picture->state); }

static int read_masks(bmp *state, const uint8_t *from, char *message) {
    static const uint32_t usual[2][3] = {{0x7c00, 0x3e0, 0x1f}, {0xff0000, 0xff00, 0xff}};
    bool is_given = false;
    for (int i = 0; from && i < 3; i++) {
        state->masks[i] = cco_u32le(from + 4 * i);
        is_given |= state->masks[i] != 0;
    }
    if (!is_given) memcpy(state->masks, usual[state->bits == 32], sizeof state->masks);
    for (int i = 0; i < 3; i++) {
        uint32_t ones = state->masks[i] ? state->masks[i] >> __builtin_ctz(state->masks[i]) : 0;
        if (ones & (ones + 1)) return cco_fail(CCO_ERROR_DATA, message, "a bit field has gaps: 0x%x", state->masks[i]);
    }
    return CCO_OK;
}

int cco_open_bmp(cco_picture *picture, char *message) {
    const uint8_t *bytes = picture->bytes;
    if (picture->count < 14 + 12) return cut_short(message);
    bmp *state = picture->state = calloc(1, sizeof *state);
    if (!state) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->close = close_bmp;
    picture->decode = decode;
    picture->layout = RASTER_RGB;

    size_t header = cco_u32le(bytes + 14), entry = 4, colours = 0;
    int64_t width, height;
    if (header == 12) {
        width = cco_u16le(bytes + 18);
        height = cco_u16le(bytes + 20);
        state->bits = cco_u16le(bytes + 24);
        entry = 3;
    } else {
        if (header != 16 && (header < 40 || header > 124)) {
            return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its header has %zu bytes", header);
        }
        if (picture->count < 14 + header) return cut_short(message);
        width = (int32_t)cco_u32le(bytes + 18);
        height = (int32_t)cco_u32le(bytes + 22);
        state->bits = cco_u16le(bytes + 28);
        if (header >= 40) {
            state->compression = cco_u32le(bytes + 30);
            colours = cco_u32le(bytes + 46);
        }
    }
    state->is_top_down = height < 0;
    if (height < 0) height = -height;
    int code = cco_set_size(picture, width < 0 ? 0 : (uint64_t)width, (uint64_t)height, message);
    if (code != CCO_OK) return code;

    unsigned bits = state->bits, compression = state->compression;
    bool has_fields = compression == BMP_FIELDS || compression == BMP_ALPHA_FIELDS;
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8 && bits != 16 && bits != 24 && bits != 32) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "it has %u bits a pixel", bits);
    }
    bool is_coded = (compression == BMP_RLE8 && bits == 8) || (compression == BMP_RLE4 && bits == 4);
    if (compression != BMP_PLAIN && !is_coded && !(has_fields && (bits == 16 || bits == 32))) {
        return cco_fail(
            CCO_ERROR_UNSUPPORTED, message, "its compression is %u with %u bits a pixel", compression, bits);
    }
    size_t place = 14 + header;
    if (bits == 16 || bits == 32) {
        if (has_fields && picture->count < 14 + 40 + 12) return cut_short(message);
        code = read_masks(state, has_fields ? bytes + 14 + 40 : NULL, message);
        if (code != CCO_OK) return code;
    }
    state->pixels = cco_u32le(bytes + 10);
    if (bits <= 8) {
        size_t most = (size_t)1 << bits;
        if (colours == 0 || colours > most) colours = most;
        // Some writers give the palette's place for the pixels'.
        if (state->pixels == place) state->pixels += colours * entry;
        if ((picture->count - place) / entry < colours) return cut_short(message);
        for (size_t i = 0; i < colours; i++) {
            for (int c = 0; c < 3; c++) state->palette[i][c] = bytes[place + i * entry + 2 - (size_t)c];
        }
        state->palette_count = colours;
    }
    if (state->pixels < place) state->pixels = place;
    if (state->pixels > picture->count) return cut_short(message);
    size_t needed = cco_times(row_bytes(picture, state), picture->height);
    // The last row's padding may be missing.
    size_t padding = row_bytes(picture, state) - ((size_t)picture->width * bits + 7) / 8;
    if (!is_coded && needed - padding > picture->count - state->pixels) return cut_short(message);
    // Two bytes are a run of 255 pixels at most. Pixels that no run covers take no bytes at all.
    size_t pixels = (size_t)picture->width * picture->height;
    return is_coded && pixels > CCO_FREE_PIXELS ? cco_check_held(picture, pixels * 2, 255, message) : CCO_OK;
}
