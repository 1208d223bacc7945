#ifndef SDX_CONV_CHOICE_H
#define SDX_CONV_CHOICE_H
/// Which kernel computes a convolution: a pure function of its shape and of the network around it, the instruction set and
/// the size of the second cache, the same in every run and for any number of threads, so that plans are predictable and
/// results keep their bits. Machines whose second caches differ may choose differently. Whoever has measured the algorithms chooses by the
/// same rule from their times.
#include "sdx_conv.h"
#include "sdx_isa.h"
#include "sdx_winograd.h"
#include "sdx_winograd_rows.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma clang assume_nonnull begin

/// A way to compute a convolution. The values of Winograd's forms in the plane are those of
/// `sdx_winograd_form`.
typedef enum sdx_conv_algorithm {
    SDX_CONV_BY_PLAIN = 0,  ///< sdx_conv_f32_run, on plain tensors
    SDX_CONV_BY_BLOCKS = 1, ///< sdx_conv_c8_f32_run
    SDX_CONV_BY_WINOGRAD_2 = SDX_WINOGRAD_2,
    SDX_CONV_BY_WINOGRAD_2_DEEP = SDX_WINOGRAD_2_DEEP,
    SDX_CONV_BY_WINOGRAD_4 = SDX_WINOGRAD_4,
    SDX_CONV_BY_WINOGRAD_4_DEEP = SDX_WINOGRAD_4_DEEP,
    SDX_CONV_BY_WINOGRAD_ROWS = 16, ///< sdx_winograd_rows_f32_run
} sdx_conv_algorithm;

enum { SDX_CONV_ALGORITHMS = 7 };
/// All of them. Of two that are worth the same the choice takes the one that comes first.
extern const sdx_conv_algorithm sdx_conv_algorithms[SDX_CONV_ALGORITHMS];

/// What the steps of the algorithms cost: nanoseconds of one thread, but for the ratios. `Tools/bench --calibrate`
/// measures them; only their ratios have a say in a choice.
typedef struct sdx_conv_costs {
    // In blocks.
    double multiply_add;   ///< of a full tile
    double tile;           ///< of a tile, as many as this many pixels more
    double alone_8;        ///< a panel of 8 output channels that is a group's only one: multiply-adds as this many full
    double panel_8;        ///< beside wider ones
    double alone_16;
    double panel_16;
    double panel_24;
    double copy;           ///< of a value of the input to scratch, for each result pixel and depth tap
    double copy_plain;     ///< times that for a value of a plain input
    double result;         ///< a value of y
    double result_plain;   ///< times that for a plain y
    double weight;         ///< a byte of weights, once a run: from memory, for a network's other weights passed through
                           ///< the caches since
    double far_weight;     ///< more, for each that the second cache does not hold
    double start;          ///< of a run
    // Winograd's.
    double product;        ///< a multiply-add of a product
    double product_tile;   ///< of a register tile, as many as this many rows more
    double product_least;  ///< fewer rows cost as many as this
    double product_half;   ///< a last panel of one vector of output channels: multiply-adds as this many full
    double transform_in;   ///< a value transformed in the plane
    double transform_deep; ///< times that for one transformed in depth as well
    double transform_out;  ///< a product transformed back
    double shared;         ///< a byte of transformed input that all threads share, written and read
    double far_shared;     ///< more, beyond the second cache
    double read;           ///< a byte of weights, each time it is read
    double far_read;       ///< more, for each that the second cache does not hold
    double wino_weight;    ///< a byte of weights, once a run
    double wino_start;     ///< of a run, in each of its one or two steps
    // Plain.
    double plain_multiply_add;
    double plain_tile;     ///< of a register tile, as many as this many rows more
    double gather;         ///< of a value of the input into a panel
    double gather_short;   ///< times that, more, where an output row is shorter than a panel
    double gather_strided; ///< times that
    double plain_result;
    double plain_weight;   ///< a byte of weights, once a run
    double plain_start;
    double reorder;        ///< of a value from one layout to the other
} sdx_conv_costs;

/// The costs on machines of an instruction set, as measured on one of them.
const sdx_conv_costs *sdx_conv_costs_of(sdx_isa isa);
/// The bytes of a core's second cache: as the system says, between 128 KB and 4 MB; 1 MB where it does not. Constant for
/// a process. `SARDONYX_L2_BYTES` (read once) stands in for the system's word.
int64_t sdx_second_cache_bytes(void);

/// Whether an algorithm can compute it with operands of this layout, which SDX_CONV_BY_PLAIN does not read.
int sdx_conv_algorithm_supported(const sdx_conv_params *p, sdx_conv_layout layout, sdx_conv_algorithm algorithm);
/// The estimated time of a run with one thread, in nanoseconds; infinity where the algorithm is not supported.
double sdx_conv_time(
    const sdx_conv_params *p, sdx_conv_layout layout, sdx_conv_algorithm algorithm, const sdx_conv_costs *costs);
/// The bytes of packed weights, but for lanes that are filled up.
double sdx_conv_weight_bytes(const sdx_conv_params *p, sdx_conv_algorithm algorithm);
/// Weights stay in memory between the runs. An algorithm that makes the network hold a hundredth more must make its run
/// shorter by this part of a hundredth; otherwise a slower one with less of them is chosen.
#define SDX_CONV_MEMORY_SHARE 0.4

/// The algorithm that is chosen and the one that is estimated to be fastest: they differ where memory decides.
typedef struct sdx_conv_choice_reasons {
    sdx_conv_algorithm chosen, fastest;
} sdx_conv_choice_reasons;

/// What a plain kernel costs the layers around it, as a part of its time: functions that follow are fused with fewer
/// kernels.
#define SDX_CONV_PLAIN_LOSS 0.1
/// The times that the choice compares, in the order of `sdx_conv_algorithms`, in nanoseconds of one thread: estimated by
/// the costs, with weights that come from memory, a plain kernel's with the loss and with reordering what the layout has in
/// blocks; infinity where the algorithm is not supported.
void sdx_conv_estimates(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_conv_costs *costs, double *times);
/// The least of such times by the bytes of a network that is this convolution alone: its tensors, and its weights as the
/// fastest algorithm has them. In nanoseconds; 0 where no algorithm is supported, or nothing is there to compute.
double sdx_conv_time_per_byte(const sdx_conv_params *p, const double *times);
/// Chooses by such times, estimated or measured, and by the bytes of the weights; an algorithm of infinite time is not
/// chosen, but for blocks where all are.
/// - time_per_byte: how many nanoseconds a run of the network takes for each byte that the network holds.
sdx_conv_choice_reasons sdx_conv_choose_by_times(
    const sdx_conv_params *p, const double *times, double time_per_byte);
/// Chooses by the given costs, for a network that is this convolution alone.
sdx_conv_choice_reasons sdx_conv_choose(
    const sdx_conv_params *p, sdx_conv_layout layout, const sdx_conv_costs *costs);
/// The algorithm for operands of this layout, by the costs of the ISA in use, for a network that is this convolution alone.
/// Blocks where nothing is supported.
sdx_conv_algorithm sdx_conv_choice(const sdx_conv_params *p, sdx_conv_layout layout);

#pragma clang assume_nonnull end
#ifdef __cplusplus
}
#endif
#endif
