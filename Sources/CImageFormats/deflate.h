// Deflate streams, by ISA-L at its level 1: what is gained and lost is in Docs/Decisions/0011.
#ifndef SARDONYX_DEFLATE_H
#define SARDONYX_DEFLATE_H

#include <isa-l/igzip_lib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    struct isal_zstream stream;
    uint8_t tables[ISAL_DEF_LVL1_DEFAULT];
    uint8_t output[1 << 16];
} deflater;

// To be called behind ISA-L, which leaves the upper halves of vector registers in use: until they are cleared, every
// SSE instruction of the process waits for the one before on such registers and takes up to three times as long.
void clean_vectors(void);

// Begins a stream, wrapped as `form` (CIF_GZIP, CIF_ZLIB) says.
void deflate_begin(deflater *state, int form);

// Takes what has been compressed; 0, or a failure that ends the work.
typedef int (*deflate_sink)(void *context, const uint8_t *bytes, size_t count);

// Compresses `count` bytes and hands on what is ready; with `is_last` all. 0, what the sink said, or -1.
int deflate_bytes(deflater *state, const void *bytes, size_t count, int is_last, deflate_sink sink, void *context);

#endif
