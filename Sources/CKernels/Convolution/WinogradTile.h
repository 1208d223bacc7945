#ifndef SDX_WINOGRAD_TILE_H
#define SDX_WINOGRAD_TILE_H
/// The size of Winograd's tiles, and their weights.
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

/// u = G g Gᵀ of a kernel g of 3 × 3 for tiles of m × m: (m + 2)² values.
static inline void winograd_plane_weights(int m, const double *g, double *u) {
    static const double root = 1.41421356237309504880, third = 1.0 / 3, sixth = 1.0 / 6;
    const double four[6][3] = {
        {1, 0, 0},
        {-2 * third, -root * third, -third}, // -2/3 · (1, p, p²) at p = 1/√2
        {-2 * third, root * third, -third},
        {sixth, root * sixth, third}, // 1/6 · (1, p, p²) at p = √2
        {sixth, -root * sixth, third},
        {0, 0, 1},
    };
    const double two[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    const double(*transform)[3] = m == 4 ? four : two;
    double rows[6][3];
    for (int i = 0; i < m + 2; i++)
        for (int j = 0; j < 3; j++) {
            rows[i][j] = 0;
            for (int t = 0; t < 3; t++) rows[i][j] += transform[i][t] * g[t * 3 + j];
        }
    for (int i = 0; i < m + 2; i++)
        for (int j = 0; j < m + 2; j++) {
            u[i * (m + 2) + j] = 0;
            for (int t = 0; t < 3; t++) u[i * (m + 2) + j] += rows[i][t] * transform[j][t];
        }
}

/// The transformed weights of a kernel w of taps × 3 × 3: with `deep` the points of the plane for each of four points
/// in depth, else for each tap.
static inline void winograd_weights(winograd_form form, int64_t taps, const float *w, double *u) {
    static const double depth[4][3] = {{0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {1, 0, 0}, {0, 0, 1}}; // at 1, -1, 0, ∞
    int64_t points = (form.m + 2) * (form.m + 2);
    for (int64_t i = 0; i < (form.deep ? 4 : taps); i++) {
        double plane[9];
        for (int j = 0; j < 9; j++)
            plane[j] = form.deep ? depth[i][0] * (double)w[j] + depth[i][1] * (double)w[9 + j] +
                                       depth[i][2] * (double)w[18 + j]
                                 : (double)w[i * 9 + j];
        winograd_plane_weights(form.m, plane, u + i * points);
    }
}
#endif
