#ifndef SDX_WINOGRAD_TILE_H
#define SDX_WINOGRAD_TILE_H
/// The size of Winograd's tiles, and what a convolution costs with them.
#include <stdint.h>
#include "sdx_conv.h"

/// Weights are read from memory or a shared cache once a run: the multiply-adds that a core does while one of them
/// comes. Eight bytes a cycle against 16 multiply-adds.
#define SDX_WINOGRAD_WEIGHT_COST 8.0
/// What a transform costs for one transformed value, in multiply-adds of the products: about four operations, two loads
/// and two stores.
#define SDX_WINOGRAD_TRANSFORM_COST 12.0

/// The cost of a run with tiles of m × m, in multiply-adds.
static inline double winograd_cost(const sdx_conv_params *p, int m) {
    double tiles = (double)p->n * (double)p->out[0] * (double)((p->out[1] + m - 1) / m) *
                   (double)((p->out[2] + m - 1) / m);
    double c = (double)p->c, k = (double)p->k, taps = (double)p->kernel[0], points = (m + 2) * (m + 2);
    double products = tiles * points * taps * c * k, transforms = tiles * points * (c + k);
    return products + transforms * SDX_WINOGRAD_TRANSFORM_COST + points * taps * c * k * SDX_WINOGRAD_WEIGHT_COST;
}

/// The m of the tiles: 4, or 2 where that costs less (small maps, whose weights are the larger part).
static inline int winograd_tile(const sdx_conv_params *p) { return winograd_cost(p, 2) < winograd_cost(p, 4) ? 2 : 4; }

/// The estimated time of a direct convolution over that of this one.
static inline double winograd_gain(const sdx_conv_params *p) {
    double pixels = (double)p->n * (double)p->out[0] * (double)p->out[1] * (double)p->out[2];
    double weights = (double)p->c * (double)p->k * (double)p->kernel[0] * 9;
    double direct = pixels * weights + weights * SDX_WINOGRAD_WEIGHT_COST;
    return direct > 0 ? direct / winograd_cost(p, winograd_tile(p)) : 0;
}

/// u = G g Gᵀ of a kernel of 3 × 3 for tiles of m × m, in double: (m + 2)² values.
static inline void winograd_weights(int m, const float *g, double *u) {
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
            for (int t = 0; t < 3; t++) rows[i][j] += transform[i][t] * (double)g[t * 3 + j];
        }
    for (int i = 0; i < m + 2; i++)
        for (int j = 0; j < m + 2; j++) {
            u[i * (m + 2) + j] = 0;
            for (int t = 0; t < 3; t++) u[i * (m + 2) + j] += rows[i][t] * transform[j][t];
        }
}
#endif
