/// Tiles of every panel width of one ISA pass; after Vector.h. No include guard.
///
/// The output channels of a group are cut into panels of BLOCKED_LANES, then narrower ones of 24 (AVX-512), 16 and 8.

#undef BLOCKED_LANES
#undef BLOCKED_MOST // pixels of its tiles
#undef BLOCKED_LEAST_APART // of those that read every other pixel
#if SDX_TARGET_AVX512
#define BLOCKED_LANES 32
#define BLOCKED_MOST 14
#define BLOCKED_LEAST_APART 12
#elif SDX_TARGET_BASELINE
#define BLOCKED_LANES 8
#define BLOCKED_MOST 4
#define BLOCKED_LEAST_APART 3
#else
#define BLOCKED_LANES 16
#define BLOCKED_MOST (SDX_TARGET_NEON ? 5 : 6)
#define BLOCKED_LEAST_APART (BLOCKED_MOST - 1)
#endif

#undef blocked_tile
#undef blocked_tile_function
#define blocked_tile SDX_FN(blocked_tile)
#define blocked_tile_function SDX_FN(blocked_tile_function)

#ifndef SDX_BLOCKED_FINISH
#define SDX_BLOCKED_FINISH
/// What a tile does to its sums at the end; a NaN stays.
typedef enum blocked_finish { BLOCKED_NOTHING, BLOCKED_CLAMP, BLOCKED_HARD_SWISH } blocked_finish;
#endif

/// One tile: neighbouring pixels of an output row by a panel of output channels.
typedef struct {
    const float *x;         // the first pixel's first tap, in the first block of channels
    const float *w;         // the panel's weights from that block on: [block][tap][unit][lanes]
    const float *bias;      // of the panel, or NULL
    const float *from;      // what the sums start from, as y lies, or NULL; may be y
    float *y;               // [lanes / 8][pixel][8]
    const int64_t *offsets; // of each tap
    int64_t blocks, x_block, w_block, y_block;
    bool single;            // one tap, at offset 0
    int64_t row_step;       // floats of x from an output row to the next, where there are several
    int64_t plane;          // taps of a slice
    int64_t first, count;   // of those, the ones inside the input
    tap_range d;            // slices inside the input
    blocked_finish finish;
    float low, high;        // of a clamp
    const float *ahead;     // weights to fetch meanwhile, 64 bytes a line
    int64_t ahead_lines;    // of each block and tap, 0 for none
    int64_t next_x;         // single: floats to the first pixel of the next tile, to fetch meanwhile, or 0
    int64_t next;           // single: floats to the place of the next tile in `from` and y, to fetch meanwhile, or 0
} blocked_tile;
typedef void (*blocked_tile_function)(const blocked_tile *t);

#if SDX_TARGET_AVX512
#define BW 16
#define BVECTORS 2
#define BMOST 14
#define BWIDEST 1
#define BSHORT 0
#define BN(name) SDX_FN(name##_16x2)
#include "BlockedTile.h"
#define BW 16
#define BVECTORS 2
#define BMOST 14
#define BWIDEST 0
#define BSHORT 1
#define BN(name) SDX_FN(name##_24)
#include "BlockedTile.h"
#define BW 16
#define BVECTORS 1
#define BMOST 14
#define BWIDEST 0
#define BSHORT 0
#define BN(name) SDX_FN(name##_16x1)
#include "BlockedTile.h"
#define BW 8
#define BVECTORS 1
#define BMOST 14
#define BWIDEST 0
#define BSHORT 0
#define BN(name) SDX_FN(name##_8x1)
#include "BlockedTile.h"
#include "BlockedPairs.h"
#elif SDX_TARGET_AVX2
#define BW 8
#define BVECTORS 2
#define BMOST 6
#define BWIDEST 1
#define BSHORT 0
#define BN(name) SDX_FN(name##_8x2)
#include "BlockedTile.h"
#define BW 8
#define BVECTORS 1
#define BMOST 12
#define BWIDEST 0
#define BSHORT 0
#define BN(name) SDX_FN(name##_8x1)
#include "BlockedTile.h"
#elif SDX_TARGET_NEON
#define BW 4
#define BVECTORS 4
#define BMOST 5
#define BWIDEST 1
#define BSHORT 0
#define BN(name) SDX_FN(name##_4x4)
#include "BlockedTile.h"
#define BW 4
#define BVECTORS 2
#define BMOST 8
#define BWIDEST 0
#define BSHORT 0
#define BN(name) SDX_FN(name##_4x2)
#include "BlockedTile.h"
#else
#define BW 4
#define BVECTORS 2
#define BMOST 4
#define BWIDEST 1
#define BSHORT 0
#define BN(name) SDX_FN(name##_4x2)
#include "BlockedTile.h"
#endif

/// The lanes of the panel that begins where `left` output channels, a multiple of 8, remain.
SDX_INLINE int64_t SDX_FN(panel_lanes)(int64_t left) {
    if (BLOCKED_LANES == 32 && left >= 24 && left < 32) return 24;
    return left >= BLOCKED_LANES ? BLOCKED_LANES : left >= 16 ? 16 : 8;
}

/// The tiles of a panel: by pixels - 1, and for blocks of 8 channels and of 1. Pairs of input channels serve a panel that
/// is alone in its group: all output channels of a layer sum in one order, so that equal weights give equal results.
typedef struct {
    const blocked_tile_function (*tiles)[2];
    int64_t most;                        // pixels
    const blocked_tile_function *narrow; // by columns - 1 up to most / 2, for blocks of 8 channels, or NULL
    const blocked_tile_function *apart;  // of every other pixel, by pixels less BLOCKED_LEAST_APART, or NULL
} SDX_FN(panel_tiles);

SDX_INLINE SDX_FN(panel_tiles) SDX_FN(tiles_for)(int64_t lanes, bool alone) {
    (void)alone;
#if SDX_TARGET_AVX512
    if (lanes == 32) return (SDX_FN(panel_tiles)){SDX_FN(tiles_16x2), 14, SDX_FN(narrow_16x2), SDX_FN(apart_16x2)};
    if (lanes == 24) return (SDX_FN(panel_tiles)){SDX_FN(tiles_24), 14, NULL, NULL};
    if (lanes == 16) return (SDX_FN(panel_tiles)){alone ? SDX_FN(pair_tiles_16) : SDX_FN(tiles_16x1), 14, NULL, NULL};
    return (SDX_FN(panel_tiles)){alone ? SDX_FN(pair_tiles_8) : SDX_FN(tiles_8x1), 14, NULL, NULL};
#elif SDX_TARGET_AVX2
    if (lanes == 16) return (SDX_FN(panel_tiles)){SDX_FN(tiles_8x2), 6, SDX_FN(narrow_8x2), SDX_FN(apart_8x2)};
    return (SDX_FN(panel_tiles)){SDX_FN(tiles_8x1), 12, NULL, NULL};
#elif SDX_TARGET_NEON
    if (lanes == 16) return (SDX_FN(panel_tiles)){SDX_FN(tiles_4x4), 5, SDX_FN(narrow_4x4), SDX_FN(apart_4x4)};
    return (SDX_FN(panel_tiles)){SDX_FN(tiles_4x2), 8, NULL, NULL};
#else
    (void)lanes;
    return (SDX_FN(panel_tiles)){SDX_FN(tiles_4x2), 4, SDX_FN(narrow_4x2), SDX_FN(apart_4x2)};
#endif
}
