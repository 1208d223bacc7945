#ifndef SDX_POOL_H
#define SDX_POOL_H
/// The worker pool, and the flushing of denormals that goes with running kernels.
///
///     static void body(void *ctx, int64_t chunk, int worker) { ... }     // chunk in 0 ..< chunks
///     sdx_parallel_for(pool, chunks, body, &ctx);
///
/// Cut the work by shape only, never by the number of threads; then results have the same bits for any pool. `worker`
/// is in 0 ..< sdx_pool_threads(pool) and selects scratch memory: no two chunks run at one time with the same worker.
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma clang assume_nonnull begin

/// A set of threads that run chunks. Any thread may use a pool; the first to come owns it, the others run their own
/// chunks themselves meanwhile.
typedef struct sdx_pool sdx_pool;

/// The most threads of any pool.
#define SDX_POOL_MAX_THREADS 256

/// The CPUs that this process may use: its affinity mask, and the cgroup quota (v1 and v2) rounded down; at least 1.
int sdx_cpus_allowed(void);

/// The pool of the process, made at first use with `sdx_cpus_allowed()` threads; never destroyed. In a forked child it
/// is a new one. If threads cannot be started, it has those that could.
sdx_pool *sdx_pool_shared(void);

/// A pool of `threads` in total, the caller's among them: 1 ... 256, or 0 for `sdx_cpus_allowed()`. More threads than
/// CPUs are honoured. NULL when out of memory or `threads` is out of range. To be freed with `sdx_pool_destroy`.
sdx_pool *_Nullable sdx_pool_create(int threads);

/// Stops the workers and frees the pool. Nobody may be using it. Does nothing for NULL or the shared pool.
void sdx_pool_destroy(sdx_pool *_Nullable pool);

/// The number of threads, the caller's among them: the number of values that `worker` may have. 1 for NULL.
int sdx_pool_threads(const sdx_pool *_Nullable pool);

/// Runs `body(ctx, chunk, worker)` once for every chunk in 0 ..< chunks and returns when all are done; what they wrote
/// is visible to the caller. The caller takes part, as worker 0. Each thread has a share of neighbouring chunks, which it
/// claims in rising order, then helps with the others'. The caller runs all of them itself, in order, as worker 0, when
/// `pool` is NULL, when another thread is using the pool, or when it is inside a chunk already. Denormals are flushed in
/// every chunk, and the caller's mode is restored. Allocates nothing.
void sdx_parallel_for(
    sdx_pool *_Nullable pool, int64_t chunks, void (*body)(void *_Nullable ctx, int64_t chunk, int worker),
    void *_Nullable ctx);

/// Makes this thread flush denormal inputs and results to zero; returns the former mode for `sdx_flush_denormals_end`.
uint64_t sdx_flush_denormals_begin(void);

/// Restores the mode that `sdx_flush_denormals_begin` returned.
void sdx_flush_denormals_end(uint64_t mode);

#pragma clang assume_nonnull end

#ifdef __cplusplus
}
#endif
#endif
