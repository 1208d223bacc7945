#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "sdx_pool.h"

// A run: the owner writes the job, opens the door (`door`), bumps `generation`, and works. A worker joins by adding
// itself to the door while it is open, and leaves when the chunks run out. The owner closes the door and waits until
// nobody is inside; a worker that wakes late finds it closed and never sees the job of a caller who has left.
enum { OPEN = 1u << 31, OWNER_WAITS = 1u << 30, INSIDE = OWNER_WAITS - 1 };
enum { SPIN_NANOSECONDS = 50000, STACK_BYTES = 1 << 20 };

/// The next chunk to claim of a thread's share; alone in its cache line.
typedef struct {
    _Alignas(64) _Atomic int64_t next;
} share;

struct sdx_pool {
    void (*body)(void *, int64_t, int);
    void *ctx;
    int64_t chunks;
    share *shares;                             // one a thread
    _Alignas(64) _Atomic uint32_t door;        // OPEN | OWNER_WAITS | workers inside
    _Alignas(64) _Atomic uint32_t generation;  // a futex: workers sleep on it
    _Atomic uint32_t sleepers;
    _Atomic bool busy;
    _Atomic bool stopping;
    _Atomic uint32_t fork_count;               // of `forks` when the threads were started
    int threads;                               // asked for, the caller among them
    _Atomic int started;                       // that exist, the caller among them
    pthread_t ids[];
};

static pthread_mutex_t lifecycle = PTHREAD_MUTEX_INITIALIZER; // starting threads; held over fork
static _Atomic(sdx_pool *) shared_pool;
static _Atomic uint32_t forks;                                // how many forks led to this process
static _Thread_local bool inside_chunk;

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}
static void futex_wake(_Atomic uint32_t *word, int count) {
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static int64_t now_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/// Spins while *word & mask equals value, at most SPIN_NANOSECONDS; returns whether it changed.
static bool spin_until_changed(_Atomic uint32_t *word, uint32_t mask, uint32_t value) {
    int64_t end = 0;
    for (int i = 1;; i++) {
        if ((atomic_load_explicit(word, memory_order_acquire) & mask) != value) return true;
        pause_briefly();
        if (i % 16) continue;
        int64_t now = now_nanoseconds();
        if (!end) end = now + SPIN_NANOSECONDS;
        if (now >= end) return false;
    }
}

/// Where the share of a thread begins: neighbouring chunks go to one thread, the same ones in each layer that is cut
/// alike, so that it finds in its own cache what it wrote.
static int64_t share_begin(const sdx_pool *pool, int64_t thread) {
    int64_t each = pool->chunks / pool->threads, more = pool->chunks % pool->threads;
    return thread * each + (thread < more ? thread : more);
}

/// All of the worker's own share, then what is left of the others'.
static void run_chunks(sdx_pool *pool, int worker) {
    inside_chunk = true;
    for (int i = 0; i < pool->threads; i++) {
        int thread = (worker + i) % pool->threads;
        int64_t chunk, end = share_begin(pool, thread + 1);
        while ((chunk = atomic_fetch_add_explicit(&pool->shares[thread].next, 1, memory_order_relaxed)) < end)
            pool->body(pool->ctx, chunk, worker);
    }
    inside_chunk = false;
}

static bool enter(sdx_pool *pool) {
    uint32_t door = atomic_load_explicit(&pool->door, memory_order_relaxed);
    while (door & OPEN)
        if (atomic_compare_exchange_weak_explicit(
                &pool->door, &door, door + 1, memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

static void leave(sdx_pool *pool) {
    uint32_t before = atomic_fetch_sub_explicit(&pool->door, 1, memory_order_acq_rel);
    if (before == (OWNER_WAITS | 1u)) futex_wake(&pool->door, 1);
}

typedef struct {
    sdx_pool *pool;
    int worker;
    uint32_t generation;
} start_data;

static void *worker_main(void *argument) {
    start_data start = *(start_data *)argument;
    free(argument);
    sdx_pool *pool = start.pool;
    uint32_t seen = start.generation;
    sdx_flush_denormals_begin();
    for (;;) {
        if (!spin_until_changed(&pool->generation, UINT32_MAX, seen)) {
            atomic_fetch_add(&pool->sleepers, 1);
            while (atomic_load(&pool->generation) == seen) futex_wait(&pool->generation, seen);
            atomic_fetch_sub(&pool->sleepers, 1);
        }
        seen = atomic_load_explicit(&pool->generation, memory_order_acquire);
        if (atomic_load_explicit(&pool->stopping, memory_order_acquire)) return NULL;
        if (enter(pool)) {
            run_chunks(pool, start.worker);
            leave(pool);
        }
    }
}

static void before_fork(void) { pthread_mutex_lock(&lifecycle); }
static void after_fork_in_parent(void) { pthread_mutex_unlock(&lifecycle); }
static void after_fork_in_child(void) {
    // The parent's threads do not exist here: the shared pool is made anew, others restart at their next use.
    atomic_store(&shared_pool, NULL);
    atomic_fetch_add(&forks, 1);
    pthread_mutex_unlock(&lifecycle);
}

/// Starts the threads of a pool whose fields may hold anything but `threads`. `lifecycle` is held.
static void start_threads(sdx_pool *pool) {
    static bool watching_forks; // guarded by `lifecycle`
    if (!watching_forks) {
        watching_forks = true;
        pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    }
    atomic_store(&pool->door, 0);
    atomic_store(&pool->generation, 0);
    atomic_store(&pool->sleepers, 0);
    atomic_store(&pool->busy, false);
    atomic_store(&pool->stopping, false);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigset_t all, former; // signals are for the program's own threads, but a fault must reach its handler
    sigfillset(&all);
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    int started = 1;
    for (; started < pool->threads; started++) {
        start_data *start = malloc(sizeof *start);
        if (!start) break;
        *start = (start_data){pool, started, 0};
        if (pthread_create(&pool->ids[started], &attributes, worker_main, start) != 0) {
            free(start);
            break;
        }
    }
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    pthread_attr_destroy(&attributes);
    atomic_store(&pool->started, started);
    atomic_store(&pool->fork_count, atomic_load(&forks));
}

static sdx_pool *make(int threads) {
    size_t all = sizeof(sdx_pool) + (size_t)threads * sizeof(pthread_t), shares = (all + 63) / 64 * 64;
    size_t bytes = shares + (size_t)threads * sizeof(share);
    sdx_pool *pool = NULL;
    if (posix_memalign((void **)&pool, 64, bytes) != 0) return NULL;
    memset(pool, 0, bytes);
    pool->threads = threads;
    pool->shares = (share *)(void *)((char *)pool + shares);
    start_threads(pool);
    return pool;
}

sdx_pool *sdx_pool_create(int threads) {
    if (threads < 0 || threads > SDX_POOL_MAX_THREADS) return NULL;
    pthread_mutex_lock(&lifecycle);
    sdx_pool *pool = make(threads ? threads : sdx_cpus_allowed());
    pthread_mutex_unlock(&lifecycle);
    return pool;
}

sdx_pool *sdx_pool_shared(void) {
    sdx_pool *pool = atomic_load_explicit(&shared_pool, memory_order_acquire);
    if (pool) return pool;
    pthread_mutex_lock(&lifecycle);
    pool = atomic_load(&shared_pool);
    if (!pool) {
        pool = make(sdx_cpus_allowed());
        if (!pool) abort(); // not even a few kilobytes are left
        atomic_store(&shared_pool, pool);
    }
    pthread_mutex_unlock(&lifecycle);
    return pool;
}

void sdx_pool_destroy(sdx_pool *pool) {
    if (!pool || pool == atomic_load(&shared_pool)) return;
    if (atomic_load(&pool->fork_count) == atomic_load(&forks)) {
        atomic_store(&pool->stopping, true);
        atomic_fetch_add(&pool->generation, 1);
        futex_wake(&pool->generation, INT_MAX);
        int started = atomic_load(&pool->started);
        for (int i = 1; i < started; i++) pthread_join(pool->ids[i], NULL);
    }
    free(pool);
}

int sdx_pool_threads(const sdx_pool *pool) { return pool ? pool->threads : 1; }

static void run_alone(int64_t chunks, void (*body)(void *, int64_t, int), void *ctx) {
    bool nested = inside_chunk;
    inside_chunk = true;
    for (int64_t chunk = 0; chunk < chunks; chunk++) body(ctx, chunk, 0);
    inside_chunk = nested;
}

/// Takes the pool for the calling thread; restarts its threads first where it came through a fork.
static bool acquire(sdx_pool *pool) {
    if (atomic_load_explicit(&pool->fork_count, memory_order_acquire) != atomic_load(&forks)) {
        pthread_mutex_lock(&lifecycle);
        if (atomic_load(&pool->fork_count) != atomic_load(&forks)) start_threads(pool);
        pthread_mutex_unlock(&lifecycle);
    }
    return !atomic_exchange_explicit(&pool->busy, true, memory_order_acquire);
}

void sdx_parallel_for(sdx_pool *pool, int64_t chunks, void (*body)(void *, int64_t, int), void *ctx) {
    if (chunks <= 0) return;
    uint64_t mode = sdx_flush_denormals_begin();
    if (!pool || chunks == 1 || inside_chunk || pool->threads == 1 || !acquire(pool)) {
        run_alone(chunks, body, ctx);
        sdx_flush_denormals_end(mode);
        return;
    }
    pool->body = body;
    pool->ctx = ctx;
    pool->chunks = chunks;
    for (int i = 0; i < pool->threads; i++)
        atomic_store_explicit(&pool->shares[i].next, share_begin(pool, i), memory_order_relaxed);
    atomic_store_explicit(&pool->door, OPEN, memory_order_release);
    atomic_fetch_add(&pool->generation, 1);
    uint32_t sleepers = atomic_load(&pool->sleepers);
    if (sleepers) futex_wake(&pool->generation, chunks - 1 < sleepers ? (int)(chunks - 1) : (int)sleepers);

    run_chunks(pool, 0);

    uint32_t door = atomic_fetch_and_explicit(&pool->door, ~(uint32_t)OPEN, memory_order_acq_rel) & INSIDE;
    while (door) {
        if (!spin_until_changed(&pool->door, INSIDE, door)) {
            uint32_t word = atomic_fetch_or(&pool->door, OWNER_WAITS) | OWNER_WAITS;
            if (word & INSIDE) futex_wait(&pool->door, word);
        }
        door = atomic_load_explicit(&pool->door, memory_order_acquire) & INSIDE;
    }
    atomic_store_explicit(&pool->busy, false, memory_order_release);
    sdx_flush_denormals_end(mode);
}
