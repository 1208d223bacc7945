// Files being written, plain or compressed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "CImageFormats.h"
#include "deflate.h"

static int fail(int code, char *message, const char *text) {
    snprintf(message, CIF_MESSAGE_SIZE, "%s", text ? text : "unknown error");
    return code;
}

static int failed(int failure, char *message) {
    if (failure == 0) return CIF_OK;
    return fail(CIF_ERROR_WRITE, message, failure < 0 ? "compression failed" : strerror(failure));
}

struct cif_writer {
    int fd;
    int is_deflate;
    uint64_t compressed;  // bytes of the stream so far
    deflater *deflater;   // once there has been a stream
};

int cif_writer_open(const char *path, cif_writer **out, char *message) {
    *out = NULL;
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return fail(CIF_ERROR_OPEN, message, strerror(errno));
    cif_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        close(fd);
        return fail(CIF_ERROR_MEMORY, message, "out of memory");
    }
    writer->fd = fd;
    *out = writer;
    return CIF_OK;
}

// 0, or errno.
static int write_all(int fd, const uint8_t *from, size_t count) {
    while (count > 0) {
        ssize_t n = write(fd, from, count > (1u << 30) ? (1u << 30) : count);
        if (n < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        from += n;
        count -= (size_t)n;
    }
    return 0;
}

static int take(void *context, const uint8_t *bytes, size_t count) {
    cif_writer *writer = context;
    writer->compressed += count;
    return write_all(writer->fd, bytes, count);
}

int cif_writer_deflate(cif_writer *writer, int form, char *message) {
    if (!writer->deflater) writer->deflater = malloc(sizeof *writer->deflater);
    if (!writer->deflater) return fail(CIF_ERROR_MEMORY, message, "out of memory");
    deflate_begin(writer->deflater, form);
    writer->is_deflate = 1;
    writer->compressed = 0;
    return CIF_OK;
}

int cif_writer_write(cif_writer *writer, const void *bytes, size_t count, char *message) {
    int failure = writer->is_deflate ? deflate_bytes(writer->deflater, bytes, count, 0, take, writer)
                                     : write_all(writer->fd, bytes, count);
    return failed(failure, message);
}

int cif_writer_end_deflate(cif_writer *writer, uint64_t *compressed, char *message) {
    *compressed = 0;
    if (!writer->is_deflate) return CIF_OK;
    writer->is_deflate = 0;
    int failure = deflate_bytes(writer->deflater, NULL, 0, 1, take, writer);
    *compressed = writer->compressed;
    return failed(failure, message);
}

int cif_writer_patch(cif_writer *writer, uint64_t offset, const void *bytes, size_t count, char *message) {
    ssize_t n = pwrite(writer->fd, bytes, count, (off_t)offset);
    if (n < 0) return failed(errno, message);
    return n == (ssize_t)count ? CIF_OK : failed(ENOSPC, message);
}

int cif_writer_close(cif_writer *writer, char *message) {
    if (!writer) return CIF_OK;
    uint64_t compressed;
    int code = cif_writer_end_deflate(writer, &compressed, message);
    // Some file systems (pipes, /dev/full) cannot sync and say EINVAL; nothing is lost there.
    if (fsync(writer->fd) != 0 && errno != EINVAL && code == CIF_OK) code = failed(errno, message);
    if (close(writer->fd) != 0 && code == CIF_OK) code = failed(errno, message);
    free(writer->deflater);
    free(writer);
    return code;
}
