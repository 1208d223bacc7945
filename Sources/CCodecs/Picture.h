// What the formats' readers share. A reader fills a `cco_picture` from the header and decodes into a raster.
#ifndef SARDONYX_CCODECS_PICTURE_H
#define SARDONYX_CCODECS_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CCodecs.h"

// A pixel of the raster that a reader decodes into.
typedef enum {
    RASTER_GREY = 1,
    RASTER_RGB = 3,
    RASTER_RGBX = 4,  // the fourth byte means nothing
    RASTER_CMYK = 5,  // four samples, the greatest is full ink
    // Of pictures that are opened whole:
    RASTER_GREY_ALPHA = 6,
    RASTER_RGBA = 7
} raster_layout;

static inline size_t cco_raster_samples(raster_layout layout) {
    static const uint8_t counts[] = {0, 1, 0, 3, 4, 4, 2, 4};
    return counts[layout];
}

struct cco_picture {
    const uint8_t *bytes;
    size_t count;
    int format;
    // As stored.
    uint32_t width, height;
    raster_layout layout;
    // 1 … 8, as TIFF and EXIF number them: which corner the first row and column are at.
    int orientation;
    // Opened whole, and which page of how many.
    bool is_whole;
    uint32_t page, pages;
    // CCO_UINT8 unless opened whole: what a sample of the raster is, and of which kind and width it was.
    int sample, kind;
    unsigned bits;
    bool has_alpha, is_multiplied;
    // Millimetres across and down as stored, or 0.
    double spacing[2];
    // Memory that `decode` needs, and what the library allocates by itself, about.
    size_t work_bytes, library_bytes;
    // The caller's wish to stop; may be NULL.
    bool (*is_cancelled)(void *user);
    void *user;
    // Writes height · width pixels of `layout` into `raster`; `work` is `work_bytes` of memory.
    int (*decode)(struct cco_picture *picture, uint8_t *raster, uint8_t *work, char *message);
    void (*close)(struct cco_picture *picture);
    // The reader's own; `close` frees it.
    void *state;
};

// Writes a message, cut to fit, and returns the code.
__attribute__((format(printf, 3, 4))) int cco_fail(int code, char *message, const char *text, ...);

// Sets the millimetres from one pixel to the next of so many pixels in `unit_mm`, where they can be true.
void cco_set_resolution(cco_picture *picture, double across, double down, double unit_mm);

// Orientation and resolution of a JPEG file, where its tags (EXIF, JFIF) tell them.
void cco_read_jpeg_tags(cco_picture *picture);

// Bytes of a pixel in the raster, and of one as `pixel_format` has it.
size_t cco_raster_bytes(const cco_picture *picture);
size_t cco_pixel_bytes(const cco_picture *picture, int pixel_format);

// Divides what alpha has been multiplied into; in place.
void cco_divide_alpha(const cco_picture *picture, uint8_t *raster);

// From a raster apart, turned as the orientation says.
int cco_write_turned(
    const cco_picture *picture, int pixel_format, const uint8_t *raster, uint8_t *pixels, char *message);

// Sets the size. Fails where it is 0, or more than CCO_MOST_PIXELS.
int cco_set_size(cco_picture *picture, uint64_t width, uint64_t height, char *message);

// Fails where the file cannot hold `stored` bytes of samples at `expansion` bytes for each of its own.
int cco_check_held(const cco_picture *picture, size_t stored, size_t expansion, char *message);

// The same at CCO_MOST_EXPANSION where the picture has more than CCO_BLANK_PIXELS pixels: for codings without a bound.
int cco_check_expansion(const cco_picture *picture, size_t stored, char *message);

// CCO_ERROR_CANCELLED once the caller has cancelled.
int cco_check_cancelled(const cco_picture *picture, char *message);

// The readers: fill a picture whose bytes and format are set. What they leave in `state` is closed also after a
// failure.
int cco_open_bmp(cco_picture *picture, char *message);
int cco_open_pnm(cco_picture *picture, char *message);
int cco_open_jpeg(cco_picture *picture, char *message);
int cco_open_png(cco_picture *picture, char *message);
int cco_open_tiff(cco_picture *picture, char *message);
int cco_open_webp(cco_picture *picture, char *message);
int cco_open_jpeg2000(cco_picture *picture, char *message);

// Sets a JPEG 2000 picture's size and what the library will allocate, or fails where the file cannot hold what it says.
int cco_check_jpeg2000(cco_picture *picture, char *message);

// a · b, or SIZE_MAX where that is more than a size_t holds; SIZE_MAX stays. No memory of SIZE_MAX bytes is ever given.
static inline size_t cco_times(size_t a, size_t b) {
    size_t result;
    return __builtin_mul_overflow(a, b, &result) ? SIZE_MAX : result;
}

static inline size_t cco_plus(size_t a, size_t b) {
    size_t result;
    return __builtin_add_overflow(a, b, &result) ? SIZE_MAX : result;
}

static inline uint16_t cco_u16le(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t cco_u24le(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16; }
static inline uint32_t cco_u32le(const uint8_t *p) { return cco_u16le(p) | (uint32_t)cco_u16le(p + 2) << 16; }

// The sample of `bits` (1, 2, 4, 8, 16) at `index` of a row whose bytes hold the leftmost pixel in their upper bits and
// 16-bit samples with the upper byte first.
static inline unsigned cco_packed_sample(const uint8_t *row, size_t index, unsigned bits) {
    if (bits == 8) return row[index];
    if (bits == 16) return (unsigned)row[2 * index] << 8 | row[2 * index + 1];
    size_t bit = index * bits;
    return row[bit / 8] >> (8 - bits - bit % 8) & ((1u << bits) - 1);
}

// A sample of 1 … 16 bits as 8.
static inline uint8_t cco_to_byte(unsigned sample, unsigned bits) {
    return (uint8_t)(bits >= 8 ? sample >> (bits - 8) : sample * 255 / ((1u << bits) - 1));
}

// Writes sample `index` of a pixel as CCO_UINT8 or, of 16 bits, CCO_UINT16.
static inline void cco_put_sample(uint8_t *to, size_t index, int size, unsigned sample, unsigned bits) {
    uint16_t wide = (uint16_t)sample;
    if (size == CCO_UINT8) {
        to[index] = cco_to_byte(sample, bits);
    } else {
        memcpy(to + 2 * index, &wide, 2);
    }
}

#endif
