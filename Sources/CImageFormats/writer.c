// Files being written, plain or compressed. Compression runs on a thread of its own, behind one chunk that is being
// filled, so that what makes the bytes does not wait for it.
#define _GNU_SOURCE
#include "CImageFormats.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 1 << 19, OUTPUT = 1 << 16 };

static int fail(int code, char *message, const char *text) {
    snprintf(message, CIF_MESSAGE_SIZE, "%s", text ? text : "unknown error");
    return code;
}

struct cif_writer {
    int fd;
    int is_deflate;
    z_stream z;
    uint64_t compressed;                             // bytes that deflate has produced
    unsigned char *filling, *compressing, *output;  // CHUNK, CHUNK and OUTPUT bytes
    size_t filled, to_compress;
    int has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    // Under `lock`.
    int has_job;   // `compressing` belongs to the thread until this falls
    int is_last;   // the job ends the stream, and the thread
    int failure;   // errno of the first failed write; -1 when deflate failed
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
static int write_all(int fd, const unsigned char *from, size_t count) {
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

// 0, errno, or -1.
static int compress_job(cif_writer *writer, int is_last) {
    z_stream *z = &writer->z;
    z->next_in = writer->compressing;
    z->avail_in = (unsigned)writer->to_compress;
    int result;
    do {
        z->next_out = writer->output;
        z->avail_out = OUTPUT;
        result = deflate(z, is_last ? Z_FINISH : Z_NO_FLUSH);
        if (result == Z_STREAM_ERROR) return -1;
        size_t made = OUTPUT - z->avail_out;
        int failure = write_all(writer->fd, writer->output, made);
        if (failure) return failure;
        writer->compressed += made;
    } while (z->avail_out == 0);
    return is_last && result != Z_STREAM_END ? -1 : 0;
}

static void *compress_jobs(void *argument) {
    cif_writer *writer = argument;
    pthread_mutex_lock(&writer->lock);
    int is_last = 0;
    while (!is_last) {
        while (!writer->has_job) pthread_cond_wait(&writer->changed, &writer->lock);
        is_last = writer->is_last;
        int failure = writer->failure;
        pthread_mutex_unlock(&writer->lock);
        if (!failure) failure = compress_job(writer, is_last);
        pthread_mutex_lock(&writer->lock);
        writer->failure = failure;
        writer->has_job = 0;
        pthread_cond_signal(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

int cif_writer_deflate(cif_writer *writer, int form, int level, int is_runs, char *message) {
    writer->filling = malloc(CHUNK);
    writer->compressing = malloc(CHUNK);
    writer->output = malloc(OUTPUT);
    int bits = form == CIF_GZIP ? 15 + 16 : 15, strategy = is_runs ? Z_RLE : Z_DEFAULT_STRATEGY;
    if (!writer->filling || !writer->compressing || !writer->output ||
        deflateInit2(&writer->z, level, Z_DEFLATED, bits, 9, strategy) != Z_OK)
        return fail(CIF_ERROR_MEMORY, message, "out of memory");
    writer->is_deflate = 1;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    // Where no thread can be had the work is done in place.
    writer->has_thread = pthread_create(&writer->thread, NULL, compress_jobs, writer) == 0;
    return CIF_OK;
}

static int failed(int failure, char *message) {
    if (failure == 0) return CIF_OK;
    return fail(CIF_ERROR_WRITE, message, failure < 0 ? "compression failed" : strerror(failure));
}

// Waits for the chunk before, then hands over the one that has been filled.
static int hand_over(cif_writer *writer, int is_last, char *message) {
    if (!writer->has_thread) {
        if (writer->failure) return failed(writer->failure, message);
        unsigned char *chunk = writer->filling;
        writer->filling = writer->compressing;
        writer->compressing = chunk;
        writer->to_compress = writer->filled;
        writer->filled = 0;
        writer->failure = compress_job(writer, is_last);
        return failed(writer->failure, message);
    }
    pthread_mutex_lock(&writer->lock);
    while (writer->has_job) pthread_cond_wait(&writer->changed, &writer->lock);
    unsigned char *chunk = writer->filling;
    writer->filling = writer->compressing;
    writer->compressing = chunk;
    writer->to_compress = writer->filled;
    writer->filled = 0;
    writer->is_last = is_last;
    writer->has_job = 1;
    int failure = writer->failure;
    pthread_cond_signal(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    return failed(failure, message);
}

int cif_writer_write(cif_writer *writer, const void *bytes, size_t count, char *message) {
    const unsigned char *from = bytes;
    if (!writer->is_deflate) return failed(write_all(writer->fd, from, count), message);
    while (count > 0) {
        size_t room = CHUNK - writer->filled, step = count < room ? count : room;
        memcpy(writer->filling + writer->filled, from, step);
        writer->filled += step;
        from += step;
        count -= step;
        if (writer->filled == CHUNK) {
            int code = hand_over(writer, 0, message);
            if (code != CIF_OK) return code;
        }
    }
    return CIF_OK;
}

int cif_writer_end_deflate(cif_writer *writer, uint64_t *compressed, char *message) {
    *compressed = 0;
    if (!writer->is_deflate) return CIF_OK;
    int code = hand_over(writer, 1, message);
    if (writer->has_thread) {
        pthread_join(writer->thread, NULL);
        pthread_mutex_destroy(&writer->lock);
        pthread_cond_destroy(&writer->changed);
        code = failed(writer->failure, message);
    }
    deflateEnd(&writer->z);
    writer->is_deflate = 0;
    *compressed = writer->compressed;
    return code;
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
    free(writer->filling);
    free(writer->compressing);
    free(writer->output);
    free(writer);
    return code;
}
