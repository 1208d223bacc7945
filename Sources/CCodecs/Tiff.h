// What the TIFF reader's files share.
#ifndef SARDONYX_CCODECS_TIFF_H
#define SARDONYX_CCODECS_TIFF_H

#include <stdarg.h>

#include "Picture.h"

// From tiff.h and tiffio.h of libtiff 4.5.
typedef struct tiff tiff;
typedef struct tiff_options tiff_options;
typedef int (*tiff_report)(tiff *, void *, const char *, const char *, va_list);
enum {
    TAG_WIDTH = 256, TAG_HEIGHT = 257, TAG_BITS = 258, TAG_COMPRESSION = 259, TAG_PHOTOMETRIC = 262,
    TAG_ORIENTATION = 274, TAG_SAMPLES = 277, TAG_ROWS_PER_STRIP = 278, TAG_X_RESOLUTION = 282,
    TAG_Y_RESOLUTION = 283, TAG_PLANES = 284, TAG_RESOLUTION_UNIT = 296, TAG_PREDICTOR = 317, TAG_COLOUR_MAP = 320,
    TAG_TILE_WIDTH = 322, TAG_TILE_HEIGHT = 323, TAG_EXTRA_SAMPLES = 338, TAG_SAMPLE_FORMAT = 339,
    TAG_JPEG_COLOUR = 65538
};
enum { WHITE_IS_ZERO = 0, BLACK_IS_ZERO = 1, COLOUR_RGB = 2, COLOUR_PALETTE = 3, COLOUR_INK = 5, COLOUR_YCC = 6 };
enum { NONE = 1, LZW = 5, OLD_JPEG = 6, NEW_JPEG = 7, DEFLATE = 8, PACK_BITS = 32773, OLD_DEFLATE = 32946 };
enum { ALPHA_MULTIPLIED = 1, ALPHA_BESIDE = 2, UNSIGNED = 1, SIGNED = 2, FLOATING = 3, UNKNOWN_FORMAT = 4 };
enum { UNIT_INCH = 2, UNIT_CENTIMETRE = 3 };

typedef struct {
    tiff *file;
    const uint8_t *bytes;
    size_t count, at;
    char *message;  // of the call that is under way
    bool has_failed;
    bool is_decoding;
    bool is_read_as_rgba;  // by libtiff's own conversion
    bool is_tiled, is_in_planes, is_multiplied, is_deflated;
    uint16_t photometric, bits, samples, format, predictor;
    uint16_t *map[3];
    uint32_t chunk_width, chunk_height;
    size_t chunk_bytes, chunk_row_bytes;
} tiff_reader;

// The first `count` pixels of a chunk's row into the raster; of one plane, `plane`, where planes lie apart.
void cco_convert_tiff_row(
    const tiff_reader *state, const cco_picture *picture, const uint8_t *row, size_t count, unsigned plane,
    uint8_t *to);

#endif
