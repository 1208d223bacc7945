// A picture from its first bytes to pixels as the caller wants them.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Picture.h"

int cco_fail(int code, char *message, const char *text, ...) {
    va_list arguments;
    va_start(arguments, text);
    vsnprintf(message, CCO_MESSAGE_SIZE, text, arguments);
    va_end(arguments);
    size_t length = strlen(message);
    while (length > 0 && (message[length - 1] == '\n' || message[length - 1] == ' ')) message[--length] = 0;
    return code;
}

int cco_set_size(cco_picture *picture, uint64_t width, uint64_t height, char *message) {
    if (width == 0 || height == 0 || width > UINT32_MAX || height > UINT32_MAX) {
        return cco_fail(
            CCO_ERROR_DATA, message, "its size is %llu by %llu pixels", (unsigned long long)width,
            (unsigned long long)height);
    }
    if (width * height > CCO_MOST_PIXELS) {
        return cco_fail(
            CCO_ERROR_LIMIT, message, "its size is %llu by %llu pixels; at most %d pixels are decoded",
            (unsigned long long)width, (unsigned long long)height, CCO_MOST_PIXELS);
    }
    picture->width = (uint32_t)width;
    picture->height = (uint32_t)height;
    return CCO_OK;
}

void cco_set_resolution(cco_picture *picture, double across, double down, double unit_mm) {
    double spacing[2] = {unit_mm / across, unit_mm / down};
    // A nanometre to a kilometre; not what is infinite or no number.
    for (int i = 0; i < 2; i++) {
        if (!(spacing[i] >= 1e-6 && spacing[i] <= 1e6)) return;
    }
    memcpy(picture->spacing, spacing, sizeof spacing);
}

int cco_check_held(const cco_picture *picture, size_t stored, size_t expansion, char *message) {
    if (stored / expansion <= picture->count) return CCO_OK;
    return cco_fail(
        CCO_ERROR_DATA, message, "%zu bytes cannot hold %u by %u pixels", picture->count, picture->width,
        picture->height);
}

int cco_check_expansion(const cco_picture *picture, size_t stored, char *message) {
    if ((size_t)picture->width * picture->height <= CCO_BLANK_PIXELS) return CCO_OK;
    if (stored / CCO_MOST_EXPANSION <= picture->count) return CCO_OK;
    return cco_fail(
        CCO_ERROR_LIMIT, message,
        "%zu bytes would become %u by %u pixels; above %d pixels a file is decoded into at most %d times its size",
        picture->count, picture->width, picture->height, CCO_BLANK_PIXELS, CCO_MOST_EXPANSION);
}

int cco_check_cancelled(const cco_picture *picture, char *message) {
    if (!picture->is_cancelled || !picture->is_cancelled(picture->user)) return CCO_OK;
    return cco_fail(CCO_ERROR_CANCELLED, message, "the run was cancelled");
}

int cco_format(const uint8_t *bytes, size_t count) {
#define BEGINS(text) (count >= sizeof(text) - 1 && memcmp(bytes, text, sizeof(text) - 1) == 0)
    if (BEGINS("BM")) return CCO_FORMAT_BMP;
    if (BEGINS("\xff\xd8\xff")) return CCO_FORMAT_JPEG;
    if (BEGINS("\x89PNG\r\n\x1a\n")) return CCO_FORMAT_PNG;
    if (BEGINS("II*\0") || BEGINS("MM\0*") || BEGINS("II+\0") || BEGINS("MM\0+")) return CCO_FORMAT_TIFF;
    if (BEGINS("RIFF") && count >= 12 && memcmp(bytes + 8, "WEBP", 4) == 0) return CCO_FORMAT_WEBP;
    if (BEGINS("\0\0\0\x0cjP  \r\n\x87\n") || BEGINS("\xff\x4f\xff\x51")) return CCO_FORMAT_JPEG2000;
    if (count >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' && strchr(" \t\r\n\v\f#", bytes[2]))
        return bytes[2] ? CCO_FORMAT_PNM : CCO_FORMAT_NONE;
    return CCO_FORMAT_NONE;
#undef BEGINS
}

const char *cco_format_name(int format) {
    static const char *const names[] = {"unknown", "BMP", "PNM", "JPEG", "PNG", "TIFF", "WebP", "JPEG 2000"};
    return format >= 0 && format <= CCO_FORMAT_JPEG2000 ? names[format] : names[0];
}

static int open_picture(
    const uint8_t *bytes, size_t count, bool is_whole, uint32_t page, cco_picture **out, char *message) {
    static int (*const readers[])(cco_picture *, char *) = {
        [CCO_FORMAT_BMP] = cco_open_bmp,   [CCO_FORMAT_PNM] = cco_open_pnm,   [CCO_FORMAT_JPEG] = cco_open_jpeg,
        [CCO_FORMAT_PNG] = cco_open_png,   [CCO_FORMAT_TIFF] = cco_open_tiff, [CCO_FORMAT_WEBP] = cco_open_webp,
        [CCO_FORMAT_JPEG2000] = cco_open_jpeg2000};
    *out = NULL;
    message[0] = 0;
    int format = cco_format(bytes, count);
    if (format == CCO_FORMAT_NONE) return cco_fail(CCO_ERROR_FORMAT, message, "the first bytes are of no known format");
    cco_picture *picture = calloc(1, sizeof *picture);
    if (!picture) return cco_fail(CCO_ERROR_MEMORY, message, "out of memory");
    picture->bytes = bytes;
    picture->count = count;
    picture->format = format;
    picture->orientation = 1;
    picture->is_whole = is_whole;
    picture->page = page;
    picture->pages = 1;
    picture->sample = CCO_UINT8;
    picture->kind = CCO_UNSIGNED;
    picture->bits = 8;
    int code = readers[format](picture, message);
    if (code == CCO_OK && page >= picture->pages) {
        code = cco_fail(CCO_ERROR_PAGE, message, "it has no page %u; it has %u, from 0", page, picture->pages);
    }
    if (code == CCO_OK) {
        *out = picture;
    } else {
        cco_picture_close(picture);
    }
    return code;
}

int cco_picture_open(const uint8_t *bytes, size_t count, cco_picture **picture, char *message) {
    return open_picture(bytes, count, false, 0, picture, message);
}

int cco_picture_open_whole(
    const uint8_t *bytes, size_t count, uint32_t page, cco_picture **picture, char *message) {
    int format = cco_format(bytes, count);
    if (format == CCO_FORMAT_WEBP || format == CCO_FORMAT_JPEG2000) {
        *picture = NULL;
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "it is read as 8-bit colour only");
    }
    return open_picture(bytes, count, true, page, picture, message);
}

void cco_picture_describe(const cco_picture *picture, cco_picture_facts *facts) {
    bool is_turned = picture->orientation > 4;
    *facts = (cco_picture_facts){
        .width = cco_picture_width(picture),
        .height = cco_picture_height(picture),
        .pages = picture->pages,
        .channels = (int)cco_pixel_bytes(picture, CCO_WHOLE) / picture->sample,
        .sample = picture->sample,
        .kind = picture->kind,
        .bits = picture->bits,
        .has_alpha = picture->has_alpha,
        .spacing = {picture->spacing[is_turned], picture->spacing[!is_turned]}};
}

void cco_picture_close(cco_picture *picture) {
    if (!picture) return;
    if (picture->close) picture->close(picture);
    free(picture);
}

uint32_t cco_picture_width(const cco_picture *picture) {
    return picture->orientation > 4 ? picture->height : picture->width;
}

uint32_t cco_picture_height(const cco_picture *picture) {
    return picture->orientation > 4 ? picture->width : picture->height;
}

static size_t pixel_count(const cco_picture *picture) { return (size_t)picture->width * picture->height; }

// Whether the raster is not decoded into the caller's pixels.
static bool is_apart(const cco_picture *picture, int pixel_format) {
    if (picture->orientation != 1) return true;
    if (picture->is_whole) return picture->layout == RASTER_RGBX || picture->layout == RASTER_CMYK;
    return picture->layout == RASTER_GREY ? false : picture->layout != RASTER_RGB || pixel_format == CCO_GREY;
}

static size_t apart_bytes(const cco_picture *picture, int pixel_format) {
    if (!is_apart(picture, pixel_format)) return 0;
    // The reader's memory comes behind, aligned.
    size_t bytes = cco_plus(cco_times(pixel_count(picture), cco_raster_bytes(picture)), 63);
    return bytes == SIZE_MAX ? SIZE_MAX : bytes / 64 * 64;
}

size_t cco_picture_scratch_bytes(const cco_picture *picture, int pixel_format) {
    return cco_plus(apart_bytes(picture, pixel_format), picture->work_bytes);
}

size_t cco_picture_library_bytes(const cco_picture *picture) { return picture->library_bytes; }

int cco_picture_decode(
    cco_picture *picture, int pixel_format, uint8_t *pixels, uint8_t *scratch, bool (*is_cancelled)(void *user),
    void *user, char *message) {
    message[0] = 0;
    if (picture->is_whole != (pixel_format == CCO_WHOLE)) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "it was opened for other pixels");
    }
    picture->is_cancelled = is_cancelled;
    picture->user = user;
    size_t count = pixel_count(picture);
    bool apart = is_apart(picture, pixel_format);
    bool spreads = !apart && !picture->is_whole && picture->layout == RASTER_GREY && pixel_format != CCO_GREY;
    // Grey that becomes colour is decoded into the last third of the pixels and spread from there: the byte that is
    // read is never before those that have been written.
    uint8_t *raster = apart ? scratch : spreads ? pixels + 2 * count : pixels;
    uint8_t *work = picture->work_bytes ? scratch + apart_bytes(picture, pixel_format) : NULL;
    int code = cco_check_cancelled(picture, message);
    if (code == CCO_OK) code = picture->decode(picture, raster, work, message);
    if (code == CCO_OK) code = cco_check_cancelled(picture, message);
    if (code != CCO_OK) return code;
    if (picture->is_multiplied) cco_divide_alpha(picture, raster);
    if (apart) {
        return cco_write_turned(picture, pixel_format, raster, pixels, message);
    } else if (spreads) {
        for (size_t i = 0; i < count; i++) {
            uint8_t value = raster[i];
            memset(pixels + 3 * i, value, 3);
        }
    } else if (pixel_format == CCO_BGR) {
        for (size_t i = 0; i < count; i++) {
            uint8_t red = pixels[3 * i];
            pixels[3 * i] = pixels[3 * i + 2];
            pixels[3 * i + 2] = red;
        }
    }
    return CCO_OK;
}
