// Pictures from encoded bytes: BMP and PNM by readers of its own; JPEG, PNG, TIFF, WebP and JPEG 2000 through the
// libraries that every Debian has, opened (dlopen) when the first picture of that format comes and never linked. A
// program that meets no picture needs none of them; where one is missing, the failure names the Debian package.
//
// The bytes are whatever a file holds: cut short, damaged or made to harm. Every failure is a value with a reason;
// nothing is read or written beyond what the caller gives, and the caller knows how much memory a picture needs before
// any of it is allocated. No library's type, errno or jump crosses this border. Every function may be called on any
// thread.
#ifndef SARDONYX_CCODECS_H
#define SARDONYX_CCODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Failures; 0 is success.
enum {
    CCO_OK = 0,
    CCO_ERROR_FORMAT = 1,       // none of the formats
    CCO_ERROR_LIBRARY = 2,      // the format's library is not installed, or too old
    CCO_ERROR_DATA = 3,         // the bytes are cut short or damaged
    CCO_ERROR_UNSUPPORTED = 4,  // a well-formed picture that has no meaning as 8-bit colour, or that a library lacks
    CCO_ERROR_MEMORY = 5,
    CCO_ERROR_LIMIT = 6,  // larger than CCO_MOST_PIXELS, or than a file of that size may become
    CCO_ERROR_CANCELLED = 7,
    CCO_ERROR_PAGE = 8  // the file has fewer pages
};

// What a header may ask for, since a hundred bytes can ask for gigabytes: CCO_MOST_PIXELS pixels in all, and no more
// than the coding can make of the file's bytes. A byte without compression holds one of samples, of PackBits 64, of
// deflate 1,032, of LZW 2,731; a bit of Huffman codes (JPEG) a block of 8 by 8; a byte of JPEG 2000 a packet. These
// hold at any size. Two bytes of run lengths (BMP) hold 255 pixels; but since rows may be left out, that is asked only
// above CCO_FREE_PIXELS pixels. Codings that spend next to nothing on what is all alike (CCITT, Zstandard, LZMA, WebP,
// arithmetic JPEG, JPEG 2000) are decoded up to CCO_BLANK_PIXELS pixels however short the file, and above into at most
// CCO_MOST_EXPANSION bytes of samples for each of its bytes. What a picture needs is told before it is taken.
enum {
    CCO_MOST_PIXELS = 1 << 30,
    CCO_BLANK_PIXELS = 1 << 28,
    CCO_FREE_PIXELS = 1 << 24,
    CCO_MOST_EXPANSION = 1032
};

// Longest message written below, with its final zero.
enum { CCO_MESSAGE_SIZE = 256 };

enum {
    CCO_FORMAT_NONE = 0,
    CCO_FORMAT_BMP,
    CCO_FORMAT_PNM,
    CCO_FORMAT_JPEG,
    CCO_FORMAT_PNG,
    CCO_FORMAT_TIFF,
    CCO_FORMAT_WEBP,
    CCO_FORMAT_JPEG2000
};

// The format that the first bytes tell.
int cco_format(const uint8_t *bytes, size_t count);

// "JPEG 2000"; never NULL.
const char *cco_format_name(int format);

// How a pixel is written: as 8-bit colour; or, of a picture that is opened whole, with all that the file keeps of it.
enum { CCO_RGB = 0, CCO_BGR = 1, CCO_GREY = 2, CCO_WHOLE = 3 };

// How a sample of CCO_WHOLE is written, in the machine's byte order; the numbers are their bytes.
enum { CCO_UINT8 = 1, CCO_UINT16 = 2, CCO_FLOAT32 = 4 };

// What kind of numbers a file's samples are.
enum { CCO_UNSIGNED = 1, CCO_SIGNED = 2, CCO_FLOATING = 3 };

// A picture whose header has been read.
typedef struct cco_picture cco_picture;

// Reads the header. `bytes` must stay where they are until `cco_picture_close`. On failure `*picture` is NULL and
// `message` (CCO_MESSAGE_SIZE bytes) says why.
int cco_picture_open(const uint8_t *bytes, size_t count, cco_picture **picture, char *message);

// The same for a page (from 0; more than one only in TIFF) that is to be decoded as CCO_WHOLE: with the file's depth,
// alpha and resolution. BMP, JPEG, PNG, TIFF and PNM of at most 8 bits only.
int cco_picture_open_whole(
    const uint8_t *bytes, size_t count, uint32_t page, cco_picture **picture, char *message);

// A picture that is opened whole.
typedef struct {
    uint32_t width, height;  // as it is shown
    uint32_t pages;          // of the file
    int channels;            // 1 … 4: grey, grey and alpha, RGB, RGB and alpha; or so many samples of a TIFF
    int sample;              // CCO_UINT8, …: what is decoded
    int kind;                // CCO_UNSIGNED, …: what the file holds
    unsigned bits;           // of a sample in the file; a palette's index has 8 as colour
    bool has_alpha;          // the last channel is how opaque a pixel is
    double spacing[2];       // mm from column to column and from row to row; 0 where the file does not say
} cco_picture_facts;

void cco_picture_describe(const cco_picture *picture, cco_picture_facts *facts);

// As it is shown, which a TIFF's orientation tag may turn, and EXIF's in a JPEG that is opened whole. At least 1;
// width · height is at most CCO_MOST_PIXELS.
uint32_t cco_picture_width(const cco_picture *picture);
uint32_t cco_picture_height(const cco_picture *picture);

// Bytes of memory that `cco_picture_decode` must be given besides the pixels.
size_t cco_picture_scratch_bytes(const cco_picture *picture, int pixel_format);

// About how many bytes the format's library allocates meanwhile by itself.
size_t cco_picture_library_bytes(const cco_picture *picture);

// Decodes the picture; once for each `cco_picture_open`. `pixels`: height · width · 3 bytes (1 for CCO_GREY, channels ·
// sample for CCO_WHOLE), rows from the top without gaps; `scratch`: `cco_picture_scratch_bytes`, aligned to 64 bytes.
// Neither may overlap the other or the encoded bytes. All of `pixels` is written where the result is CCO_OK, and nobody
// may rely on any of it otherwise.
//
// Alpha is dropped, not blended. Samples of more than 8 bits give their upper 8 bits; those of fewer are stretched to 0
// … 255. CMYK becomes R = (255 - K) - C · (255 - K) / 255, rounded, and so on. Grey is 0.299 R + 0.587 G + 0.114 B,
// rounded.
//
// CCO_WHOLE keeps samples of 8 and 16 bits as they are and stretches those of fewer to 0 … 255, also where 0 is white;
// what is signed, wider or floating becomes a float, rounded once. Palettes are looked up, with their alpha. Colours
// that alpha has been multiplied into are divided by it, and so is alpha never multiplied. CMYK becomes RGB as above,
// without what lies beside it.
//
// `is_cancelled`, unless NULL, is asked with `user` before each row (BMP, PNM, PNG), strip or tile (TIFF) or stretch
// of the file that is read (JPEG 2000); once it is true the result is CCO_ERROR_CANCELLED. JPEG and WebP are decoded in
// one call of their libraries, before and after which it is asked.
int cco_picture_decode(
    cco_picture *picture, int pixel_format, uint8_t *pixels, uint8_t *scratch, bool (*is_cancelled)(void *user),
    void *user, char *message);

void cco_picture_close(cco_picture *picture);

// A library that is opened on first use.
typedef struct {
    const char *file;     // "libwebp.so.7"
    const char *package;  // the Debian package that holds it
    const char *const *symbols;
    size_t count;
} cco_library;

// Opens the library unless it is open, and finds its functions; `functions` (`count` of them) is filled once. Returns
// CCO_OK, or CCO_ERROR_LIBRARY with a message that names the package to install; a later call tries again.
int cco_library_open(const cco_library *library, void **functions, char *message);

#ifdef __cplusplus
}
#endif
#endif
