/// Runs the whole table on every ISA of this machine, without Swift: for sanitizers and for other architectures.
///
///     table [ISA | pool]     only this level, or only the worker pool
///
/// A line a check; exits 1 if any fails.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "CKernelTable.h"
#include "CKernels.h"

static int failed;
static double started;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void begin(void) { started = now(); }

static void end(const char *kind, const char *name, int failures, const char *message) {
    printf("%-8s %-28s %s  %.0f ms\n", kind, name, failures ? "FAILED" : "ok", (now() - started) * 1000);
    if (failures) printf("    %d failures, the first: %s\n", failures, message);
    fflush(stdout);
    failed |= failures != 0;
}

int main(int count, char **arguments) {
    const char *only = count > 1 ? arguments[1] : NULL;
    char message[700];
    const kernel_table_check *check;
    for (int i = 0; (check = kernel_table_pool_check(i)); i++) {
        if (only && strcmp(only, "pool") != 0) break;
        begin();
        end("pool", check->name, check->run(message, sizeof message), message);
    }
    for (int isa = 0; isa < SDX_ISA_COUNT; isa++) {
        const char *level = sdx_isa_name((sdx_isa)isa);
        if (!sdx_isa_supported((sdx_isa)isa) || (only && strcmp(only, level) != 0)) continue;
        sdx_isa_set_cap((sdx_isa)isa);
        for (int i = 0; (check = kernel_table_family(i)); i++) {
            begin();
            end(level, check->name, check->run(message, sizeof message), message);
        }
        begin();
        int failures = 0;
        const kernel_table_function *function;
        for (int i = 0; (function = kernel_table_function_at(i)); i++) {
            char text[sizeof message];
            int more = kernel_table_check_function(function, text, sizeof text);
            if (more > 0 && failures == 0) memcpy(message, text, sizeof message);
            failures += more;
        }
        end(level, "vector math", failures, message);
    }
    return failed;
}
