#ifndef SDX_WINOGRAD_PHASES_H
#define SDX_WINOGRAD_PHASES_H
/// What is multiplied at each point of the plane, with stride 1 or 2.
///
/// With stride 2 the taps 0 and 2 of a row of the kernel meet the pixels at even places of a window, which starts as
/// the first output does, and tap 1 those at odd places: a convolution of two taps and one of one tap, both of stride 1.
/// In the plane these are four phases of 2 × 2, 2 × 1, 1 × 2 and 1 × 1 taps. F(m, 2) has m finite points and infinity,
/// where one tap has no value; so a point has four phases, two where one of its coordinates is infinite, or one. Their
/// products add up: (2m + 1)² for m × m outputs in place of 9 m².
///
/// One tap is worth the same at all finite points. So its phases share their weights along rows, columns or both: there
/// are (m + 2)² matrices of weights, as many as with stride 1.
#include <stdbool.h>
#include <stdint.h>

enum { WINO_MOST_POINTS = 36, WINO_MOST_PHASES = 4 };

/// The phases of the points of a plane, row by row; with stride 1 each has one.
typedef struct {
    uint8_t values[WINO_MOST_POINTS + 1];   // the first transformed value of each point; then how many there are
    uint8_t matrices[WINO_MOST_POINTS + 1]; // how many matrices of weights the points before it use
    uint8_t of[WINO_MOST_POINTS][WINO_MOST_PHASES]; // the matrix of each phase, in the order of their first use
} winograd_phases;

/// Of two phases that share infinity's row or column, the one of two taps by two comes first.
static inline winograd_phases winograd_phases_of(int m, bool strided) {
    winograd_phases all = {0};
    int values = 0, matrices = 0, edge = strided ? m + 1 : m + 2;
    uint8_t by_row[6] = {0}, by_column[6] = {0}, last = 0; // of one tap along the columns, along the rows, along both
    for (int i = 0; i < edge; i++)
        for (int j = 0; j < edge; j++) {
            int point = i * edge + j, phase = 0;
            all.values[point] = (uint8_t)values;
            all.matrices[point] = (uint8_t)matrices;
            all.of[point][phase++] = (uint8_t)matrices++;
            if (strided && j < m) {
                if (j == 0) by_row[i] = (uint8_t)matrices++;
                all.of[point][phase++] = by_row[i];
            }
            if (strided && i < m) {
                if (i == 0) by_column[j] = (uint8_t)matrices++;
                all.of[point][phase++] = by_column[j];
            }
            if (strided && i < m && j < m) {
                if (point == 0) last = (uint8_t)matrices++;
                all.of[point][phase++] = last;
            }
            values += phase;
        }
    all.values[edge * edge] = (uint8_t)values;
    all.matrices[edge * edge] = (uint8_t)matrices;
    return all;
}

/// The matrix of weights at place (i, j) of (m + 2)²: a place up to m is a point of the two outer taps, the last one
/// being infinity, m + 1 is the middle tap.
static inline int winograd_phase_matrix(const winograd_phases *phases, int m, int i, int j) {
    if (i <= m) return phases->of[i * (m + 1) + (j <= m ? j : 0)][j <= m ? 0 : 1];
    return phases->of[j <= m ? j : 0][j < m ? 2 : j == m ? 1 : 3];
}
#endif
