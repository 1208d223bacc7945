// PNG: rows filtered as libpng filters them (of the five filters the one whose bytes add up to the least, taken as
// signed), and deflated into chunks as they come.
#include <isa-l/crc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "CImageFormats.h"
#include "deflate.h"

enum { FILTERS = 5 };

typedef struct {
    cif_writer *file;
    char *message;
    deflater deflater;
    // The row before, the row, and it filtered, each after a byte for the filter's number; all as PNG has them.
    size_t row_bytes, pixel_bytes;
    uint8_t *rows[4];
} png;

static void put32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static int write_chunk(png *state, const char *name, const uint8_t *bytes, size_t count) {
    uint8_t head[8], sum[4];
    put32(head, (uint32_t)count);
    memcpy(head + 4, name, 4);
    put32(sum, crc32_gzip_refl(crc32_gzip_refl(0, head + 4, 4), bytes, count));
    int code = cif_writer_write(state->file, head, sizeof head, state->message);
    if (code == CIF_OK) code = cif_writer_write(state->file, bytes, count, state->message);
    if (code == CIF_OK) code = cif_writer_write(state->file, sum, sizeof sum, state->message);
    return code;
}

static int take(void *context, const uint8_t *bytes, size_t count) {
    return write_chunk(context, "IDAT", bytes, count);
}

static int deflated(png *state, const uint8_t *bytes, size_t count, int is_last) {
    int code = deflate_bytes(&state->deflater, bytes, count, is_last, take, state);
    if (code >= 0) return code;
    strcpy(state->message, "compression failed");
    return CIF_ERROR_WRITE;
}

static int write_header(png *state, const cif_png *picture) {
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const uint8_t colours[] = {0, 0, 4, 2, 6};
    int code = cif_writer_write(state->file, signature, sizeof signature, state->message);
    if (code != CIF_OK) return code;
    uint8_t to[3 * 256] = {0};
    put32(to, picture->width);
    put32(to + 4, picture->height);
    to[8] = (uint8_t)picture->depth;
    to[9] = picture->palette ? 3 : colours[picture->channels];
    code = write_chunk(state, "IHDR", to, 13);
    if (code == CIF_OK && (picture->palette || picture->channels >= 3)) {
        to[0] = 0;  // perceptual
        code = write_chunk(state, "sRGB", to, 1);
    }
    if (code == CIF_OK && picture->pixels_per_metre[0] > 0 && picture->pixels_per_metre[1] > 0) {
        put32(to, picture->pixels_per_metre[0]);
        put32(to + 4, picture->pixels_per_metre[1]);
        to[8] = 1;
        code = write_chunk(state, "pHYs", to, 9);
    }
    if (code != CIF_OK || !picture->palette) return code;
    bool is_opaque = true;
    for (size_t i = 0; i < picture->palette_count; i++) {
        memcpy(to + 3 * i, picture->palette + 4 * i, 3);
        is_opaque = is_opaque && picture->palette[4 * i + 3] == 255;
    }
    code = write_chunk(state, "PLTE", to, 3 * picture->palette_count);
    if (code != CIF_OK || is_opaque) return code;
    for (size_t i = 0; i < picture->palette_count; i++) to[i] = picture->palette[4 * i + 3];
    return write_chunk(state, "tRNS", to, picture->palette_count);
}

// 16 bits hold all of it, and more of them are done at once.
static uint8_t paeth(int16_t left, int16_t above, int16_t corner) {
    int16_t p = (int16_t)(above - corner), q = (int16_t)(left - corner), r = (int16_t)(p + q);
    int16_t a = (int16_t)(p < 0 ? -p : p), b = (int16_t)(q < 0 ? -q : q), c = (int16_t)(r < 0 ? -r : r);
    int16_t nearest = b <= c ? above : corner;
    return (uint8_t)(((a <= b) & (a <= c)) ? left : nearest);
}

// Filters `row` into `to`; the sum of what comes out, as signed bytes.
static uint64_t filter_row(
    int filter, const uint8_t *restrict row, const uint8_t *restrict before, size_t count, size_t pixel,
    uint8_t *restrict to) {
    switch (filter) {
    case 0: memcpy(to, row, count); break;
    case 1:
        memcpy(to, row, pixel);
        for (size_t i = pixel; i < count; i++) to[i] = (uint8_t)(row[i] - row[i - pixel]);
        break;
    case 2:
        for (size_t i = 0; i < count; i++) to[i] = (uint8_t)(row[i] - before[i]);
        break;
    case 3:
        for (size_t i = 0; i < pixel; i++) to[i] = (uint8_t)(row[i] - before[i] / 2);
        for (size_t i = pixel; i < count; i++) to[i] = (uint8_t)(row[i] - (row[i - pixel] + before[i]) / 2);
        break;
    default:
        for (size_t i = 0; i < pixel; i++) to[i] = (uint8_t)(row[i] - before[i]);
        for (size_t i = pixel; i < count; i++) {
            to[i] = (uint8_t)(row[i] - paeth(row[i - pixel], before[i], before[i - pixel]));
        }
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < count;) {
        // As many as 16 bits can count.
        size_t end = count - i < 256 ? count : i + 256;
        uint16_t part = 0;
        for (; i < end; i++) part = (uint16_t)(part + (to[i] < 128 ? to[i] : 256 - to[i]));
        sum += part;
    }
    return sum;
}

static int write_rows(png *state, const cif_png *picture, const uint8_t *pixels) {
    uint8_t **rows = state->rows;
    for (uint32_t y = 0; y < picture->height; y++, pixels += state->row_bytes) {
        uint8_t *before = rows[0], *row = rows[1];
        memcpy(row + 1, pixels, state->row_bytes);
        if (picture->depth == 16) {
            for (size_t i = 0; i < state->row_bytes; i += 2) {
                uint16_t value;
                memcpy(&value, pixels + i, 2);
                row[1 + i] = (uint8_t)(value >> 8);
                row[2 + i] = (uint8_t)value;
            }
        }
        uint64_t least = UINT64_MAX;
        // Neighbours in a palette are not alike.
        for (int filter = 0; filter < (picture->palette ? 1 : FILTERS); filter++) {
            uint64_t sum =
                filter_row(filter, row + 1, before + 1, state->row_bytes, state->pixel_bytes, rows[3] + 1);
            rows[3][0] = (uint8_t)filter;
            if (sum >= least) continue;
            least = sum;
            uint8_t *best = rows[3];
            rows[3] = rows[2];
            rows[2] = best;
        }
        int code = deflated(state, rows[2], state->row_bytes + 1, 0);
        if (code != CIF_OK) return code;
        rows[0] = row;
        rows[1] = before;
    }
    return deflated(state, NULL, 0, 1);
}

int cif_png_write(const char *path, const cif_png *picture, const void *pixels, char *message) {
    png *state = calloc(1, sizeof *state);
    bool is_ready = state;
    if (state) {
        state->message = message;
        state->pixel_bytes = (size_t)picture->channels * (size_t)picture->depth / 8;
        state->row_bytes = state->pixel_bytes * picture->width;
        for (int i = 0; i < 4; i++) is_ready = (state->rows[i] = calloc(1, state->row_bytes + 1)) && is_ready;
        deflate_begin(&state->deflater, CIF_ZLIB);
    }
    int code = CIF_ERROR_MEMORY;
    if (is_ready) {
        code = cif_writer_open(path, &state->file, message);
        if (code == CIF_OK) code = write_header(state, picture);
        if (code == CIF_OK) code = write_rows(state, picture, pixels);
        if (code == CIF_OK) code = write_chunk(state, "IEND", NULL, 0);
        // The first failure tells most.
        char last[CIF_MESSAGE_SIZE];
        int closed = cif_writer_close(state->file, last);
        if (code == CIF_OK && closed != CIF_OK) memcpy(message, last, sizeof last);
        if (code == CIF_OK) code = closed;
    } else {
        strcpy(message, "out of memory");
    }
    if (state) {
        for (int i = 0; i < 4; i++) free(state->rows[i]);
    }
    free(state);
    return code;
}
