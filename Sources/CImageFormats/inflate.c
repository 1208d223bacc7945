// Small compressed files, inflated at once: twice as fast as the stream.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "CImageFormats.h"

// The file's bytes from `start` on, at most `most`; NULL when they cannot be had. The caller frees them.
static unsigned char *read_bytes(const char *path, uint64_t start, size_t most, size_t *count) {
    struct stat status;
    unsigned char *bytes = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size > start &&
        (uint64_t)status.st_size - start <= most) {
        *count = (size_t)((uint64_t)status.st_size - start);
        bytes = malloc(*count);
    }
    size_t done = 0;
    while (bytes && done < *count) {
        ssize_t n = pread(fd, bytes + done, *count - done, (off_t)(start + done));
        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno != EINTR) {
            free(bytes);
            bytes = NULL;
        }
    }
    close(fd);
    return bytes;
}

int cif_inflate_whole(const char *path, uint64_t start, void *target, size_t count) {
    size_t held = 0, used = 0, made = 0;
    // Deflate makes nothing noticeably longer.
    unsigned char *bytes = read_bytes(path, start, count + count / 8 + (1 << 16), &held);
    struct libdeflate_decompressor *decompressor = bytes ? libdeflate_alloc_decompressor() : NULL;
    int is_whole = 0;
    if (decompressor && held > 2) {
        int is_gzip = bytes[0] == 0x1f && bytes[1] == 0x8b;
        // libdeflate passes over the checksum of a header.
        int has_header_sum = is_gzip && held > 3 && (bytes[3] & 2);
        enum libdeflate_result result =
            is_gzip ? libdeflate_gzip_decompress_ex(decompressor, bytes, held, target, count, &used, &made)
                    : libdeflate_zlib_decompress_ex(decompressor, bytes, held, target, count, &used, &made);
        int has_more = is_gzip && held - used >= 2 && bytes[used] == 0x1f && bytes[used + 1] == 0x8b;
        is_whole = result == LIBDEFLATE_SUCCESS && made == count && !has_more && !has_header_sum;
    }
    if (decompressor) libdeflate_free_decompressor(decompressor);
    free(bytes);
    return is_whole;
}
