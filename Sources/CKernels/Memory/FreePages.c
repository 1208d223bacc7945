/// Pages of the C heap: sdx_return_free_pages.
#include <stdlib.h>

#include "../include/sdx_memory.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

void sdx_return_free_pages(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
