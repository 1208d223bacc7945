// PNG through libpng, whose errors jump (setjmp): each jump starts and ends in one function of this file. Gamma and
// colour profiles are left alone, as Pillow and OpenCV leave them.
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "Picture.h"

// From png.h of libpng 1.6; both structures are opaque there too.
typedef struct png_struct png_struct;
typedef struct png_info png_info;
typedef struct {
    uint8_t red, green, blue;
} png_color;
typedef struct {
    uint8_t index;
    uint16_t red, green, blue, grey;
} png_color_16;
enum { COLOUR_GREY = 0, COLOUR_RGB = 2, COLOUR_PALETTE = 3, COLOUR_GREY_ALPHA = 4, COLOUR_RGB_ALPHA = 6 };

enum {
    VERSION, CREATE, CREATE_INFO, DESTROY, SET_READ, READ_INFO, WIDTH, HEIGHT, DEPTH, COLOUR, ROW_BYTES, PALETTE,
    TRANSPARENCY, RESOLUTION, SET_INTERLACE, UPDATE_INFO, READ_ROW, ERROR_POINTER, IO_POINTER, FUNCTION_COUNT
};
static const char *const symbols[FUNCTION_COUNT] = {
    "png_get_libpng_ver", "png_create_read_struct", "png_create_info_struct", "png_destroy_read_struct",
    "png_set_read_fn", "png_read_info", "png_get_image_width", "png_get_image_height", "png_get_bit_depth",
    "png_get_color_type", "png_get_rowbytes", "png_get_PLTE", "png_get_tRNS", "png_get_pHYs",
    "png_set_interlace_handling", "png_read_update_info", "png_read_row", "png_get_error_ptr", "png_get_io_ptr"};
static const cco_library library = {"libpng16.so.16", "libpng16-16", symbols, FUNCTION_COUNT};
static void *functions[FUNCTION_COUNT];

#define CALL(function, result, ...) ((result(*)(__VA_ARGS__))functions[function])

typedef struct {
    png_struct *png;
    png_info *info;
    const uint8_t *next, *end;
    jmp_buf jump;
    char *message;  // of the call that is under way
    unsigned colour, depth;
    size_t row_bytes;
    int passes;
    size_t palette_count;
    const png_color *palette;
    // What is transparent, in pictures that are opened whole: of each colour of the palette how opaque it is, or a grey
    // or colour that is.
    size_t opacity_count;
    const uint8_t *opacities;
    const png_color_16 *key;
} reader;

// libpng must not be returned to.
static void on_error(png_struct *png, const char *text) {
    reader *state = CALL(ERROR_POINTER, void *, png_struct *)(png);
    cco_fail(CCO_ERROR_DATA, state->message, "%s", text);
    longjmp(state->jump, 1);
}

static void on_warning(png_struct *png, const char *text) {
    (void)png;
    (void)text;
}

static void on_read(png_struct *png, uint8_t *to, size_t count) {
    reader *state = CALL(IO_POINTER, void *, png_struct *)(png);
    if ((size_t)(state->end - state->next) < count) on_error(png, "it is cut short");
    memcpy(to, state->next, count);
    state->next += count;
}

// Whether the pixel of grey or colour is the one that is transparent.
static bool is_key(const reader *state, const uint8_t *from, size_t at) {
    uint16_t key[3] = {state->key->red, state->key->green, state->key->blue};
    if (state->colour == COLOUR_GREY) return cco_packed_sample(from, at, state->depth) == state->key->grey;
    for (size_t i = 0; i < 3; i++) {
        if (cco_packed_sample(from, at + i, state->depth) != key[i]) return false;
    }
    return true;
}

// One row as libpng gives it, into the raster.
static int convert_row(const reader *state, const uint8_t *from, const cco_picture *picture, uint8_t *to) {
    size_t samples = state->colour == COLOUR_RGB ? 3 : state->colour == COLOUR_RGB_ALPHA ? 4 : 1;
    if (state->colour == COLOUR_GREY_ALPHA) samples = 2;
    size_t wanted = cco_raster_samples(picture->layout), bytes = cco_raster_bytes(picture);
    for (uint32_t x = 0; x < picture->width; x++, to += bytes) {
        size_t at = x * samples;
        if (state->colour == COLOUR_PALETTE) {
            unsigned value = cco_packed_sample(from, at, state->depth);
            if (value >= state->palette_count) {
                return cco_fail(
                    CCO_ERROR_DATA, state->message, "a pixel has colour %u of a palette of %zu", value,
                    state->palette_count);
            }
            memcpy(to, &state->palette[value], 3);
            if (wanted == 4) to[3] = value < state->opacity_count ? state->opacities[value] : 255;
            continue;
        }
        for (size_t i = 0; i < wanted && i < samples; i++) {
            cco_put_sample(to, i, picture->sample, cco_packed_sample(from, at + i, state->depth), state->depth);
        }
        if (wanted > samples) {
            cco_put_sample(to, samples, picture->sample, is_key(state, from, at) ? 0 : UINT16_MAX, 16);
        }
    }
    return CCO_OK;
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    reader *state = picture->state;
    state->message = message;
    if (setjmp(state->jump)) return CCO_ERROR_DATA;
    // Interlaced rows come in passes, each of which adds pixels to what is there.
    for (int pass = 0; pass < state->passes; pass++) {
        for (uint32_t y = 0; y < picture->height; y++) {
            uint8_t *row = state->passes > 1 ? work + y * state->row_bytes : work;
            // Nothing that libpng has to undo is under way between rows.
            int code = cco_check_cancelled(picture, message);
            if (code != CCO_OK) return code;
            CALL(READ_ROW, void, png_struct *, uint8_t *, uint8_t *)(state->png, row, NULL);
            if (pass + 1 < state->passes) continue;
            code = convert_row(state, row, picture, raster + (size_t)y * picture->width * cco_raster_bytes(picture));
            if (code != CCO_OK) return code;
        }
    }
    return CCO_OK;
}

static void close_png(cco_picture *picture) {
    reader *state = picture->state;
    if (state && state->png) {
        CALL(DESTROY, void, png_struct **, png_info **, png_info **)(&state->png, &state->info, NULL);
    }
    free(state);
}

// Depth, transparency and resolution.
static void read_extras(cco_picture *picture, reader *state) {
    bool is_palette = state->colour == COLOUR_PALETTE;
    picture->sample = state->depth == 16 ? CCO_UINT16 : CCO_UINT8;
    picture->bits = is_palette ? 8 : state->depth;
    uint8_t *opacities = NULL;
    int count = 0;
    png_color_16 *key = NULL;
    CALL(TRANSPARENCY, uint32_t, png_struct *, png_info *, uint8_t **, int *, png_color_16 **)(
        state->png, state->info, &opacities, &count, &key);
    if (is_palette && opacities && count > 0) {
        state->opacities = opacities;
        state->opacity_count = (size_t)count;
    }
    if (!is_palette) state->key = key;
    uint32_t across = 0, down = 0;
    int unit = 0;
    CALL(RESOLUTION, uint32_t, png_struct *, png_info *, uint32_t *, uint32_t *, int *)(
        state->png, state->info, &across, &down, &unit);
    // Pixels a metre; without that unit it tells the ratio only.
    if (unit == 1) cco_set_resolution(picture, across, down, 1000);
}

static int read_header(cco_picture *picture, reader *state, char *message) {
    state->message = message;
    if (setjmp(state->jump)) return CCO_ERROR_DATA;
    CALL(SET_READ, void, png_struct *, void *, void (*)(png_struct *, uint8_t *, size_t))(state->png, state, on_read);
    CALL(READ_INFO, void, png_struct *, png_info *)(state->png, state->info);
    state->depth = CALL(DEPTH, uint8_t, png_struct *, png_info *)(state->png, state->info);
    state->colour = CALL(COLOUR, uint8_t, png_struct *, png_info *)(state->png, state->info);
    state->passes = CALL(SET_INTERLACE, int, png_struct *)(state->png);
    CALL(UPDATE_INFO, void, png_struct *, png_info *)(state->png, state->info);
    state->row_bytes = CALL(ROW_BYTES, size_t, png_struct *, png_info *)(state->png, state->info);
    if (state->colour == COLOUR_PALETTE) {
        png_color *palette = NULL;
        int count = 0;
        CALL(PALETTE, uint32_t, png_struct *, png_info *, png_color **, int *)(
            state->png, state->info, &palette, &count);
        state->palette = palette;
        state->palette_count = palette && count > 0 ? (size_t)count : 0;
    }
    if (picture->is_whole) read_extras(picture, state);
    return cco_set_size(
        picture, CALL(WIDTH, uint32_t, png_struct *, png_info *)(state->png, state->info),
        CALL(HEIGHT, uint32_t, png_struct *, png_info *)(state->png, state->info), message);
}

int cco_open_png(cco_picture *picture, char *message) {
    int code = cco_library_open(&library, functions, message);
    if (code != CCO_OK) return code;
    reader *state = picture->state = calloc(1, sizeof *state);
    if (!state) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->close = close_png;
    picture->decode = decode;
    state->next = picture->bytes;
    state->end = picture->bytes + picture->count;
    state->message = message;
    // The version that it compares with its own is its own: what is used here is in every 1.6.
    const char *version = CALL(VERSION, const char *, png_struct *)(NULL);
    typedef void (*callback)(png_struct *, const char *);
    state->png = CALL(CREATE, png_struct *, const char *, void *, callback, callback)(
        version, state, on_error, on_warning);
    if (state->png) state->info = CALL(CREATE_INFO, png_info *, png_struct *)(state->png);
    if (!state->info) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    code = read_header(picture, state, message);
    if (code != CCO_OK) return code;
    bool is_grey = state->colour == COLOUR_GREY || state->colour == COLOUR_GREY_ALPHA;
    picture->layout = is_grey ? RASTER_GREY : RASTER_RGB;
    bool has_alpha = state->colour == COLOUR_GREY_ALPHA || state->colour == COLOUR_RGB_ALPHA;
    if (picture->is_whole && (has_alpha || state->opacities || state->key)) {
        picture->has_alpha = true;
        picture->layout = is_grey ? RASTER_GREY_ALPHA : RASTER_RGBA;
    }
    size_t raster = cco_times(state->row_bytes, picture->height);
    picture->work_bytes = state->passes > 1 ? raster : state->row_bytes;
    // Deflate makes at most 1032 bytes of one.
    return cco_check_held(picture, raster, 1032, message);
}
