import Glibc
import SardonyxGraph

/// What no run can go beyond.
package enum MachineMemory {
    /// Bytes of physical memory, or the process's limit (`ulimit -v`) where that is less.
    package static let byteCount: Int = {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        let (bytes, overflow) = pages.multipliedReportingOverflow(by: sysconf(Int32(_SC_PAGESIZE)))
        let physical = pages > 0 && !overflow ? bytes : TensorSpec.byteLimit
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { return physical }
        return Int(min(UInt64(limit.rlim_cur), UInt64(physical)))
    }()
}
