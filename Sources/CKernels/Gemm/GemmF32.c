#include <stddef.h>
#include <stdint.h>
#include "sdx_gemm.h"
#define SDX_SELF "../Gemm/GemmF32.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "Activation.h"
#include "TileSizes.h"
#define SDX_T_IS_DOUBLE 0
#include "Types.h"
#include "MicroKernel.h"
#include "RowTiles.h"
#include "Panels.h"
#include "OneRow.h"
#include "GemmPlan.h"
#include "Gemm.h"
#undef SDX_T_IS_DOUBLE
#else
SDX_TABLE_OF(size_t, packed_b_bytes_f32, (int64_t, int64_t))
SDX_TABLE(pack_b_f32, (int64_t, int64_t, const float *, int64_t, int, float *))
SDX_TABLE_OF(size_t, workspace_bytes_f32, (const sdx_gemm_f32 *, int))
SDX_TABLE(gemm_f32, (sdx_pool *, const sdx_gemm_f32 *, void *))

size_t sdx_gemm_f32_packed_b_bytes(int64_t k, int64_t n) { return SDX_CALL(packed_b_bytes_f32)(k, n); }
void sdx_gemm_f32_pack_b(int64_t k, int64_t n, const float *b, int64_t ldb, int transpose, float *packed) {
    SDX_CALL(pack_b_f32)(k, n, b, ldb, transpose, packed);
}
size_t sdx_gemm_f32_workspace_bytes(const sdx_gemm_f32 *g, int workers) {
    return SDX_CALL(workspace_bytes_f32)(g, workers);
}
void sdx_gemm_f32_run(sdx_pool *pool, const sdx_gemm_f32 *g, void *workspace) {
    SDX_CALL(gemm_f32)(pool, g, workspace);
}
#endif
