#ifndef SDX_WINOGRAD_TILE_H
#define SDX_WINOGRAD_TILE_H
/// The size of Winograd's tiles, and what a convolution costs with them.
#include <stdint.h>
#include "sdx_conv.h"
#include "sdx_isa.h"

/// A byte of packed weights is worth this many multiply-adds of a run: weights of small maps would take up to five times
/// the memory for the last few percent of speed.
#define SDX_WINOGRAD_BYTE_COST 10.0
/// Weights are read from memory or a shared cache once a run, two a cycle at best: the multiply-adds that a core does
/// while one of them comes, two vectors a cycle; and their memory.
static inline double winograd_weight_cost(void) {
    return sdx_isa_vector_floats(sdx_isa_current()) + SDX_WINOGRAD_BYTE_COST * (double)sizeof(float);
}
/// What a transform costs for one transformed value, in multiply-adds of the products: about four operations, two loads
/// and two stores.
#define SDX_WINOGRAD_TRANSFORM_COST 12.0

/// How a convolution is done: m × m outputs of a plane a tile; with `deep` also pairs of output slices, F(2, 3) in
/// depth, else the products of the depth taps are summed.
typedef struct {
    int m, deep;
} winograd_form;

/// How the sums of a product begin and end; see WinogradProduct.h.
enum { WINO_ZERO, WINO_GO_ON, WINO_FIRST, WINO_SECOND };
enum { WINO_NOTHING, WINO_STORE, WINO_STORE_SECOND, WINO_SUM_AND_DIFFERENCE };

/// The cost of a run and of its weights' memory, in multiply-adds.
static inline double winograd_cost(const sdx_conv_params *p, winograd_form form) {
    int m = form.m;
    double tiles = (double)p->n * (double)((p->out[1] + m - 1) / m) * (double)((p->out[2] + m - 1) / m);
    double c = (double)p->c, k = (double)p->k, taps = (double)p->kernel[0], points = (m + 2) * (m + 2);
    double levels = (double)p->out[0], transforms = points * (c + k);
    if (form.deep) {
        taps = 4;
        levels = (double)((p->out[0] + 1) / 2);
        transforms *= 4; // two planes, and their sums
    }
    return levels * tiles * (points * taps * c * k + transforms * SDX_WINOGRAD_TRANSFORM_COST) +
           points * taps * c * k * winograd_weight_cost();
}

/// The form that costs least: m = 2 for small maps, whose weights are the larger part; `deep` from a few slices on.
static inline winograd_form winograd_best(const sdx_conv_params *p) {
    winograd_form best = {4, 0};
    for (int m = 4; m >= 2; m -= 2)
        for (int deep = 0; deep <= (p->kernel[0] == 3); deep++) {
            winograd_form form = {m, deep};
            if (winograd_cost(p, form) < winograd_cost(p, best)) best = form;
        }
    return best;
}

/// The estimated cost of a direct convolution over that of this one.
static inline double winograd_gain(const sdx_conv_params *p) {
    double pixels = (double)p->n * (double)p->out[0] * (double)p->out[1] * (double)p->out[2];
    double weights = (double)p->c * (double)p->k * (double)p->kernel[0] * 9;
    double direct = pixels * weights + weights * winograd_weight_cost();
    return direct > 0 ? direct / winograd_cost(p, winograd_best(p)) : 0;
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
