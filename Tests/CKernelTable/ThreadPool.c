/// The worker pool, and the state of the thread that uses it.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "Table.h"

enum { MOST_CHUNKS = 512 };

/// What the chunks of one run note down.
typedef struct {
    sdx_pool *pool;
    bool nested;
    volatile float tiny; // half of it is denormal
    _Atomic int runs[MOST_CHUNKS];
    _Atomic int inside[SDX_POOL_MAX_THREADS]; // chunks that run at this time, by worker
    _Atomic int shared_worker, denormal, bad_worker, bad_nesting;
} record;

static void count_one(void *context, int64_t chunk, int worker) {
    (void)chunk;
    if (worker == 0) atomic_fetch_add((_Atomic int *)context, 1);
}

static void note(void *context, int64_t chunk, int worker) {
    record *r = context;
    if (worker < 0 || worker >= sdx_pool_threads(r->pool)) {
        atomic_store(&r->bad_worker, 1);
        return;
    }
    if (atomic_fetch_add(&r->inside[worker], 1) > 0) atomic_store(&r->shared_worker, 1);
    atomic_fetch_add(&r->runs[chunk], 1);
    if (r->tiny * 0.5f != 0) atomic_store(&r->denormal, 1);
    if (r->nested) {
        _Atomic int count = 0; // a pool that is busy here runs them on this thread, as worker 0
        sdx_parallel_for(r->pool, 10, count_one, &count);
        if (count != 10) atomic_store(&r->bad_nesting, 1);
    }
    atomic_fetch_sub(&r->inside[worker], 1);
}

/// Runs `chunks` chunks and returns what went wrong, or NULL.
static const char *run(sdx_pool *pool, int64_t chunks, bool nested) {
    record *r = calloc(1, sizeof *r);
    if (!r) abort();
    r->pool = pool;
    r->nested = nested;
    r->tiny = FLT_MIN;
    sdx_parallel_for(pool, chunks, note, r);
    const char *wrong = NULL;
    for (int64_t i = 0; i < MOST_CHUNKS; i++)
        if (r->runs[i] != (i < chunks)) wrong = "a chunk did not run just once";
    if (r->bad_worker) wrong = "a worker is out of range";
    if (r->shared_worker) wrong = "two chunks ran at one time with the same worker";
    if (r->bad_nesting) wrong = "nested chunks did not run on the chunk's thread";
    if (r->denormal) wrong = "a chunk saw a denormal";
    volatile float tiny = FLT_MIN;
    if (tiny * 0.5f == 0) wrong = "the caller's denormals are flushed afterwards";
    free(r);
    return wrong;
}

static void expect(table *t, const char *wrong) {
    if (wrong) table_fail(t, "%s", wrong);
}

static int check_chunks(char *message, size_t size) {
    table t = table_begin(message, size, 20);
    for (int threads = 1; threads <= 7; threads += 2) {
        sdx_pool *pool = sdx_pool_create(threads);
        for (int64_t chunks = 0; chunks < 300; chunks = 2 * chunks + 1) {
            table_row(&t, "%lld chunks on %d threads", (long long)chunks, threads);
            for (int i = 0; i < 5; i++) expect(&t, run(pool, chunks, false));
        }
        // Long enough for the workers to fall asleep.
        for (int i = 0; i < 10; i++) {
            table_row(&t, "%d threads after a sleep", threads);
            nanosleep(&(struct timespec){0, 300000}, NULL);
            expect(&t, run(pool, 50, false));
        }
        sdx_pool_destroy(pool);
    }
    table_row(&t, "no pool");
    expect(&t, run(NULL, 40, true));
    table_row(&t, "fewer than no chunks");
    expect(&t, run(t.pools[2], -5, false));
    return table_end(&t);
}

/// What the first chunks of all threads note down while they wait for each other.
typedef struct {
    int threads;
    int64_t chunks;
    _Atomic int met;
    _Atomic int64_t first[SDX_POOL_MAX_THREADS]; // by worker, -1 before
} meeting;

static void meet(void *context, int64_t chunk, int worker) {
    meeting *m = context;
    int64_t before = -1;
    if (!atomic_compare_exchange_strong(&m->first[worker], &before, chunk)) return;
    atomic_fetch_add(&m->met, 1);
    for (time_t end = time(NULL) + 20; atomic_load(&m->met) < m->threads && time(NULL) < end;) sched_yield();
}

/// Each thread begins where its share of neighbouring chunks does.
static int check_shares(char *message, size_t size) {
    table t = table_begin(message, size, 27);
    for (int i = 0; i < POOLS; i++)
        for (int64_t each = 1; each < 40; each = 3 * each + 1) {
            meeting m = {.threads = pool_threads[i], .chunks = each * pool_threads[i]};
            for (int worker = 0; worker < m.threads; worker++) m.first[worker] = -1;
            table_row(&t, "%lld chunks for each of %d threads", (long long)each, m.threads);
            sdx_parallel_for(t.pools[i], m.chunks, meet, &m);
            for (int worker = 0; worker < m.threads; worker++)
                if (m.first[worker] != worker * each)
                    table_fail(&t, "worker %d begins with chunk %lld", worker, (long long)m.first[worker]);
        }
    return table_end(&t);
}

static int check_nested(char *message, size_t size) {
    table t = table_begin(message, size, 21);
    table_row(&t, "nested");
    EACH_POOL(p)
    for (int i = 0; i < 20; i++) expect(&t, run(t.pools[p], 3 * i, true));
    expect(&t, run(sdx_pool_shared(), 100, true));
    return table_end(&t);
}

typedef struct {
    sdx_pool *pool;
    const char *wrong;
} user;

static void *use(void *argument) {
    user *u = argument;
    for (int i = 0; i < 200; i++) {
        const char *wrong = run(u->pool, i % 40, i % 7 == 0);
        if (wrong) u->wrong = wrong;
    }
    return NULL;
}

static int check_busy(char *message, size_t size) {
    table t = table_begin(message, size, 22);
    table_row(&t, "four threads use one pool");
    user users[4];
    pthread_t threads[COUNT(users)];
    for (size_t i = 0; i < COUNT(users); i++) {
        users[i] = (user){t.pools[2], NULL};
        if (pthread_create(&threads[i], NULL, use, &users[i]) != 0) abort();
    }
    for (size_t i = 0; i < COUNT(users); i++) {
        pthread_join(threads[i], NULL);
        expect(&t, users[i].wrong);
    }
    return table_end(&t);
}

static int check_range(char *message, size_t size) {
    table t = table_begin(message, size, 23);
    table_row(&t, "numbers of threads");
    if (sdx_pool_create(-1)) table_fail(&t, "-1 threads give a pool");
    if (sdx_pool_create(SDX_POOL_MAX_THREADS + 1)) table_fail(&t, "more threads than the most give a pool");
    if (sdx_pool_threads(NULL) != 1) table_fail(&t, "no pool has more than the caller's thread");
    sdx_pool *pool = sdx_pool_create(0);
    if (!pool || sdx_pool_threads(pool) != sdx_cpus_allowed()) table_fail(&t, "0 is not one thread a CPU");
    sdx_pool_destroy(pool);
    sdx_pool_destroy(NULL);
    sdx_pool *shared = sdx_pool_shared();
    sdx_pool_destroy(shared);
    if (sdx_pool_shared() != shared) table_fail(&t, "the shared pool was destroyed");
    expect(&t, run(shared, 20, false));
    if (sdx_pool_threads(shared) != sdx_cpus_allowed()) table_fail(&t, "the shared pool is not one thread a CPU");
    return table_end(&t);
}

/// Threads wait for others that have no CPU: no chunk may depend on another's progress.
static int check_oversubscribed(char *message, size_t size) {
    table t = table_begin(message, size, 24);
    int threads = smaller(4 * sdx_cpus_allowed() + 3, SDX_POOL_MAX_THREADS);
    table_row(&t, "%d threads on %d CPUs", threads, sdx_cpus_allowed());
    sdx_pool *pool = sdx_pool_create(threads);
    if (sdx_pool_threads(pool) != threads) table_fail(&t, "the pool has %d threads", sdx_pool_threads(pool));
    for (int i = 0; i < 30; i++) expect(&t, run(pool, 4 * threads < MOST_CHUNKS ? 4 * threads : 9, i % 5 == 0));
    sdx_pool_destroy(pool);
    return table_end(&t);
}

static int check_affinity(char *message, size_t size) {
    table t = table_begin(message, size, 25);
    table_row(&t, "an affinity mask of one CPU");
    cpu_set_t before, one;
    if (sched_getaffinity(0, sizeof before, &before) != 0) return table_end(&t);
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) return table_end(&t); // not ours to choose
    int cpus = sdx_cpus_allowed();
    if (cpus != 1) table_fail(&t, "one CPU counts as %d", cpus);
    sched_setaffinity(0, sizeof before, &before);
    return table_end(&t);
}

static int check_fork(char *message, size_t size) {
    table t = table_begin(message, size, 26);
    sdx_pool *pool = t.pools[2], *shared = sdx_pool_shared();
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
    return table_end(&t); // it forbids threads in a forked child
#endif
#endif
    for (int i = 0; i < 5; i++) {
        table_row(&t, "fork %d", i);
        expect(&t, run(pool, 60, false));
        expect(&t, run(shared, 60, false));
        pid_t child = fork();
        if (child == 0) {
            bool wrong = run(sdx_pool_shared(), 50, false) || run(pool, 50, true);
            sdx_pool_destroy(pool); // its threads do not exist here
            _exit(wrong);
        }
        int status = -1;
        if (child < 0 || waitpid(child, &status, 0) != child) table_fail(&t, "no child");
        if (status != 0) table_fail(&t, "the child ended with status %#x", status);
        expect(&t, run(pool, 60, false));
    }
    return table_end(&t);
}

static const kernel_table_check checks[] = {
    {"chunks", check_chunks},
    {"shares", check_shares},
    {"nested", check_nested},
    {"busy", check_busy},
    {"range of threads", check_range},
    {"more threads than CPUs", check_oversubscribed},
    {"affinity", check_affinity},
    {"fork", check_fork},
};

const kernel_table_check *kernel_table_pool_check(int index) {
    return index >= 0 && (size_t)index < COUNT(checks) ? &checks[index] : NULL;
}
