// JPEG through libjpeg-turbo's TurboJPEG functions: accurate DCT and smooth upsampling of colour, which are its
// defaults.
#include <stdlib.h>
#include <string.h>

#include "Picture.h"

// From turbojpeg.h, whose functions and numbers have been the same since version 1.4.
enum { TJPF_RGB = 0, TJPF_GRAY = 6, TJPF_CMYK = 11 };
enum { TJCS_GRAY = 2, TJCS_CMYK = 3, TJCS_YCCK = 4 };
enum { TJFLAG_ACCURATEDCT = 4096, TJFLAG_STOPONWARNING = 8192, TJFLAG_LIMITSCANS = 32768 };
typedef void *tj_handle;

enum { INIT_DECOMPRESS, DECOMPRESS_HEADER, DECOMPRESS, ERROR_TEXT, DESTROY, FUNCTION_COUNT };
static const char *const symbols[FUNCTION_COUNT] = {
    "tjInitDecompress", "tjDecompressHeader3", "tjDecompress2", "tjGetErrorStr2", "tjDestroy"};
static const cco_library library = {"libturbojpeg.so.0", "libturbojpeg0", symbols, FUNCTION_COUNT};
static void *functions[FUNCTION_COUNT];

#define CALL(function, result, ...) ((result(*)(__VA_ARGS__))functions[function])

static const char *error_text(tj_handle handle) { return CALL(ERROR_TEXT, char *, tj_handle)(handle); }

static int decompress(cco_picture *picture, uint8_t *raster, int flags) {
    int format = picture->layout == RASTER_GREY ? TJPF_GRAY : picture->layout == RASTER_RGB ? TJPF_RGB : TJPF_CMYK;
    int bytes = (int)cco_raster_samples(picture->layout);
    return CALL(
        DECOMPRESS, int, tj_handle, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int)(
        picture->state, picture->bytes, picture->count, raster, (int)picture->width, (int)picture->width * bytes,
        (int)picture->height, format, flags | TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    (void)work;
    // The library would fill in what is cut short or damaged, and say so in a warning.
    int result = decompress(picture, raster, TJFLAG_STOPONWARNING);
    if (result != 0) {
        // Bytes that nothing needs before the end of the picture: cameras write them.
        const char *text = error_text(picture->state), *end = "before marker 0xd9";
        const char *found = strstr(text, "extraneous bytes") ? strstr(text, end) : NULL;
        if (!found || found[strlen(end)] != 0) return cco_fail(CCO_ERROR_DATA, message, "%s", text);
        int code = cco_check_cancelled(picture, message);
        if (code != CCO_OK) return code;
        cco_fail(CCO_ERROR_DATA, message, "%s", text);
        // It tells the first warning, or what ended it.
        if (decompress(picture, raster, 0) != 0 && strcmp(error_text(picture->state), message) != 0) {
            return cco_fail(CCO_ERROR_DATA, message, "%s", error_text(picture->state));
        }
        message[0] = 0;
    }
    // CMYK stands inverted in JPEG files, as Adobe's programs write it.
    size_t bytes = (size_t)picture->width * picture->height * 4;
    for (size_t i = 0; picture->layout == RASTER_CMYK && i < bytes; i++) raster[i] = (uint8_t)~raster[i];
    return CCO_OK;
}

static void close_jpeg(cco_picture *picture) {
    if (picture->state) CALL(DESTROY, int, tj_handle)(picture->state);
}

// What the header tells of the coding.
typedef struct {
    // The library keeps all coefficients until the last scan.
    bool is_buffered;
    bool is_arithmetic;
    size_t components;
    // Of each component: its name, how often it is sampled across and down, its table.
    const uint8_t *parts;
} frame;

// Walks the segments as libjpeg does, so that it cannot be shown another frame. False where there is no scan, or before
// it no frame that holds all its components.
static bool read_frame(const cco_picture *picture, frame *result) {
    const uint8_t *bytes = picture->bytes;
    size_t at = 2;
    *result = (frame){.is_buffered = true};
    while (at + 4 <= picture->count) {
        uint8_t marker = bytes[at + 1];
        // What is no marker is skipped.
        if (bytes[at] != 0xff || marker == 0xff) {
            at++;
            continue;
        }
        // These have no length.
        if (marker == 0 || marker == 1 || (marker >= 0xd0 && marker <= 0xd7)) {
            at += 2;
            continue;
        }
        size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (marker == 0xda) {
            bool is_whole = at + 4 < picture->count && bytes[at + 4] == result->components;
            result->is_buffered = result->is_buffered || !is_whole;
            return result->parts;
        }
        bool is_frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (is_frame && at + 9 < picture->count) {
            result->is_buffered = (marker & 3) == 2;
            result->is_arithmetic = marker > 0xc8;
            result->components = bytes[at + 9];
            bool is_there = picture->count - (at + 10) >= 3 * result->components;
            if (result->components == 0 || !is_there) return false;
            result->parts = bytes + at + 10;
        }
        at += 2 + length;
    }
    return false;
}

// At least how many blocks of 8 by 8 samples are coded, of each of which a Huffman code says something.
static size_t block_count(const cco_picture *picture, const frame *coding) {
    size_t across = 1, down = 1, blocks = 0;
    for (size_t i = 0; i < coding->components; i++) {
        size_t h = coding->parts[3 * i + 1] >> 4, v = coding->parts[3 * i + 1] & 15;
        if (h > across) across = h;
        if (v > down) down = v;
    }
    for (size_t i = 0; i < coding->components; i++) {
        size_t h = coding->parts[3 * i + 1] >> 4, v = coding->parts[3 * i + 1] & 15;
        blocks += (picture->width * h / across / 8) * (picture->height * v / down / 8);
    }
    return blocks;
}

int cco_open_jpeg(cco_picture *picture, char *message) {
    int code = cco_library_open(&library, functions, message);
    if (code != CCO_OK) return code;
    picture->state = CALL(INIT_DECOMPRESS, tj_handle, void)();
    if (!picture->state) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->close = close_jpeg;
    picture->decode = decode;
    int width = 0, height = 0, subsampling = 0, colour = -1;
    int result =
        CALL(DECOMPRESS_HEADER, int, tj_handle, const unsigned char *, unsigned long, int *, int *, int *, int *)(
            picture->state, picture->bytes, picture->count, &width, &height, &subsampling, &colour);
    // It also fails for ways of subsampling that it has no name for and decodes all the same.
    if (result != 0 && (width <= 0 || height <= 0)) {
        return cco_fail(CCO_ERROR_DATA, message, "%s", error_text(picture->state));
    }
    bool has_ink = colour == TJCS_CMYK || colour == TJCS_YCCK;
    picture->layout = colour == TJCS_GRAY ? RASTER_GREY : has_ink ? RASTER_CMYK : RASTER_RGB;
    code = cco_set_size(picture, (uint64_t)width, (uint64_t)height, message);
    if (code != CCO_OK) return code;
    if (picture->is_whole) cco_read_jpeg_tags(picture);
    frame coding;
    if (!read_frame(picture, &coding)) {
        return cco_fail(CCO_ERROR_DATA, message, "its header is cut short or damaged");
    }
    size_t components = has_ink ? 4 : picture->layout, samples = (size_t)width * (size_t)height * components;
    if (coding.is_buffered) picture->library_bytes = cco_times(samples, sizeof(int16_t));
    // Arithmetic coding has no least number of bits.
    if (coding.is_arithmetic) return cco_check_expansion(picture, samples, message);
    return cco_check_held(picture, block_count(picture, &coding), 8, message);
}
