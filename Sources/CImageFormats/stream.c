// Plain, gzip and zlib files as streams to read from.
#define _GNU_SOURCE
#include "CImageFormats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_SIZE = 1 << 17 };

static int fail(int code, char *message, const char *text) {
    snprintf(message, CIF_MESSAGE_SIZE, "%s", text ? text : "unknown error");
    return code;
}

struct cif_reader {
    int fd;
    int is_deflate;
    int is_gzip;
    int is_done;      // the last member's checksum has been compared
    int is_cut;       // the file ended before that
    uint64_t size;    // of the file
    uint64_t offset;  // in the file, of the next byte to fetch
    z_stream z;
    unsigned char *input;
};

int cif_reader_open(const char *path, uint64_t start, int form, cif_reader **out, char *message) {
    *out = NULL;
    cif_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return fail(CIF_ERROR_MEMORY, message, "out of memory");
    int code = CIF_OK;
    struct stat status;
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    reader->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (reader->fd < 0 || fstat(reader->fd, &status) != 0) {
        code = fail(CIF_ERROR_OPEN, message, strerror(errno));
        goto failed;
    }
    if (!S_ISREG(status.st_mode)) {
        const char *kind = S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file";
        code = fail(CIF_ERROR_NOT_FILE, message, kind);
        goto failed;
    }
    reader->size = (uint64_t)status.st_size;
    reader->offset = start;
    unsigned char magic[2] = {0, 0};
    if (start < reader->size && pread(reader->fd, magic, 2, (off_t)start) < 0) {
        code = fail(CIF_ERROR_READ, message, strerror(errno));
        goto failed;
    }
    reader->is_gzip = magic[0] == 0x1f && magic[1] == 0x8b;
    reader->is_deflate = form == CIF_DEFLATE || (form == CIF_DETECT && reader->is_gzip);
    if (reader->is_deflate) {
        reader->input = malloc(INPUT_SIZE);
        // 32: gzip or zlib, as its first bytes say.
        if (!reader->input || inflateInit2(&reader->z, 15 + 32) != Z_OK) {
            code = fail(CIF_ERROR_MEMORY, message, "out of memory");
            goto failed;
        }
    }
    *out = reader;
    return CIF_OK;
failed:
    if (reader->fd >= 0) close(reader->fd);
    free(reader->input);
    free(reader);
    return code;
}

// Up to `count` bytes of the file; 0 at its end, -1 and errno on failure.
static ssize_t fetch(cif_reader *reader, void *target, size_t count) {
    if (reader->offset >= reader->size) return 0;
    ssize_t n;
    do n = pread(reader->fd, target, count, (off_t)reader->offset);
    while (n < 0 && errno == EINTR);
    if (n > 0) reader->offset += (uint64_t)n;
    return n;
}

// Makes at least `least` bytes of input available unless the file ends first.
static int refill(cif_reader *reader, unsigned least, char *message) {
    z_stream *z = &reader->z;
    if (z->avail_in >= least) return CIF_OK;
    if (z->avail_in > 0) memmove(reader->input, z->next_in, z->avail_in);
    z->next_in = reader->input;
    while (z->avail_in < least) {
        ssize_t n = fetch(reader, reader->input + z->avail_in, INPUT_SIZE - z->avail_in);
        if (n < 0) return fail(CIF_ERROR_READ, message, strerror(errno));
        if (n == 0) break;
        z->avail_in += (unsigned)n;
    }
    return CIF_OK;
}

static int inflate_some(cif_reader *reader, unsigned char *target, unsigned count, unsigned *got, char *message) {
    z_stream *z = &reader->z;
    z->next_out = target;
    z->avail_out = count;
    int code = CIF_OK;
    while (z->avail_out > 0 && !reader->is_done && !reader->is_cut && code == CIF_OK) {
        if ((code = refill(reader, 1, message)) != CIF_OK) break;
        if (z->avail_in == 0) {
            reader->is_cut = 1;
            break;
        }
        int result = inflate(z, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            // A gzip file may hold several members, and padding that is none behind the last.
            if (!reader->is_gzip) reader->is_done = 1;
            else if ((code = refill(reader, 2, message)) != CIF_OK) break;
            else if (z->avail_in >= 2 && z->next_in[0] == 0x1f && z->next_in[1] == 0x8b) inflateReset(z);
            else reader->is_done = 1;
        } else if (result == Z_MEM_ERROR) {
            code = fail(CIF_ERROR_MEMORY, message, "out of memory");
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            code = fail(CIF_ERROR_DATA, message, z->msg ? z->msg : "not what deflate writes");
        }
    }
    *got = count - z->avail_out;
    return code;
}

int cif_reader_read(cif_reader *reader, void *buffer, size_t count, size_t *got, char *message) {
    *got = 0;
    while (*got < count) {
        size_t left = count - *got;
        unsigned step = left > (1u << 30) ? (1u << 30) : (unsigned)left;
        unsigned char *target = (unsigned char *)buffer + *got;
        if (reader->is_deflate) {
            unsigned n = 0;
            int code = inflate_some(reader, target, step, &n, message);
            *got += n;
            if (code != CIF_OK) return code;
            if (n < step) break;
        } else {
            ssize_t n = fetch(reader, target, step);
            if (n < 0) return fail(CIF_ERROR_READ, message, strerror(errno));
            if (n == 0) break;
            *got += (size_t)n;
        }
    }
    return CIF_OK;
}

int cif_reader_skip(cif_reader *reader, uint64_t count, uint64_t *got, char *message) {
    *got = 0;
    if (!reader->is_deflate) {
        uint64_t left = reader->offset < reader->size ? reader->size - reader->offset : 0;
        *got = count < left ? count : left;
        reader->offset += *got;
        return CIF_OK;
    }
    unsigned char scratch[16384];
    while (*got < count) {
        uint64_t left = count - *got;
        size_t step = left < sizeof scratch ? (size_t)left : sizeof scratch, n = 0;
        int code = cif_reader_read(reader, scratch, step, &n, message);
        *got += n;
        if (code != CIF_OK) return code;
        if (n < step) break;
    }
    return CIF_OK;
}

int cif_reader_is_compressed(const cif_reader *reader) { return reader->is_deflate; }

int cif_reader_is_cut(const cif_reader *reader) { return reader->is_cut; }

uint64_t cif_reader_file_size(const cif_reader *reader) { return reader->size; }

void cif_reader_close(cif_reader *reader) {
    if (!reader) return;
    if (reader->is_deflate) inflateEnd(&reader->z);
    close(reader->fd);
    free(reader->input);
    free(reader);
}
