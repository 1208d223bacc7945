// PNG: rows filtered, and deflated into chunks as they come.
#include <isa-l/crc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "CImageFormats.h"
#include "deflate.h"
#include "filters.h"

typedef struct {
    cif_writer *file;
    char *message;
    deflater deflater;
    // The row before, the row, it filtered and room, each behind FILTER_BLOCK bytes; all as PNG has them.
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
    clean_vectors();
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

// Filters a row into rows[2], as libpng does: of the five filters through the one whose bytes add up to the least,
// taken as signed, of equals the first. `guess` is tried first, so that the others may stop early.
static int filter_best(png *state, int guess, int filters) {
    const uint8_t *before = state->rows[0] + FILTER_BLOCK, *row = state->rows[1] + FILTER_BLOCK;
    uint64_t least = UINT64_MAX;
    int best = guess;
    for (int n = 0; n < filters; n++) {
        int filter = n == 0 ? guess : n <= guess ? n - 1 : n;
        uint8_t *to = state->rows[3] + FILTER_BLOCK;
        uint64_t sum = filter_row(filter, row, before, state->row_bytes, state->pixel_bytes, least, to);
        if (sum > least || (sum == least && filter > best)) continue;
        least = sum;
        best = filter;
        to[-1] = (uint8_t)filter;
        uint8_t *other = state->rows[2];
        state->rows[2] = state->rows[3];
        state->rows[3] = other;
    }
    return best;
}

static int write_rows(png *state, const cif_png *picture, const uint8_t *pixels) {
    uint8_t **rows = state->rows;
    int filter = 0;
    for (uint32_t y = 0; y < picture->height; y++, pixels += state->row_bytes) {
        uint8_t *row = rows[1] + FILTER_BLOCK;
        memcpy(row, pixels, state->row_bytes);
        if (picture->depth == 16) {
            for (size_t i = 0; i < state->row_bytes; i += 2) {
                uint16_t value;
                memcpy(&value, pixels + i, 2);
                row[i] = (uint8_t)(value >> 8);
                row[i + 1] = (uint8_t)value;
            }
        }
        // Neighbours in a palette are not alike; a row is mostly like the one before.
        filter = filter_best(state, filter, picture->palette ? 1 : FILTERS);
        int code = deflated(state, rows[2] + FILTER_BLOCK - 1, state->row_bytes + 1, 0);
        if (code != CIF_OK) return code;
        uint8_t *before = rows[0];
        rows[0] = rows[1];
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
        size_t blocks = state->row_bytes / FILTER_BLOCK + 2;
        for (int i = 0; i < 4; i++) is_ready = (state->rows[i] = calloc(blocks, FILTER_BLOCK)) && is_ready;
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
