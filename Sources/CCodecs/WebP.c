// WebP through libwebp. Of an animation, the first picture.
#include <string.h>

#include "Picture.h"

enum { GET_INFO, DECODE_RGB_INTO, FUNCTION_COUNT };
static const char *const symbols[FUNCTION_COUNT] = {"WebPGetInfo", "WebPDecodeRGBInto"};
static const cco_library library = {"libwebp.so.7", "libwebp7", symbols, FUNCTION_COUNT};
static void *functions[FUNCTION_COUNT];

#define CALL(function, result, ...) ((result(*)(__VA_ARGS__))functions[function])

// The part of the canvas that is decoded, and from which bytes.
typedef struct {
    const uint8_t *bytes;
    size_t count, x, y, width, height;
} frame;

static bool get_info(const uint8_t *bytes, size_t count, int *width, int *height) {
    return CALL(GET_INFO, int, const uint8_t *, size_t, int *, int *)(bytes, count, width, height) != 0 && *width > 0 &&
           *height > 0;
}

// The first frame of an animation: its chunk ANMF holds place, size, time and flags (16 bytes), then chunks of a
// picture.
static int first_frame(const cco_picture *picture, frame *found, char *message) {
    const uint8_t *bytes = picture->bytes;
    size_t at = 12;
    while (picture->count - at >= 8) {
        size_t length = cco_u32le(bytes + at + 4), there = picture->count - at - 8;
        if (length > there) break;
        if (memcmp(bytes + at, "ANMF", 4) == 0) {
            if (length < 16) break;
            const uint8_t *header = bytes + at + 8;
            int width = 0, height = 0;
            *found = (frame){header + 16, length - 16, 2 * (size_t)cco_u24le(header), 2 * (size_t)cco_u24le(header + 3),
                             1 + (size_t)cco_u24le(header + 6), 1 + (size_t)cco_u24le(header + 9)};
            if (!get_info(found->bytes, found->count, &width, &height)) break;
            if ((size_t)width != found->width || (size_t)height != found->height ||
                found->x + found->width > picture->width || found->y + found->height > picture->height) {
                return cco_fail(CCO_ERROR_DATA, message, "its first frame leaves the picture");
            }
            return CCO_OK;
        }
        // Chunks have an even length.
        size_t step = 8 + length + length % 2;
        if (step > picture->count - at) break;
        at += step;
    }
    return cco_fail(CCO_ERROR_DATA, message, "its first frame is cut short or damaged");
}

static bool is_animation(const cco_picture *picture) {
    return picture->count > 20 && memcmp(picture->bytes + 12, "VP8X", 4) == 0 && (picture->bytes[20] & 2) != 0;
}

static int decode(cco_picture *picture, uint8_t *raster, uint8_t *work, char *message) {
    (void)work;
    frame part = {picture->bytes, picture->count, 0, 0, picture->width, picture->height};
    size_t stride = (size_t)picture->width * 3, size = stride * picture->height;
    if (is_animation(picture)) {
        int code = first_frame(picture, &part, message);
        if (code != CCO_OK) return code;
        memset(raster, 0, size);
    }
    size_t start = part.y * stride + part.x * 3;
    if (!CALL(DECODE_RGB_INTO, uint8_t *, const uint8_t *, size_t, uint8_t *, size_t, int)(
            part.bytes, part.count, raster + start, size - start, (int)stride)) {
        return cco_fail(CCO_ERROR_DATA, message, "it is cut short or damaged");
    }
    return CCO_OK;
}

int cco_open_webp(cco_picture *picture, char *message) {
    int code = cco_library_open(&library, functions, message);
    if (code != CCO_OK) return code;
    picture->decode = decode;
    picture->layout = RASTER_RGB;
    int width = 0, height = 0;
    if (!get_info(picture->bytes, picture->count, &width, &height)) {
        return cco_fail(CCO_ERROR_DATA, message, "its header is cut short or damaged");
    }
    code = cco_set_size(picture, (uint64_t)width, (uint64_t)height, message);
    // Without loss it is decoded as 32-bit pixels, with loss in rows.
    picture->library_bytes = cco_times((size_t)width * (size_t)height, 4);
    // Both ways of coding spend next to nothing on what is all alike.
    return code == CCO_OK ? cco_check_expansion(picture, (size_t)width * (size_t)height * 3, message) : code;
}
