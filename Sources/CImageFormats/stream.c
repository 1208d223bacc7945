// Plain and gzip files as streams.
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

static int fail(int code, char *message, const char *text) {
    snprintf(message, CIF_MESSAGE_SIZE, "%s", text ? text : "unknown error");
    return code;
}

struct cif_reader {
    int fd;  // plain files only
    gzFile gz;
    uint64_t size;
};

int cif_reader_open(const char *path, cif_reader **out, char *message) {
    *out = NULL;
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return fail(CIF_ERROR_OPEN, message, strerror(errno));
    struct stat status;
    if (fstat(fd, &status) != 0) {
        int code = fail(CIF_ERROR_OPEN, message, strerror(errno));
        close(fd);
        return code;
    }
    if (!S_ISREG(status.st_mode)) {
        close(fd);
        const char *kind = S_ISDIR(status.st_mode) ? "it is a folder" : "it is not a regular file";
        return fail(CIF_ERROR_NOT_FILE, message, kind);
    }
    unsigned char magic[2] = {0, 0};
    ssize_t got = pread(fd, magic, 2, 0);
    if (got < 0) {
        int code = fail(CIF_ERROR_READ, message, strerror(errno));
        close(fd);
        return code;
    }
    cif_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        close(fd);
        return fail(CIF_ERROR_MEMORY, message, "out of memory");
    }
    reader->fd = fd;
    reader->size = (uint64_t)status.st_size;
    if (got == 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
        reader->gz = gzdopen(fd, "rb");
        if (!reader->gz || gzbuffer(reader->gz, 1u << 17) != 0) {
            if (reader->gz) gzclose(reader->gz); else close(fd);
            free(reader);
            return fail(CIF_ERROR_MEMORY, message, "out of memory");
        }
        reader->fd = -1;  // gzclose closes it
    }
    *out = reader;
    return CIF_OK;
}

int cif_reader_read(cif_reader *reader, void *buffer, size_t count, size_t *got, char *message) {
    *got = 0;
    while (*got < count) {
        size_t left = count - *got;
        size_t step = left > (1u << 30) ? (1u << 30) : left;
        char *target = (char *)buffer + *got;
        if (reader->gz) {
            int n = gzread(reader->gz, target, (unsigned)step);
            if (n < 0) {
                int code = Z_OK;
                const char *text = gzerror(reader->gz, &code);
                if (code == Z_ERRNO) return fail(CIF_ERROR_READ, message, strerror(errno));
                if (code == Z_MEM_ERROR) return fail(CIF_ERROR_MEMORY, message, "out of memory");
                return fail(CIF_ERROR_DATA, message, text);
            }
            if (n == 0) break;
            *got += (size_t)n;
        } else {
            ssize_t n = read(reader->fd, target, step);
            if (n < 0) {
                if (errno == EINTR) continue;
                return fail(CIF_ERROR_READ, message, strerror(errno));
            }
            if (n == 0) break;
            *got += (size_t)n;
        }
    }
    return CIF_OK;
}

int cif_reader_skip(cif_reader *reader, uint64_t count, uint64_t *got, char *message) {
    *got = 0;
    if (!reader->gz) {
        off_t here = lseek(reader->fd, 0, SEEK_CUR);
        if (here < 0) return fail(CIF_ERROR_READ, message, strerror(errno));
        uint64_t left = (uint64_t)here < reader->size ? reader->size - (uint64_t)here : 0;
        uint64_t step = count < left ? count : left;
        if (lseek(reader->fd, (off_t)step, SEEK_CUR) < 0) return fail(CIF_ERROR_READ, message, strerror(errno));
        *got = step;
        return CIF_OK;
    }
    // Not gzseek: it defers the work, and an error would surface at a place that cannot be told from another.
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

int cif_reader_is_gzip(const cif_reader *reader) { return reader->gz != NULL; }

int cif_reader_is_cut(const cif_reader *reader) {
    if (!reader->gz) return 0;
    int code = Z_OK;
    gzerror(reader->gz, &code);
    return code == Z_BUF_ERROR;
}

uint64_t cif_reader_file_size(const cif_reader *reader) { return reader->size; }

void cif_reader_close(cif_reader *reader) {
    if (!reader) return;
    if (reader->gz) gzclose(reader->gz);
    else close(reader->fd);
    free(reader);
}

struct cif_writer {
    int fd;
    gzFile gz;
};

int cif_writer_open(const char *path, int level, cif_writer **out, char *message) {
    *out = NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return fail(CIF_ERROR_OPEN, message, strerror(errno));
    cif_writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        close(fd);
        return fail(CIF_ERROR_MEMORY, message, "out of memory");
    }
    writer->fd = fd;
    if (level > 0) {
        // zlib closes the descriptor it is given; ours must outlive it for fsync.
        char mode[4] = {'w', 'b', (char)('0' + (level > 9 ? 9 : level)), 0};
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        writer->gz = copy < 0 ? NULL : gzdopen(copy, mode);
        if (!writer->gz) {
            if (copy >= 0) close(copy);
            close(fd);
            free(writer);
            return fail(CIF_ERROR_MEMORY, message, "out of memory or file descriptors");
        }
    }
    *out = writer;
    return CIF_OK;
}

int cif_writer_write(cif_writer *writer, const void *bytes, size_t count, char *message) {
    const char *from = bytes;
    while (count > 0) {
        size_t step = count > (1u << 30) ? (1u << 30) : count;
        ssize_t n;
        if (writer->gz) {
            n = gzwrite(writer->gz, from, (unsigned)step);
            if (n <= 0) {
                int code = Z_OK;
                const char *text = gzerror(writer->gz, &code);
                return fail(CIF_ERROR_WRITE, message, code == Z_ERRNO ? strerror(errno) : text);
            }
        } else {
            n = write(writer->fd, from, step);
            if (n < 0) {
                if (errno == EINTR) continue;
                return fail(CIF_ERROR_WRITE, message, strerror(errno));
            }
        }
        from += n;
        count -= (size_t)n;
    }
    return CIF_OK;
}

int cif_writer_close(cif_writer *writer, char *message) {
    if (!writer) return CIF_OK;
    int code = CIF_OK;
    if (writer->gz) {
        int result = gzclose(writer->gz);
        if (result != Z_OK)
            code = fail(CIF_ERROR_WRITE, message, result == Z_ERRNO ? strerror(errno) : "compression failed");
    }
    // Some file systems (pipes, /dev/full) cannot sync and say EINVAL; nothing is lost there.
    if (fsync(writer->fd) != 0 && errno != EINVAL && code == CIF_OK)
        code = fail(CIF_ERROR_WRITE, message, strerror(errno));
    if (close(writer->fd) != 0 && code == CIF_OK) code = fail(CIF_ERROR_WRITE, message, strerror(errno));
    free(writer);
    return code;
}
