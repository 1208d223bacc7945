/// The list of families, and runs in a child process.
#define _GNU_SOURCE
#include <sys/wait.h>
#include <unistd.h>

#include "Table.h"

static const kernel_table_check families[] = {
    {"gemm", kernel_table_gemm},
    {"convolution", kernel_table_convolution},
    {"blocked convolution", kernel_table_blocked_convolution},
    {"transposed convolution", kernel_table_transposed_convolution},
    {"choice", kernel_table_choice},
    {"winograd", kernel_table_winograd},
    {"winograd rows", kernel_table_winograd_rows},
    {"transposed convolution c8", kernel_table_transposed_c8},
    {"unary", kernel_table_unary},
    {"binary", kernel_table_binary},
    {"chain", kernel_table_chain},
    {"transpose", kernel_table_transpose},
    {"convert", kernel_table_convert},
    {"gates", kernel_table_gates},
    {"reduction", kernel_table_reduction},
    {"softmax", kernel_table_softmax},
    {"attention", kernel_table_attention},
    {"row norm", kernel_table_row_norm},
    {"channel norm", kernel_table_channel_norm},
    {"pooling", kernel_table_pooling},
    {"resize", kernel_table_resize},
    {"pad c8", kernel_table_pad_c8},
    {"blocked", kernel_table_blocked},
    {"blocked pooling", kernel_table_blocked_pooling},
    {"blocked channels", kernel_table_blocked_channels},
};

const kernel_table_check *kernel_table_family(int index) {
    return index >= 0 && (size_t)index < COUNT(families) ? &families[index] : NULL;
}

/// Writes all bytes; a failure shows as a report cut short.
static void write_all(int file, const void *bytes, size_t count) {
    for (const char *at = bytes; count > 0;) {
        ssize_t written = write(file, at, count);
        if (written <= 0) return;
        at += written;
        count -= (size_t)written;
    }
}

static size_t read_all(int file, void *bytes, size_t count) {
    size_t done = 0;
    for (ssize_t got; done < count && (got = read(file, (char *)bytes + done, count - done)) > 0;) done += (size_t)got;
    return done;
}

typedef struct {
    int failures;
    char message[700];
} report;

int kernel_table_run_isolated(
    int isa, const kernel_table_check *check, const kernel_table_function *function, char *message, size_t size) {
    int ends[2];
    if (pipe(ends) != 0) return 1;
    pid_t child = fork();
    if (child == 0) {
        report r = {0};
        sdx_isa_set_cap((sdx_isa)isa);
        r.failures = check ? check->run(r.message, sizeof r.message)
                           : kernel_table_check_function(function, r.message, sizeof r.message);
        write_all(ends[1], &r, sizeof r);
        _exit(0);
    }
    close(ends[1]);
    report r = {0};
    bool whole = child > 0 && read_all(ends[0], &r, sizeof r) == sizeof r;
    close(ends[0]);
    int status = 0;
    if (child > 0) waitpid(child, &status, 0);
    if (!whole || status != 0) {
        snprintf(message, size, "%s on %s crashed with status %#x", check ? check->name : function->name,
                 sdx_isa_name((sdx_isa)isa), status);
        return 1;
    }
    r.message[sizeof r.message - 1] = 0;
    snprintf(message, size, "%s", r.message);
    return r.failures;
}
