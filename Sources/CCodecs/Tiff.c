// TIFF through libtiff: a page in strips or tiles, whole pixels or planes, with every compression that the installed
// libtiff knows; as 8-bit colour the first page of 1 to 16 bits. Turned as its orientation tag says.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Tiff.h"

enum {
    OPTIONS, OPTIONS_FREE, OPTIONS_ERROR, OPTIONS_WARNING, OPTIONS_LIMIT, OPEN, CLOSE, GET, GET_DEFAULTED, SET,
    IS_TILED, STRIP_SIZE, TILE_SIZE, ROW_SIZE, TILE_ROW_SIZE, READ_STRIP, READ_TILE, STRIPS, TILES, RGBA_OK, READ_RGBA,
    PAGES, SET_PAGE, FUNCTION_COUNT
};
static const char *const symbols[FUNCTION_COUNT] = {
    "TIFFOpenOptionsAlloc", "TIFFOpenOptionsFree", "TIFFOpenOptionsSetErrorHandlerExtR",
    "TIFFOpenOptionsSetWarningHandlerExtR", "TIFFOpenOptionsSetMaxSingleMemAlloc", "TIFFClientOpenExt", "TIFFClose",
    "TIFFGetField", "TIFFGetFieldDefaulted", "TIFFSetField", "TIFFIsTiled", "TIFFStripSize64", "TIFFTileSize64",
    "TIFFScanlineSize64", "TIFFTileRowSize64", "TIFFReadEncodedStrip", "TIFFReadEncodedTile", "TIFFNumberOfStrips",
    "TIFFNumberOfTiles", "TIFFRGBAImageOK", "TIFFReadRGBAImageOriented", "TIFFNumberOfDirectories",
    "TIFFSetDirectory"};
static const cco_library library = {"libtiff.so.6", "libtiff6", symbols, FUNCTION_COUNT};
static void *functions[FUNCTION_COUNT];

#define CALL(function, result, ...) ((result(*)(__VA_ARGS__))functions[function])
#define FIELD(function, ...) CALL(function, int, tiff *, uint32_t, ...)(__VA_ARGS__)

static int on_error(tiff *file, void *user, const char *module, const char *text, va_list arguments) {
    (void)file;
    (void)module;
    tiff_reader *state = user;
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
    tiff_reader *state = user;
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
    tiff_reader *state = user;
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
    tiff_reader *state = user;
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

static uint64_t on_size(void *user) { return ((tiff_reader *)user)->count; }

static int on_map(void *user, void **base, uint64_t *size) {
    tiff_reader *state = user;
    *base = (void *)(uintptr_t)state->bytes;
    *size = state->count;
    return 1;
}

static void on_unmap(void *user, void *base, uint64_t size) {
    (void)user;
    (void)base;
    (void)size;
}

static int failure(tiff_reader *state, const char *text) {
    if (!state->has_failed || !state->message[0]) cco_fail(CCO_ERROR_DATA, state->message, "%s", text);
    // Cuts what ends a line.
    char copy[CCO_MESSAGE_SIZE];
    memcpy(copy, state->message, sizeof copy);
    return cco_fail(CCO_ERROR_DATA, state->message, "%s", copy);
}

static int read_chunk(tiff_reader *state, uint32_t chunk, size_t rows, uint8_t *work) {
    ptrdiff_t got = CALL(state->is_tiled ? READ_TILE : READ_STRIP, ptrdiff_t, tiff *, uint32_t, void *, ptrdiff_t)(
        state->file, chunk, work, (ptrdiff_t)state->chunk_bytes);
    if (got < 0 || state->has_failed) return failure(state, "it is cut short or damaged");
    if ((size_t)got < state->chunk_row_bytes * rows) {
        return cco_fail(CCO_ERROR_DATA, state->message, "strip or tile %u is too short", chunk);
    }
    return CCO_OK;
}

// Whether the last byte of a chunk may be `mark`, to which a predictor adds what the pixel before has become.
static bool may_be_left(const tiff_reader *state, const uint8_t *last, uint8_t mark) {
    size_t step = state->is_in_planes ? 1 : state->samples;
    if (state->predictor == 1) return *last == mark;
    if (state->predictor != 2 || state->chunk_width < 2) return true;
    if (state->bits == 8) return (uint8_t)(*last - *(last - step)) == mark;
    if (state->bits != 16) return true;
    uint16_t value, before;
    memcpy(&value, last - 1, 2);
    memcpy(&before, last - 1 - 2 * step, 2);
    // The file's byte order may not be the machine's.
    uint16_t added = (uint16_t)(value - before);
    return (added & 255) == mark || added >> 8 == mark;
}

// Damaged deflate data may end too early without an error; then the last byte is what was there before.
static int read_deflated_chunk(tiff_reader *state, uint32_t chunk, size_t rows, uint8_t *work) {
    const uint8_t mark = 0x5a;
    uint8_t *last = work + state->chunk_row_bytes * rows - 1;
    *last = mark;
    int code = read_chunk(state, chunk, rows, work);
    if (code != CCO_OK || !may_be_left(state, last, mark)) return code;
    uint8_t found = *last;
    *last = (uint8_t)~mark;
    code = read_chunk(state, chunk, rows, work);
    if (code == CCO_OK && *last != found) code = cco_fail(CCO_ERROR_DATA, state->message, "it is cut short or damaged");
    return code;
}

static int decode_chunks(cco_picture *picture, uint8_t *raster, uint8_t *work) {
    tiff_reader *state = picture->state;
    // What a codec leaves out must not be what the memory held.
    memset(work, 0, state->chunk_bytes);
    size_t bytes = cco_raster_bytes(picture);
    unsigned planes = state->is_in_planes ? (unsigned)cco_raster_samples(picture->layout) : 1;
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
                    cco_convert_tiff_row(
                        state, picture, work + row * state->chunk_row_bytes, columns, plane,
                        raster + ((size_t)(y + row) * picture->width + x) * bytes);
                }
            }
        }
    }
    return CCO_OK;
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    tiff_reader *state = picture->state;
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
    tiff_reader *state = picture->state;
    char message[CCO_MESSAGE_SIZE];
    if (!state) return;
    state->message = message;
    if (state->file) CALL(CLOSE, void, tiff *)(state->file);
    free(state);
}

static int open_file(tiff_reader *state) {
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
static int read_chunks(cco_picture *picture, tiff_reader *state, char *message) {
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

static size_t stored_bytes(const cco_picture *picture, const tiff_reader *state) {
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
static int check_held(const cco_picture *picture, const tiff_reader *state, unsigned compression, char *message) {
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
static unsigned colour_samples(const tiff_reader *state) {
    switch (state->photometric) {
    case WHITE_IS_ZERO:
    case BLACK_IS_ZERO:
    case COLOUR_PALETTE: return 1;
    case COLOUR_RGB: return 3;
    case COLOUR_INK: return 4;
    default: return 0;
    }
}

static void read_resolution(cco_picture *picture, tiff_reader *state) {
    float across = 0, down = 0;
    uint16_t unit = UNIT_INCH;
    FIELD(GET, state->file, TAG_X_RESOLUTION, &across);
    FIELD(GET, state->file, TAG_Y_RESOLUTION, &down);
    FIELD(GET_DEFAULTED, state->file, TAG_RESOLUTION_UNIT, &unit);
    // Without a unit it tells the ratio only.
    if (unit == UNIT_INCH) cco_set_resolution(picture, across, down, 25.4);
    if (unit == UNIT_CENTIMETRE) cco_set_resolution(picture, across, down, 10);
}

// Counts the pages and turns to the one that is wanted.
static int find_page(cco_picture *picture, tiff_reader *state) {
    picture->pages = CALL(PAGES, uint32_t, tiff *)(state->file);
    if (state->has_failed) return failure(state, "its list of pages is damaged");
    if (picture->page >= picture->pages) return CCO_OK;
    if (!CALL(SET_PAGE, int, tiff *, uint32_t)(state->file, picture->page) || state->has_failed) {
        return failure(state, "its list of pages is damaged");
    }
    return CCO_OK;
}

// What a sample is: of a picture that is opened whole it may also be a number that is no colour.
static int read_depth(cco_picture *picture, const tiff_reader *state, char *message) {
    unsigned bits = state->bits;
    bool is_number = state->format != UNSIGNED || bits > 16, is_palette = state->photometric == COLOUR_PALETTE;
    bool is_known = bits == 16 || (bits == 8 && state->format != FLOATING);
    if (is_number) is_known = picture->is_whole && (is_known || bits == 32 || bits == 64);
    if (!is_number) is_known = is_known || bits == 1 || bits == 2 || bits == 4;
    if (!is_known || (is_palette && bits > 8 && !picture->is_whole)) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its samples have %u bits", bits);
    }
    // Numbers have no greatest value to count from.
    if (is_number && state->photometric != BLACK_IS_ZERO && state->photometric != COLOUR_RGB) {
        const char *text = "its samples are %u-bit numbers whose 0 is white, ink or a colour's index";
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, text, bits);
    }
    if (!picture->is_whole || is_palette) return CCO_OK;
    picture->kind = state->format;
    picture->bits = bits;
    picture->sample = is_number ? CCO_FLOAT32 : bits == 16 ? CCO_UINT16 : CCO_UINT8;
    return CCO_OK;
}

static int read_fields(cco_picture *picture, tiff_reader *state, char *message) {
    uint32_t width = 0, height = 0;
    uint16_t compression = 1, orientation = 1, planes = 1, extra_count = 0, *extra = NULL;
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
    state->format = UNSIGNED;
    FIELD(GET_DEFAULTED, file, TAG_SAMPLE_FORMAT, &state->format);
    if (state->format == UNKNOWN_FORMAT) state->format = UNSIGNED;
    FIELD(GET_DEFAULTED, file, TAG_EXTRA_SAMPLES, &extra_count, &extra);
    if (!FIELD(GET, file, TAG_PHOTOMETRIC, &state->photometric)) state->photometric = WHITE_IS_ZERO;
    if (orientation >= 1 && orientation <= 8) picture->orientation = orientation;
    if (state->samples == 0) return cco_fail(CCO_ERROR_DATA, message, "its pixels have no samples");
    bool has_numbers = state->format == SIGNED || state->format == FLOATING;
    if (state->format != UNSIGNED && !(picture->is_whole && has_numbers)) {
        const char *kind = state->format == SIGNED     ? "signed integers"
                           : state->format == FLOATING ? "floating-point numbers"
                                                       : "complex numbers";
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its samples are %s, not colour", kind);
    }
    if (picture->is_whole) read_resolution(picture, state);
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
    code = read_depth(picture, state, message);
    if (code != CCO_OK) return code;
    if (state->samples < colours) {
        return cco_fail(CCO_ERROR_DATA, message, "its pixels have %u samples of %u", state->samples, colours);
    }
    state->is_in_planes = planes == 2 && state->samples > 1;
    // What alpha has been multiplied into is divided again, as it is where alpha stands beside the colours.
    bool has_multiplied = extra_count > 0 && extra && extra[0] == ALPHA_MULTIPLIED && state->samples > colours;
    state->is_multiplied =
        has_multiplied && !state->is_in_planes && colours != 4 && state->photometric != COLOUR_PALETTE &&
        !picture->is_whole;
    if (state->photometric == COLOUR_PALETTE &&
        !FIELD(GET, file, TAG_COLOUR_MAP, &state->map[0], &state->map[1], &state->map[2])) {
        return cco_fail(CCO_ERROR_DATA, message, "its palette is missing");
    }
    bool is_grey = colours == 1 && state->photometric != COLOUR_PALETTE;
    picture->layout = is_grey ? RASTER_GREY : colours == 4 ? RASTER_CMYK : RASTER_RGB;
    if (state->photometric == COLOUR_PALETTE && state->is_in_planes) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its palette's indices lie in planes");
    }
    bool has_all = picture->is_whole && colours != 4 && state->photometric != COLOUR_PALETTE;
    if (has_all && state->samples > 4) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "its pixels have %u samples; 4 are read", state->samples);
    }
    if (has_all) {
        static const raster_layout layouts[] = {RASTER_GREY, RASTER_GREY_ALPHA, RASTER_RGB, RASTER_RGBA};
        bool is_alpha = extra_count == 1 && extra && (extra[0] == ALPHA_MULTIPLIED || extra[0] == ALPHA_BESIDE);
        picture->layout = layouts[state->samples - 1];
        picture->has_alpha = is_alpha && state->samples == colours + 1;
        picture->is_multiplied = picture->has_alpha && extra[0] == ALPHA_MULTIPLIED;
        if (picture->is_multiplied && picture->sample == CCO_FLOAT32 && state->format != FLOATING) {
            const char *text = "its alpha is multiplied into %u-bit integers";
            return cco_fail(CCO_ERROR_UNSUPPORTED, message, text, state->bits);
        }
    }
    code = read_chunks(picture, state, message);
    return code == CCO_OK ? check_held(picture, state, compression, message) : code;
}

int cco_open_tiff(cco_picture *picture, char *message) {
    int code = cco_library_open(&library, functions, message);
    if (code != CCO_OK) return code;
    tiff_reader *state = picture->state = calloc(1, sizeof *state);
    if (!state) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->close = close_tiff;
    picture->decode = decode;
    state->bytes = picture->bytes;
    state->count = picture->count;
    state->message = message;
    code = open_file(state);
    if (code != CCO_OK) return code;
    if (state->has_failed) return failure(state, "");
    if (picture->is_whole) {
        code = find_page(picture, state);
        // What is asked for and is not there is told by the caller.
        if (code != CCO_OK || picture->page >= picture->pages) return code;
    }
    return read_fields(picture, state, message);
}
