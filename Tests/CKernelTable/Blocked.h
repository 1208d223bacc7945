#ifndef KERNEL_TABLE_BLOCKED_H
#define KERNEL_TABLE_BLOCKED_H
/// The channel-blocked layout [n, c / 8, pixels, 8].
#include "Table.h"

/// Where x[i, c, p] stands.
static inline int64_t blocked_at(int64_t channels, int64_t pixels, int64_t i, int64_t c, int64_t p) {
    return ((i * (channels / 8) + c / 8) * pixels + p) * 8 + c % 8;
}
#endif
