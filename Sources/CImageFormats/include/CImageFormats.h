// C border to zlib, which reads compressed files, and ISA-L, which writes them; PNG files. Every function reports failure by value: no errno and no library
// type crosses it.
#ifndef SARDONYX_CIMAGEFORMATS_H
#define SARDONYX_CIMAGEFORMATS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Failures; 0 is success.
enum {
    CIF_OK = 0,
    CIF_ERROR_OPEN = 1,      // cannot be opened or created
    CIF_ERROR_NOT_FILE = 2,  // a folder, a pipe, a device
    CIF_ERROR_READ = 3,      // the system failed to read
    CIF_ERROR_DATA = 4,      // compressed data is corrupt
    CIF_ERROR_WRITE = 5,     // the system failed to write (a full disk, …)
    CIF_ERROR_MEMORY = 6
};

// Longest message written below, with its final zero.
enum { CIF_MESSAGE_SIZE = 256 };

// How the bytes of a file that is read are stored.
enum {
    CIF_PLAIN = 0,
    CIF_DEFLATE = 1,  // gzip (one member or several) or zlib, whichever they begin as
    CIF_DETECT = 2    // gzip if they begin so, else plain
};

// Inflates the one gzip member or zlib stream that a file holds from byte `start` on into exactly `count` bytes. 1 when
// it is that and whole, its checksum compared; else 0, which says nothing about the file: a reader below does. Holds the
// compressed bytes meanwhile, at most an eighth and 64 kB more than `count`.
int cif_inflate_whole(const char *path, uint64_t start, void *target, size_t count);

// A file read from some place on, decompressed on the fly. Not to be shared between threads.
typedef struct cif_reader cif_reader;

// Opens `path` to be read from byte `start`. On failure `*reader` is NULL and `message` (CIF_MESSAGE_SIZE bytes) says
// why.
int cif_reader_open(const char *path, uint64_t start, int form, cif_reader **reader, char *message);

// Reads up to `count` bytes after decompression into `buffer`; `*got` is less than `count` only at the end of the data
// or on failure. Never produces more than `count` bytes, whatever the compressed data holds. Checksums are compared
// when reading meets the end of the data: ask for one byte more than there is.
int cif_reader_read(cif_reader *reader, void *buffer, size_t count, size_t *got, char *message);

// Reads and drops `count` bytes; `*got` as in cif_reader_read. Plain files seek.
int cif_reader_skip(cif_reader *reader, uint64_t count, uint64_t *got, char *message);

// 1 if the bytes are being decompressed, else 0.
int cif_reader_is_compressed(const cif_reader *reader);

// 1 once reading has met the end of the file in the middle of compressed data.
int cif_reader_is_cut(const cif_reader *reader);

// Bytes on disk, before decompression.
uint64_t cif_reader_file_size(const cif_reader *reader);

void cif_reader_close(cif_reader *reader);

// A file being written. Not to be shared between threads.
typedef struct cif_writer cif_writer;

// Creates or empties `path`; bytes are written as they come until cif_writer_deflate.
int cif_writer_open(const char *path, cif_writer **writer, char *message);

enum { CIF_GZIP = 1, CIF_ZLIB = 2 };

// From here on bytes are compressed; a file may hold several such streams.
int cif_writer_deflate(cif_writer *writer, int form, char *message);
int cif_writer_write(cif_writer *writer, const void *bytes, size_t count, char *message);

// Ends the compressed data, of `*compressed` bytes; a writer that does not compress is left alone.
int cif_writer_end_deflate(cif_writer *writer, uint64_t *compressed, char *message);

// Overwrites bytes that have been written; not while compressing.
int cif_writer_patch(cif_writer *writer, uint64_t offset, const void *bytes, size_t count, char *message);

// Flushes, waits until the bytes are on the disk, closes and frees, also on failure.
int cif_writer_close(cif_writer *writer, char *message);

// A picture to be written.
typedef struct {
    uint32_t width, height;
    int depth;               // 8, or 16: then samples are in the machine's byte order
    int channels;            // 1 … 4: grey, grey and alpha, RGB, RGB and alpha
    const uint8_t *palette;  // NULL; or, where depth is 8 and channels is 1, the samples' colours: R, G, B, A of each
    size_t palette_count;    // at most 256
    uint32_t pixels_per_metre[2];  // across and down; 0 where unknown
} cif_png;

// Writes rows from top to bottom without gaps. Every index must be below `palette_count`.
int cif_png_write(const char *path, const cif_png *picture, const void *pixels, char *message);

#ifdef __cplusplus
}
#endif
#endif
