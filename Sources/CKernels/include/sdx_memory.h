#ifndef SDX_MEMORY_H
#define SDX_MEMORY_H
/// The process's memory.

#ifdef __cplusplus
extern "C" {
#endif

/// Gives the pages that the heap keeps free for later allocations back to the system, where the C library can.
void sdx_return_free_pages(void);

#ifdef __cplusplus
}
#endif
#endif
