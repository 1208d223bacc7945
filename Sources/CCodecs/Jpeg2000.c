// JPEG 2000 (JP2 files and bare codestreams) through OpenJPEG: 1 to 4 components, subsampled ones too.
#include <stdlib.h>
#include <string.h>

#include "Picture.h"

// From openjpeg.h of version 2.5; the structures are the same since 2.1.
typedef struct {
    uint32_t dx, dy, w, h, x0, y0, prec, bpp, sgnd, resno_decoded, factor;
    int32_t *data;
    uint16_t alpha;
} opj_component;
typedef struct {
    uint32_t x0, y0, x1, y1, numcomps;
    int32_t color_space;
    opj_component *comps;
    uint8_t *icc_profile;
    uint32_t icc_profile_length;
} opj_image;
enum { CODEC_J2K = 0, CODEC_JP2 = 2 };
enum { SPACE_SYCC = 3, SPACE_EYCC = 4, SPACE_CMYK = 5 };
// At least the size of opj_dparameters_t (8,252 bytes).
enum { PARAMETERS_SIZE = 16384 };

enum {
    CREATE, DESTROY, DEFAULTS, SETUP, STRICT, ON_ERROR, ON_WARNING, STREAM, STREAM_DESTROY, SET_READ, SET_SKIP,
    SET_SEEK, SET_DATA, SET_LENGTH, READ_HEADER, DECODE, END, IMAGE_DESTROY, FUNCTION_COUNT
};
static const char *const symbols[FUNCTION_COUNT] = {
    "opj_create_decompress", "opj_destroy_codec", "opj_set_default_decoder_parameters", "opj_setup_decoder",
    "opj_decoder_set_strict_mode", "opj_set_error_handler", "opj_set_warning_handler", "opj_stream_default_create",
    "opj_stream_destroy", "opj_stream_set_read_function", "opj_stream_set_skip_function",
    "opj_stream_set_seek_function", "opj_stream_set_user_data", "opj_stream_set_user_data_length", "opj_read_header",
    "opj_decode", "opj_end_decompress", "opj_image_destroy"};
static const cco_library library = {"libopenjp2.so.7", "libopenjp2-7", symbols, FUNCTION_COUNT};
static void *functions[FUNCTION_COUNT];

#define CALL(function, result, ...) ((result(*)(__VA_ARGS__))functions[function])

typedef struct {
    void *codec, *stream;
    opj_image *image;
    const uint8_t *bytes;
    size_t count, at;
    char *message;  // of the call that is under way
    cco_picture *picture;
    bool is_cancelled;
} reader;

static void on_error(const char *text, void *user) {
    reader *state = user;
    // The first one tells most.
    if (!state->message[0]) cco_fail(CCO_ERROR_DATA, state->message, "%s", text);
}

static void on_warning(const char *text, void *user) {
    (void)text;
    (void)user;
}

static size_t on_read(void *to, size_t count, void *user) {
    reader *state = user;
    size_t left = state->count - state->at;
    char message[CCO_MESSAGE_SIZE];
    // Tiles are read one by one: what cannot be read ends the decoding.
    if (cco_check_cancelled(state->picture, message) != CCO_OK) state->is_cancelled = true;
    if (state->is_cancelled) return (size_t)-1;
    if (left == 0) return (size_t)-1;
    if (count > left) count = left;
    memcpy(to, state->bytes + state->at, count);
    state->at += count;
    return count;
}

static int64_t on_skip(int64_t count, void *user) {
    reader *state = user;
    if (count < 0 || (uint64_t)count > state->count - state->at) {
        // What a file says beyond its end is not there.
        state->at = state->count;
        return -1;
    }
    state->at += (size_t)count;
    return count;
}

static int on_seek(int64_t place, void *user) {
    reader *state = user;
    if (place < 0 || (uint64_t)place > state->count) return 0;
    state->at = (size_t)place;
    return 1;
}

static int failure(const reader *state) {
    if (state->is_cancelled) return cco_fail(CCO_ERROR_CANCELLED, state->message, "the run was cancelled");
    if (!state->message[0]) cco_fail(CCO_ERROR_DATA, state->message, "it is cut short or damaged");
    return CCO_ERROR_DATA;
}

static unsigned clamped(double value) { return value <= 0 ? 0 : value >= 255 ? 255 : (unsigned)(value + 0.5); }

// The column (or row) of a component that covers a column of the picture: `step` columns share one, and the first one of
// the component is the first at or behind the picture's `origin` that is a multiple of `step`.
static inline size_t place(uint32_t origin, uint32_t step, uint32_t count, uint32_t x) {
    if (step != 1) {
        uint64_t at = ((uint64_t)origin + x) / step, first = ((uint64_t)origin + step - 1) / step;
        x = at < first ? 0 : (uint32_t)(at - first);
    }
    return x < count ? x : count - 1;
}

// The component's value at a place of the picture, as a byte.
static uint8_t sample(const opj_image *image, const opj_component *part, uint32_t x, uint32_t y) {
    size_t column = place(image->x0, part->dx, part->w, x), row = place(image->y0, part->dy, part->h, y);
    int64_t value = part->data[row * part->w + column];
    if (part->sgnd) value += (int64_t)1 << (part->prec - 1);
    int64_t greatest = ((int64_t)1 << part->prec) - 1;
    value = value < 0 ? 0 : value > greatest ? greatest : value;
    return (uint8_t)(part->prec >= 8 ? value >> (part->prec - 8) : value * 255 / greatest);
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    (void)work;
    reader *state = picture->state;
    state->message = message;
    message[0] = 0;
    uint32_t expected = state->image->numcomps;
    if (!CALL(DECODE, int, void *, void *, opj_image *)(state->codec, state->stream, state->image) || message[0] ||
        !CALL(END, int, void *, void *)(state->codec, state->stream) || message[0]) {
        return failure(state);
    }
    // A palette makes one component three or four.
    const opj_image *image = state->image;
    uint32_t count = image->numcomps;
    if (count != expected && !(expected <= 2 && (count == 3 || count == 4))) return failure(state);
    for (uint32_t i = 0; i < count; i++) {
        const opj_component *part = &image->comps[i];
        if (!part->data || part->w == 0 || part->h == 0 || part->dx == 0 || part->dy == 0 || part->prec == 0 ||
            part->prec > 31) {
            return failure(state);
        }
    }
    // Only now the library tells the colours' kind.
    bool is_wide = picture->layout == RASTER_CMYK, has_ink = is_wide && image->color_space == SPACE_CMYK;
    if (is_wide && !has_ink) picture->layout = RASTER_RGBX;
    size_t bytes = is_wide ? 4 : 3;
    uint32_t used = is_wide ? 4 : count < 3 ? 1 : 3;
    if (used > count || image->x1 - image->x0 != picture->width || image->y1 - image->y0 != picture->height) {
        return failure(state);
    }
    const opj_component *parts = image->comps;
    bool halves = used >= 3 && !has_ink && parts[0].dx == 1 && parts[1].dx == 2 && parts[2].dx == 2;
    bool is_luma = used >= 3 && (image->color_space == SPACE_SYCC || image->color_space == SPACE_EYCC || halves);
    for (uint32_t y = 0; y < picture->height; y++) {
        int code = cco_check_cancelled(picture, message);
        if (code != CCO_OK) return code;
        for (uint32_t x = 0; x < picture->width; x++, raster += bytes) {
            uint8_t values[4];
            for (uint32_t i = 0; i < used; i++) values[i] = sample(image, &image->comps[i], x, y);
            if (is_luma) {
                double luma = values[0], blue = values[1] - 128.0, red = values[2] - 128.0;
                raster[0] = (uint8_t)clamped(luma + 1.402 * red);
                raster[1] = (uint8_t)clamped(luma - 0.344136 * blue - 0.714136 * red);
                raster[2] = (uint8_t)clamped(luma + 1.772 * blue);
            } else {
                for (size_t i = 0; i < bytes; i++) raster[i] = values[used == 1 ? 0 : i];
            }
        }
    }
    return CCO_OK;
}

static void close_jpeg2000(cco_picture *picture) {
    reader *state = picture->state;
    if (!state) return;
    if (state->image) CALL(IMAGE_DESTROY, void, opj_image *)(state->image);
    if (state->stream) CALL(STREAM_DESTROY, void, void *)(state->stream);
    if (state->codec) CALL(DESTROY, void, void *)(state->codec);
    free(state);
}

static int open_stream(reader *state, int codec, char *message) {
    typedef void (*on_message)(const char *, void *);
    state->codec = CALL(CREATE, void *, int)(codec);
    state->stream = CALL(STREAM, void *, int)(1);
    void *parameters = calloc(1, PARAMETERS_SIZE);
    if (!state->codec || !state->stream || !parameters) {
        free(parameters);
        return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    }
    CALL(ON_ERROR, int, void *, on_message, void *)(state->codec, on_error, state);
    CALL(ON_WARNING, int, void *, on_message, void *)(state->codec, on_warning, state);
    CALL(DEFAULTS, void, void *)(parameters);
    int is_set = CALL(SETUP, int, void *, void *)(state->codec, parameters);
    free(parameters);
    // What is cut short is an error, not a warning.
    if (!is_set || !CALL(STRICT, int, void *, int)(state->codec, 1)) return failure(state);
    CALL(SET_READ, void, void *, size_t (*)(void *, size_t, void *))(state->stream, on_read);
    CALL(SET_SKIP, void, void *, int64_t (*)(int64_t, void *))(state->stream, on_skip);
    CALL(SET_SEEK, void, void *, int (*)(int64_t, void *))(state->stream, on_seek);
    CALL(SET_DATA, void, void *, void *, void (*)(void *))(state->stream, state, NULL);
    CALL(SET_LENGTH, void, void *, uint64_t)(state->stream, state->count);
    return CCO_OK;
}

int cco_open_jpeg2000(cco_picture *picture, char *message) {
    int code = cco_library_open(&library, functions, message);
    if (code != CCO_OK) return code;
    reader *state = picture->state = calloc(1, sizeof *state);
    if (!state) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->close = close_jpeg2000;
    picture->decode = decode;
    state->bytes = picture->bytes;
    state->count = picture->count;
    state->message = message;
    state->picture = picture;
    code = cco_check_jpeg2000(picture, message);
    if (code != CCO_OK) return code;
    code = open_stream(state, picture->bytes[0] == 0 ? CODEC_JP2 : CODEC_J2K, message);
    if (code != CCO_OK) return code;
    int is_read = CALL(READ_HEADER, int, void *, void *, opj_image **)(state->stream, state->codec, &state->image);
    if (!is_read || !state->image) return failure(state);
    const opj_image *image = state->image;
    if (image->x1 < image->x0 || image->y1 < image->y0) return failure(state);
    code = cco_set_size(picture, image->x1 - image->x0, image->y1 - image->y0, message);
    if (code != CCO_OK) return code;
    if (image->numcomps < 1 || image->numcomps > 4) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "it has %u components; 1 to 4 make a picture", image->numcomps);
    }
    picture->layout = image->numcomps == 4 ? RASTER_CMYK : RASTER_RGB;
    return CCO_OK;
}
