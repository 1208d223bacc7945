#include <stddef.h>
#include <stdint.h>
#include "sdx_gemm.h"
#define SDX_SELF "../Gemm/GemmF64.c"
#include "../Isa/EachIsa.h"

#if SDX_ISA_PASS
#include "TileSizes.h"
#define SDX_T_IS_DOUBLE 1
#include "Types.h"
#include "MicroKernel.h"
#include "RowTiles.h"
#include "Panels.h"
#include "OneRow.h"
#include "GemmPlan.h"
#include "Gemm.h"
#undef SDX_T_IS_DOUBLE
#else
SDX_TABLE_OF(size_t, packed_b_bytes_f64, (int64_t, int64_t))
SDX_TABLE(pack_b_f64, (int64_t, int64_t, const double *, int64_t, int, double *))
SDX_TABLE_OF(size_t, workspace_bytes_f64, (const sdx_gemm_f64 *, int))
SDX_TABLE(gemm_f64, (sdx_pool *, const sdx_gemm_f64 *, void *))

size_t sdx_gemm_f64_packed_b_bytes(int64_t k, int64_t n) { return SDX_CALL(packed_b_bytes_f64)(k, n); }
void sdx_gemm_f64_pack_b(int64_t k, int64_t n, const double *b, int64_t ldb, int transpose, double *packed) {
    SDX_CALL(pack_b_f64)(k, n, b, ldb, transpose, packed);
}
size_t sdx_gemm_f64_workspace_bytes(const sdx_gemm_f64 *g, int workers) {
    return SDX_CALL(workspace_bytes_f64)(g, workers);
}
void sdx_gemm_f64_run(sdx_pool *pool, const sdx_gemm_f64 *g, void *workspace) {
    SDX_CALL(gemm_f64)(pool, g, workspace);
}
#endif
