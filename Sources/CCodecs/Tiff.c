// TIFF through libtiff: the first picture of the file, in strips or tiles, whole pixels or planes, 1 to 16 bits, with
// every compression that the installed libtiff knows. Turned as its orientation tag says.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Picture.h"

// From tiff.h and tiffio.h of libtiff 4.5.
typedef struct tiff tiff;
typedef struct tiff_options tiff_options;
typedef int (*tiff_report)(tiff *, void *, const char *, const char *, va_list);
enum {
    TAG_WIDTH = 256, TAG_HEIGHT = 257, TAG_BITS = 258, TAG_COMPRESSION = 259, TAG_PHOTOMETRIC = 262,
    TAG_ORIENTATION = 274, TAG_SAMPLES = 277, TAG_ROWS_PER_STRIP = 278, TAG_PLANES = 284, TAG_PREDICTOR = 317,
    TAG_COLOUR_MAP = 320, TAG_TILE_WIDTH = 322, TAG_TILE_HEIGHT = 323,
    TAG_EXTRA_SAMPLES = 338, TAG_SAMPLE_FORMAT = 339, TAG_JPEG_COLOUR = 65538
};
enum { WHITE_IS_ZERO = 0, BLACK_IS_ZERO = 1, COLOUR_RGB = 2, COLOUR_PALETTE = 3, COLOUR_INK = 5, COLOUR_YCC = 6 };
enum { NONE = 1, LZW = 5, OLD_JPEG = 6, NEW_JPEG = 7, DEFLATE = 8, PACK_BITS = 32773, OLD_DEFLATE = 32946 };
enum { ALPHA_MULTIPLIED = 1, UNSIGNED = 1, UNKNOWN_FORMAT = 4 };

enum {
    OPTIONS, OPTIONS_FREE, OPTIONS_ERROR, OPTIONS_WARNING, OPTIONS_LIMIT, OPEN, CLOSE, GET, GET_DEFAULTED, SET,
    IS_TILED, STRIP_SIZE, TILE_SIZE, ROW_SIZE, TILE_ROW_SIZE, READ_STRIP, READ_TILE, STRIPS, TILES, RGBA_OK, READ_RGBA,
    FUNCTION_COUNT
};
static const char *const symbols[FUNCTION_COUNT] = {
    "TIFFOpenOptionsAlloc", "TIFFOpenOptionsFree", "TIFFOpenOptionsSetErrorHandlerExtR",
    "TIFFOpenOptionsSetWarningHandlerExtR", "TIFFOpenOptionsSetMaxSingleMemAlloc", "TIFFClientOpenExt", "TIFFClose",
    "TIFFGetField", "TIFFGetFieldDefaulted", "TIFFSetField", "TIFFIsTiled", "TIFFStripSize64", "TIFFTileSize64",
    "TIFFScanlineSize64", "TIFFTileRowSize64", "TIFFReadEncodedStrip", "TIFFReadEncodedTile", "TIFFNumberOfStrips",
    "TIFFNumberOfTiles", "TIFFRGBAImageOK", "TIFFReadRGBAImageOriented"};
static const cco_library library = {"libtiff.so.6", "libtiff6", symbols, FUNCTION_COUNT};
static void *functions[FUNCTION_COUNT];

#define CALL(function, result, ...) ((result(*)(__VA_ARGS__))functions[function])
#define FIELD(function, ...) CALL(function, int, tiff *, uint32_t, ...)(__VA_ARGS__)

typedef struct {
    tiff *file;
    const uint8_t *bytes;
    size_t count, at;
    char *message;  // of the call that is under way
    bool has_failed;
    bool is_decoding;
    bool is_read_as_rgba;  // by libtiff's own conversion
    bool is_tiled, is_in_planes, is_multiplied, is_deflated;
    uint16_t photometric, bits, samples, predictor;
    uint16_t *map[3];
    uint32_t chunk_width, chunk_height;
    size_t chunk_bytes, chunk_row_bytes;
} reader;

static int on_error(tiff *file, void *user, const char *module, const char *text, va_list arguments) {
    (void)file;
    (void)module;
    reader *state = user;
    // The first one tells most.
    if (!state->has_failed) vsnprintf(state->message, CCO_MESSAGE_SIZE, text, arguments);
    state->has_failed = true;
    return 1;
}

// While pixels are decoded, codecs warn of what they had to make up. Before, libtiff warns of tags that it leaves out:
// what programs add to a picture does not matter, what the pixels depend on does, and so does a file that ends before
// its tags.
static int on_warning(tiff *file, void *user, const char *module, const char *text, va_list arguments) {
    static const char *const fatal[] = {
        "IO error", "\"BitsPerSample\"", "\"Compression\"", "\"PhotometricInterpretation\"", "\"FillOrder\"",
        "\"Orientation\"", "\"SamplesPerPixel\"", "\"RowsPerStrip\"", "\"PlanarConfiguration\"", "\"ColorMap\"",
        "\"ExtraSamples\"", "\"SampleFormat\"", "\"Predictor\"", "\"YCbCrSubsampling\"", "ByteCounts\"", "Offsets\""};
    (void)file;
    (void)module;
    reader *state = user;
    char warning[CCO_MESSAGE_SIZE];
    vsnprintf(warning, sizeof warning, text, arguments);
    bool matters = state->is_decoding;
    for (size_t i = 0; !matters && i < sizeof fatal / sizeof *fatal; i++) {
        matters = strstr(warning, fatal[i]) && (i == 0 || strstr(warning, "ignored"));
    }
    if (matters && !state->has_failed) {
        state->has_failed = true;
        memcpy(state->message, warning, sizeof warning);
    }
    return 1;
}

static ptrdiff_t on_read(void *user, void *to, ptrdiff_t count) {
    reader *state = user;
    size_t left = state->at < state->count ? state->count - state->at : 0;
    size_t step = count < 0 ? 0 : (size_t)count < left ? (size_t)count : left;
    memcpy(to, state->bytes + state->at, step);
    state->at += step;
    return (ptrdiff_t)step;
}

static ptrdiff_t on_write(void *user, void *from, ptrdiff_t count) {
    (void)user;
    (void)from;
    (void)count;
    return -1;
}

static uint64_t on_seek(void *user, uint64_t place, int whence) {
    reader *state = user;
    uint64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? state->at : state->count;
    uint64_t target = base + place;
    // Beyond the end nothing is read.
    state->at = target > state->count ? state->count : (size_t)target;
    return target;
}

static int on_close(void *user) {
    (void)user;
    return 0;
}

static uint64_t on_size(void *user) { return ((reader *)user)->count; }

static int on_map(void *user, void **base, uint64_t *size) {
    reader *state = user;
    *base = (void *)(uintptr_t)state->bytes;
    *size = state->count;
    return 1;
}

static void on_unmap(void *user, void *base, uint64_t size) {
    (void)user;
    (void)base;
    (void)size;
}

static int failure(reader *state, const char *text) {
    if (!state->has_failed || !state->message[0]) cco_fail(CCO_ERROR_DATA, state->message, "%s", text);
    // Cuts what ends a line.
    char copy[CCO_MESSAGE_SIZE];
    memcpy(copy, state->message, sizeof copy);
    return cco_fail(CCO_ERROR_DATA, state->message, "%s", copy);
}

// Sample `index` of a row: as wide as it is stored, in the machine's byte order.
static unsigned stored_sample(const reader *state, const uint8_t *row, size_t index) {
    if (state->bits != 16) return cco_packed_sample(row, index, state->bits);
    uint16_t value;
    memcpy(&value, row + 2 * index, 2);
    return value;
}

// The first `count` pixels of a chunk's row into the raster; of one plane, `plane`, where planes lie apart.
static void convert_row(
    const reader *state, const uint8_t *row, size_t count, unsigned plane, raster_layout layout, uint8_t *to) {
    size_t bytes = layout == RASTER_CMYK ? 4 : layout, step = state->is_in_planes ? 1 : state->samples;
    size_t first = state->is_in_planes ? plane : 0, last = state->is_in_planes ? plane + 1 : bytes;
    size_t colours = layout == RASTER_GREY ? 1 : 3;
    bool is_plain = state->photometric != COLOUR_PALETTE && state->photometric != WHITE_IS_ZERO;
    if (is_plain && state->bits == 8 && step == bytes && !state->is_in_planes) {
        memcpy(to, row, count * bytes);
        return;
    }
    for (size_t x = 0; x < count; x++, to += bytes) {
        if (state->photometric == COLOUR_PALETTE) {
            unsigned index = stored_sample(state, row, x * step);
            for (int i = 0; i < 3; i++) to[i] = (uint8_t)(state->map[i][index] >> 8);
            continue;
        }
        for (size_t i = first; i < last; i++) {
            unsigned value = cco_to_byte(stored_sample(state, row, x * step + (i - first)), state->bits);
            to[i] = (uint8_t)(state->photometric == WHITE_IS_ZERO ? 255 - value : value);
        }
        if (!state->is_multiplied) continue;
        unsigned alpha = cco_to_byte(stored_sample(state, row, x * step + colours), state->bits);
        for (size_t i = 0; alpha > 0 && i < colours; i++) {
            unsigned value = to[i] * 255u / alpha;
            to[i] = (uint8_t)(value > 255 ? 255 : value);
        }
    }
}

static int read_chunk(reader *state, uint32_t chunk, size_t rows, uint8_t *work) {
    ptrdiff_t got = CALL(state->is_tiled ? READ_TILE : READ_STRIP, ptrdiff_t, tiff *, uint32_t, void *, ptrdiff_t)(
        state->file, chunk, work, (ptrdiff_t)state->chunk_bytes);
    if (got < 0 || state->has_failed) return failure(state, "it is cut short or damaged");
    if ((size_t)got < state->chunk_row_bytes * rows) {
        return cco_fail(CCO_ERROR_DATA, state->message, "strip or tile %u is too short", chunk);
    }
    return CCO_OK;
}

// Damaged deflate data may end too early without an error; then the last byte is what was there before.
static int read_deflated_chunk(reader *state, uint32_t chunk, size_t rows, uint8_t *work) {
    const uint8_t mark = 0x5a;
    uint8_t *last = work + state->chunk_row_bytes * rows - 1;
    *last = mark;
    int code = read_chunk(state, chunk, rows, work);
    if (code != CCO_OK) return code;
    size_t step = state->is_in_planes ? 1 : state->samples;
    // A predictor adds to it what the pixel before has become.
    bool is_summed = state->predictor != 1, is_known = !is_summed || (state->bits == 8 && state->chunk_width > 1);
    uint8_t found = *last, added = is_summed && is_known ? last[-(ptrdiff_t)step] : 0;
    if (is_known && (uint8_t)(found - added) != mark) return CCO_OK;
    *last = (uint8_t)~mark;
    code = read_chunk(state, chunk, rows, work);
    if (code == CCO_OK && *last != found) code = cco_fail(CCO_ERROR_DATA, state->message, "it is cut short or damaged");
    return code;
}

static int decode_chunks(cco_picture *picture, uint8_t *raster, uint8_t *work) {
    reader *state = picture->state;
    // What a codec leaves out must not be what the memory held.
    memset(work, 0, state->chunk_bytes);
    size_t bytes = picture->layout == RASTER_CMYK ? 4 : picture->layout;
    unsigned planes = state->is_in_planes ? (unsigned)bytes : 1;
    uint32_t across = (picture->width - 1) / state->chunk_width + 1;
    uint32_t down = (picture->height - 1) / state->chunk_height + 1;
    uint64_t chunk = 0;
    for (unsigned plane = 0; plane < planes; plane++) {
        for (uint32_t j = 0; j < down; j++) {
            uint32_t y = j * state->chunk_height, rows = picture->height - y;
            if (rows > state->chunk_height) rows = state->chunk_height;
            for (uint32_t i = 0; i < across; i++, chunk++) {
                uint32_t x = i * state->chunk_width, columns = picture->width - x;
                if (columns > state->chunk_width) columns = state->chunk_width;
                int code = cco_check_cancelled(picture, state->message);
                if (code != CCO_OK) return code;
                code = (state->is_deflated ? read_deflated_chunk : read_chunk)(state, (uint32_t)chunk, rows, work);
                if (code != CCO_OK) return code;
                for (uint32_t row = 0; row < rows; row++) {
                    convert_row(
                        state, work + row * state->chunk_row_bytes, columns, plane, picture->layout,
                        raster + ((size_t)(y + row) * picture->width + x) * bytes);
                }
            }
        }
    }
    return CCO_OK;
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    reader *state = picture->state;
    state->message = message;
    state->has_failed = false;
    state->is_decoding = true;
    int code = CCO_OK;
    if (!state->is_read_as_rgba) {
        code = decode_chunks(picture, raster, work);
    } else if (
        !CALL(READ_RGBA, int, tiff *, uint32_t, uint32_t, uint32_t *, int, int)(
            state->file, picture->width, picture->height, (uint32_t *)(void *)raster, 1, 1) ||
        state->has_failed) {
        code = failure(state, "it is cut short or damaged");
    }
    state->is_decoding = false;
    return code;
}

static void close_tiff(cco_picture *picture) {
    reader *state = picture->state;
    char message[CCO_MESSAGE_SIZE];
    if (!state) return;
    state->message = message;
    if (state->file) CALL(CLOSE, void, tiff *)(state->file);
    free(state);
}

static int open_file(reader *state) {
    tiff_options *options = CALL(OPTIONS, tiff_options *, void)();
    if (!options) return cco_fail(CCO_ERROR_MEMORY, state->message, "out of memory");
    CALL(OPTIONS_ERROR, void, tiff_options *, tiff_report, void *)(options, on_error, state);
    CALL(OPTIONS_WARNING, void, tiff_options *, tiff_report, void *)(options, on_warning, state);
    // Tables that the file lists and codecs' state; pixels are decoded into memory that the caller gives.
    size_t limit = cco_plus(cco_times(state->count, 4), (size_t)64 << 20);
    CALL(OPTIONS_LIMIT, void, tiff_options *, ptrdiff_t)(options, limit > PTRDIFF_MAX ? PTRDIFF_MAX : (ptrdiff_t)limit);
    typedef ptrdiff_t (*transfer)(void *, void *, ptrdiff_t);
    state->file = CALL(
        OPEN, tiff *, const char *, const char *, void *, transfer, transfer, uint64_t (*)(void *, uint64_t, int),
        int (*)(void *), uint64_t (*)(void *), int (*)(void *, void **, uint64_t *), void (*)(void *, void *, uint64_t),
        tiff_options *)(
        "picture", "r", state, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap, options);
    CALL(OPTIONS_FREE, void, tiff_options *)(options);
    return state->file ? CCO_OK : failure(state, "its header is cut short or damaged");
}

// Sizes of strips or tiles.
static int read_chunks(cco_picture *picture, reader *state, char *message) {
    state->is_tiled = CALL(IS_TILED, int, tiff *)(state->file);
    uint64_t size, row;
    uint32_t there;
    if (state->is_tiled) {
        FIELD(GET, state->file, TAG_TILE_WIDTH, &state->chunk_width);
        FIELD(GET, state->file, TAG_TILE_HEIGHT, &state->chunk_height);
        size = CALL(TILE_SIZE, uint64_t, tiff *)(state->file);
        row = CALL(TILE_ROW_SIZE, uint64_t, tiff *)(state->file);
        there = CALL(TILES, uint32_t, tiff *)(state->file);
    } else {
        state->chunk_width = picture->width;
        FIELD(GET_DEFAULTED, state->file, TAG_ROWS_PER_STRIP, &state->chunk_height);
        if (state->chunk_height > picture->height) state->chunk_height = picture->height;
        size = CALL(STRIP_SIZE, uint64_t, tiff *)(state->file);
        row = CALL(ROW_SIZE, uint64_t, tiff *)(state->file);
        there = CALL(STRIPS, uint32_t, tiff *)(state->file);
    }
    if (state->has_failed) return failure(state, "");
    size_t bits = cco_times(cco_times(state->chunk_width, state->is_in_planes ? 1 : state->samples), state->bits);
    if (state->chunk_width == 0 || state->chunk_height == 0 || row == 0 || size > SIZE_MAX / 2 || row < bits / 8 ||
        row > size || size / row < state->chunk_height) {
        return cco_fail(CCO_ERROR_DATA, message, "its strips or tiles have an impossible size");
    }
    uint64_t wanted = (uint64_t)((picture->width - 1) / state->chunk_width + 1) *
                      ((picture->height - 1) / state->chunk_height + 1) * (state->is_in_planes ? state->samples : 1);
    if (there < wanted) {
        return cco_fail(
            CCO_ERROR_DATA, message, "it has %u strips or tiles of %llu", there, (unsigned long long)wanted);
    }
    state->chunk_bytes = (size_t)size;
    state->chunk_row_bytes = (size_t)row;
    picture->work_bytes = state->chunk_bytes;
    return CCO_OK;
}

static size_t stored_bytes(const cco_picture *picture, const reader *state) {
    size_t row = cco_plus(cco_times(cco_times(picture->width, state->samples), state->bits), 7) / 8;
    return cco_times(row, picture->height);
}

// How many bytes of samples a byte of the file is at most; 0 where the coding has no bound.
static size_t most_expansion(unsigned compression) {
    switch (compression) {
    case NONE: return 1;
    // 128 bytes of two.
    case PACK_BITS: return 64;
    // A code has 12 bits at most and stands for fewer than 4096 bytes.
    case LZW: return 2731;
    case DEFLATE:
    case OLD_DEFLATE: return 1032;
    default: return 0;
    }
}

// The samples that the file says it holds, and the chunk that is decoded at once, against its size.
static int check_held(const cco_picture *picture, const reader *state, unsigned compression, char *message) {
    size_t stored = stored_bytes(picture, state), expansion = most_expansion(compression);
    int code = expansion ? cco_check_held(picture, stored, expansion, message)
                         : cco_check_expansion(picture, stored, message);
    // A tile may be larger than the picture.
    uint64_t pixels = (uint64_t)state->chunk_width * state->chunk_height;
    bool is_free = expansion ? state->chunk_bytes <= CCO_FREE_PIXELS : pixels <= CCO_BLANK_PIXELS;
    if (code != CCO_OK || is_free) return code;
    if (expansion == 0) expansion = CCO_MOST_EXPANSION;
    if (state->chunk_bytes / expansion <= picture->count) return CCO_OK;
    return cco_fail(
        CCO_ERROR_LIMIT, message, "%zu bytes would become a strip or tile of %zu; at most %zu for each are decoded",
        picture->count, state->chunk_bytes, expansion);
}

// How many samples of a pixel are colour, or 0 for what libtiff is to convert by itself.
static unsigned colour_samples(const reader *state) {
    switch (state->photometric) {
    case WHITE_IS_ZERO:
    case BLACK_IS_ZERO:
    case COLOUR_PALETTE: return 1;
    case COLOUR_RGB: return 3;
    case COLOUR_INK: return 4;
    default: return 0;
    }
}

static int read_fields(cco_picture *picture, reader *state, char *message) {
    uint32_t width = 0, height = 0;
    uint16_t compression = 1, orientation = 1, planes = 1, format = UNSIGNED, extra_count = 0, *extra = NULL;
    tiff *file = state->file;
    FIELD(GET, file, TAG_WIDTH, &width);
    FIELD(GET, file, TAG_HEIGHT, &height);
    int code = cco_set_size(picture, width, height, message);
    if (code != CCO_OK) return code;
    FIELD(GET_DEFAULTED, file, TAG_BITS, &state->bits);
    FIELD(GET_DEFAULTED, file, TAG_SAMPLES, &state->samples);
    FIELD(GET_DEFAULTED, file, TAG_COMPRESSION, &compression);
    FIELD(GET_DEFAULTED, file, TAG_ORIENTATION, &orientation);
    state->is_deflated = compression == DEFLATE || compression == OLD_DEFLATE;
    state->predictor = 1;
    if (state->is_deflated) FIELD(GET_DEFAULTED, file, TAG_PREDICTOR, &state->predictor);
    FIELD(GET_DEFAULTED, file, TAG_PLANES, &planes);
    FIELD(GET_DEFAULTED, file, TAG_SAMPLE_FORMAT, &format);
    FIELD(GET_DEFAULTED, file, TAG_EXTRA_SAMPLES, &extra_count, &extra);
    if (!FIELD(GET, file, TAG_PHOTOMETRIC, &state->photometric)) state->photometric = WHITE_IS_ZERO;
    if (orientation >= 1 && orientation <= 8) picture->orientation = orientation;
    if (state->samples == 0) return cco_fail(CCO_ERROR_DATA, message, "its pixels have no samples");
    if (format != UNSIGNED && format != UNKNOWN_FORMAT) {
        const char *kind = format == 2 ? "signed integers" : format == 3 ? "floating-point numbers" : "complex numbers";
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its samples are %s, not colour", kind);
    }
    bool is_ycc = state->photometric == COLOUR_YCC && state->samples == 3;
    bool is_jpeg_colour = is_ycc && compression == NEW_JPEG && planes == 1;
    // Old files of JPEG in TIFF contradict themselves; libtiff knows how.
    state->is_read_as_rgba = compression == OLD_JPEG || (!is_jpeg_colour && colour_samples(state) == 0);
    if (state->is_read_as_rgba) {
        char reason[1024] = "";
        if (!CALL(RGBA_OK, int, tiff *, char *)(file, reason)) {
            const char *usual = "its colours are of an unknown kind";
            return cco_fail(CCO_ERROR_UNSUPPORTED, message, "%s", reason[0] ? reason : usual);
        }
        // It would turn some and not others.
        FIELD(SET, file, TAG_ORIENTATION, 1);
        picture->layout = RASTER_RGBX;
        size_t expansion = most_expansion(compression), pixels = (size_t)width * height;
        if (expansion == 0) return cco_check_expansion(picture, stored_bytes(picture, state), message);
        if (pixels <= CCO_FREE_PIXELS) return CCO_OK;
        // Of colours that are halved fewer samples are stored, but one for each pixel.
        return cco_check_held(picture, cco_times(pixels, state->bits) / 8, expansion, message);
    }
    if (is_jpeg_colour) {
        FIELD(SET, file, TAG_JPEG_COLOUR, 1);
        state->photometric = COLOUR_RGB;
    }
    unsigned colours = colour_samples(state);
    bool has_depth = state->bits == 1 || state->bits == 2 || state->bits == 4 || state->bits == 8 || state->bits == 16;
    if (!has_depth || (state->photometric == COLOUR_PALETTE && state->bits > 8)) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its samples have %u bits", state->bits);
    }
    if (state->samples < colours) {
        return cco_fail(CCO_ERROR_DATA, message, "its pixels have %u samples of %u", state->samples, colours);
    }
    state->is_in_planes = planes == 2 && state->samples > 1;
    // What alpha has been multiplied into is divided again, as it is where alpha stands beside the colours.
    bool has_multiplied = extra_count > 0 && extra && extra[0] == ALPHA_MULTIPLIED && state->samples > colours;
    state->is_multiplied =
        has_multiplied && !state->is_in_planes && colours != 4 && state->photometric != COLOUR_PALETTE;
    if (state->photometric == COLOUR_PALETTE &&
        !FIELD(GET, file, TAG_COLOUR_MAP, &state->map[0], &state->map[1], &state->map[2])) {
        return cco_fail(CCO_ERROR_DATA, message, "its palette is missing");
    }
    bool is_grey = colours == 1 && state->photometric != COLOUR_PALETTE;
    picture->layout = is_grey ? RASTER_GREY : colours == 4 ? RASTER_CMYK : RASTER_RGB;
    if (state->photometric == COLOUR_PALETTE && state->is_in_planes) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its palette's indices lie in planes");
    }
    code = read_chunks(picture, state, message);
    return code == CCO_OK ? check_held(picture, state, compression, message) : code;
}

int cco_open_tiff(cco_picture *picture, char *message) {
    int code = cco_library_open(&library, functions, message);
    if (code != CCO_OK) return code;
    reader *state = picture->state = calloc(1, sizeof *state);
    if (!state) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->close = close_tiff;
    picture->decode = decode;
    state->bytes = picture->bytes;
    state->count = picture->count;
    state->message = message;
    code = open_file(state);
    if (code != CCO_OK) return code;
    if (state->has_failed) return failure(state, "");
    return read_fields(picture, state, message);
}
