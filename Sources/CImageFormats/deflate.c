#include "deflate.h"

#include "CImageFormats.h"

// Not inlined: who calls it must not hold wide registers across it.
__attribute__((noinline)) void clean_vectors(void) {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx")) __asm__ volatile("vzeroupper");
#endif
}

void deflate_begin(deflater *state, int form) {
    isal_deflate_init(&state->stream);
    state->stream.level = 1;
    state->stream.level_buf = state->tables;
    state->stream.level_buf_size = sizeof state->tables;
    state->stream.gzip_flag = form == CIF_GZIP ? IGZIP_GZIP : IGZIP_ZLIB;
}

int deflate_bytes(deflater *state, const void *bytes, size_t count, int is_last, deflate_sink sink, void *context) {
    struct isal_zstream *stream = &state->stream;
    const uint8_t *from = bytes;
    do {
        uint32_t step = count < 1u << 30 ? (uint32_t)count : 1u << 30;
        stream->next_in = (uint8_t *)(uintptr_t)from;
        stream->avail_in = step;
        from += step;
        count -= step;
        stream->end_of_stream = is_last && count == 0;
        do {
            stream->next_out = state->output;
            stream->avail_out = sizeof state->output;
            int code = isal_deflate(stream);
            clean_vectors();
            if (code != COMP_OK) return -1;
            size_t made = sizeof state->output - stream->avail_out;
            int failure = made > 0 ? sink(context, state->output, made) : 0;
            if (failure) return failure;
        } while (stream->avail_out == 0);
    } while (count > 0);
    return 0;
}
