#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sdx_pool.h"

/// CPUs in the affinity mask; grows the mask for machines beyond 1024 CPUs.
static int affinity_cpus(void) {
    for (int cpus = 1024; cpus <= 1 << 18; cpus *= 4) {
        cpu_set_t *set = CPU_ALLOC(cpus);
        if (!set) break;
        size_t size = CPU_ALLOC_SIZE(cpus);
        int failed = sched_getaffinity(0, size, set) ? errno : 0;
        int count = failed ? 0 : CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (count > 0) return count;
        if (failed != EINVAL) break;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

/// quota / period rounded down, at least 1; -1 where there is no limit.
static long quota_cpus(long quota, long period) {
    if (quota <= 0 || period <= 0) return -1;
    return quota / period > 0 ? quota / period : 1;
}

static int read_text(const char *path, char *text, size_t size) {
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    size_t n = fread(text, 1, size - 1, file);
    fclose(file);
    text[n] = 0;
    return n > 0;
}

/// The limit of one cgroup folder, or -1.
static long folder_limit(const char *folder, int version) {
    char path[4400], text[64];
    long quota, period;
    if (version == 2) {
        snprintf(path, sizeof path, "%s/cpu.max", folder);
        if (!read_text(path, text, sizeof text) || sscanf(text, "%ld %ld", &quota, &period) != 2) return -1;
        return quota_cpus(quota, period);
    }
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%ld", &quota) != 1) return -1;
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    if (!read_text(path, text, sizeof text) || sscanf(text, "%ld", &period) != 1) return -1;
    return quota_cpus(quota, period);
}

/// The least limit of a group and all groups above it. In a container the group's path may not exist below the mount;
/// the walk upwards then still meets the container's own folder, the mount point.
static long group_limit(const char *mount, const char *group, int version) {
    char folder[4352];
    size_t base = strlen(mount);
    snprintf(folder, sizeof folder, "%s%s", mount, group);
    long least = -1;
    for (;;) {
        long limit = folder_limit(folder, version);
        if (limit > 0 && (least < 0 || limit < least)) least = limit;
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) < base) return least;
        *slash = 0;
    }
}

static long cgroup_cpus(void) {
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file) return -1;
    char line[4096];
    long least = -1;
    while (fgets(line, sizeof line, file)) { // "4:cpu,cpuacct:/path" or "0::/path"
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        controllers++;
        *group++ = 0;
        long limit = -1;
        if (!*controllers) {
            limit = group_limit("/sys/fs/cgroup", group, 2);
        } else if (strcmp(controllers, "cpu") == 0 || strstr(controllers, "cpu,") || strstr(controllers, ",cpu")) {
            limit = group_limit("/sys/fs/cgroup/cpu", group, 1);
        }
        if (limit > 0 && (least < 0 || limit < least)) least = limit;
    }
    fclose(file);
    return least;
}

int sdx_cpus_allowed(void) {
    long cpus = affinity_cpus(), quota = cgroup_cpus();
    if (quota > 0 && quota < cpus) cpus = quota;
    return cpus < 1 ? 1 : cpus > SDX_POOL_MAX_THREADS ? SDX_POOL_MAX_THREADS : (int)cpus;
}
