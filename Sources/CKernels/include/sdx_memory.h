#ifndef SDX_MEMORY_H
#define SDX_MEMORY_H
/// The process's memory.
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Gives the pages that the heap keeps free for later allocations back to the system, where the C library can.
void sdx_return_free_pages(void);

/// Puts these bytes out of all caches, so that who reads them next waits for the memory, as a network's layers do whose
/// weights the others have driven out. The bytes stay as they are.
void sdx_flush_caches(const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
