#include "filters.h"

#include <string.h>

typedef uint8_t bytes __attribute__((ext_vector_type(FILTER_BLOCK)));
typedef char marks __attribute__((ext_vector_type(FILTER_BLOCK)));
typedef uint16_t pairs __attribute__((ext_vector_type(FILTER_BLOCK / 2)));

static inline __attribute__((always_inline)) bytes load(const uint8_t *from) {
    bytes value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline __attribute__((always_inline)) bytes distance(bytes a, bytes b) {
    return __builtin_elementwise_max(a, b) - __builtin_elementwise_min(a, b);
}

// The neighbour that is nearest to left + above − corner; of equals left before above before corner.
static inline __attribute__((always_inline)) bytes paeth(bytes left, bytes above, bytes corner) {
    // How far left + above − corner is from left, and from above. It is as far from the corner as both together where
    // they lie on one side of it: then the corner is never nearest. Else as far as they differ.
    bytes from_left = distance(above, corner), from_above = distance(left, corner);
    bytes from_corner = distance(from_left, from_above);
    marks is_apart = (above > corner) ^ (left > corner);
    marks takes_left = (from_left <= from_above) & (~is_apart | (from_left <= from_corner));
    marks takes_above = ~is_apart | (from_above <= from_corner);
    bytes other = takes_above ? above : corner;
    return takes_left ? left : other;
}

// A block of a row through a filter, which the compiler knows: one loop for each.
static inline __attribute__((always_inline)) bytes filtered(
    int filter, const uint8_t *row, const uint8_t *before, size_t pixel) {
    bytes value = load(row);
    switch (filter) {
    case 0: return value;
    case 1: return value - load(row - pixel);
    case 2: return value - load(before);
    case 3: {
        bytes left = load(row - pixel), above = load(before);
        return value - ((left & above) + ((left ^ above) >> 1));
    }
    default: return value - paeth(load(row - pixel), load(before), load(before - pixel));
    }
}

static inline __attribute__((always_inline)) uint64_t write_through(
    int filter, const uint8_t *restrict row, const uint8_t *restrict before, size_t count, size_t pixel,
    uint64_t limit, uint8_t *restrict to) {
    // The last block counts to the row's end only.
    static const uint8_t ones[2 * FILTER_BLOCK] = {[0 ... FILTER_BLOCK - 1] = 0xff};
    bytes last = load(ones + (FILTER_BLOCK - count % FILTER_BLOCK) % FILTER_BLOCK);
    uint64_t sum = 0;
    for (size_t i = 0; i < count && sum <= limit;) {
        // 16 bits hold 256 a block.
        size_t end = count - i < 16 * FILTER_BLOCK ? count : i + 16 * FILTER_BLOCK;
        pairs part = 0;
        for (; i < end; i += FILTER_BLOCK) {
            bytes value = filtered(filter, row + i, before + i, pixel);
            memcpy(to + i, &value, sizeof value);
            if (count - i < FILTER_BLOCK) value &= last;
            pairs sizes = (pairs)__builtin_elementwise_min(value, -value);
            part += (sizes & 0xff) + (sizes >> 8);
        }
        for (int lane = 0; lane < FILTER_BLOCK / 2; lane++) sum += part[lane];
    }
    return sum;
}

uint64_t filter_row(
    int filter, const uint8_t *restrict row, const uint8_t *restrict before, size_t count, size_t pixel,
    uint64_t limit, uint8_t *restrict to) {
    switch (filter) {
    case 0: return write_through(0, row, before, count, pixel, limit, to);
    case 1: return write_through(1, row, before, count, pixel, limit, to);
    case 2: return write_through(2, row, before, count, pixel, limit, to);
    case 3: return write_through(3, row, before, count, pixel, limit, to);
    default: return write_through(4, row, before, count, pixel, limit, to);
    }
}
