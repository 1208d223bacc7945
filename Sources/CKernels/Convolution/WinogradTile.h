#ifndef SDX_WINOGRAD_TILE_H
#define SDX_WINOGRAD_TILE_H
/// The size of Winograd's tiles.
#include <stdint.h>
#include "sdx_winograd.h"

/// How a convolution is done: m × m outputs of a plane a tile; with `deep` also pairs of output slices, F(2, 3) in
/// depth, else the products of the depth taps are summed.
typedef struct {
    int m, deep;
} winograd_form;

/// How the sums of a product begin and end; see WinogradProduct.h.
enum { WINO_ZERO, WINO_GO_ON, WINO_STORED };
enum { WINO_NOTHING = 0, WINO_STORE = 1, WINO_SUM_AND_DIFFERENCE = 2, WINO_ADD = 4 };

/// How often a pixel may repeat along an axis of the plane.
enum { WINO_MOST_REPEATS = 8 };

static inline winograd_form winograd_form_of(sdx_winograd_form form) {
    return (winograd_form){(int)form >> 1, (int)form & 1};
}
#endif
